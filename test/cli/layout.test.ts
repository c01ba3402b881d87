import { describe, expect, test } from 'bun:test';
import { readSecret } from '../../src/cli/terminal/secret-input.ts';
import { dockerTable } from '../../src/cli/terminal/table.ts';
import { goFileError } from '../../src/cli/wording/go-errors.ts';
import { goJson } from '../../src/cli/wording/go-json.ts';
import { failure } from '../support/failure.ts';

describe('dockerTable', () => {
  test('short columns are ten wide, long ones end three spaces after their longest cell, the last is not padded', () => {
    const rows = [
      ['v1', 'abc', 'alice'],
      ['a-tag-of-eighteen', '', 'bob'],
    ];
    expect(dockerTable(['SIGNED TAG', 'D', 'SIGNERS'], rows)).toBe(
      [
        'SIGNED TAG          D         SIGNERS\n',
        'v1                  abc       alice\n',
        'a-tag-of-eighteen             bob\n',
      ].join(''),
    );
  });

  test('a header alone is a line', () => {
    expect(dockerTable(['A', 'B'], [])).toBe('A         B\n');
  });
});

describe('goJson', () => {
  test('four spaces, empty lists on one line, HTML escaped as Go escapes it', () => {
    expect(goJson([{ Name: 'a<b>&c\u2028\u2029', List: [], 'K&': [1] }])).toBe(
      '[\n    {\n        "Name": "a\\u003cb\\u003e\\u0026c\\u2028\\u2029",\n        "List": [],\n        "K\\u0026": [\n            1\n        ]\n    }\n]',
    );
    expect(goJson([])).toBe('[]');
  });
});

describe('goFileError', () => {
  const error = (code: string) => Object.assign(new Error('x'), { code });

  test.each([
    ['ENOENT', 'open a: no such file or directory'],
    ['EACCES', 'open a: permission denied'],
    ['ENOTDIR', 'open a: not a directory'],
    ['EISDIR', 'read a: is a directory'],
    ['EIO', 'open a: EIO'],
  ])('%s', (code, message) => {
    expect(goFileError(error(code), 'a')).toBe(message);
  });

  test('names the call', () => {
    expect(goFileError(error('ENOENT'), 'a', 'stat')).toBe('stat a: no such file or directory');
  });
});

describe('readSecret', () => {
  async function* stream(...chunks: Buffer[]): AsyncGenerator<Buffer> {
    yield* chunks;
  }

  test.each([
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['two\nlines\n\n', 'two\nlines'],
    [' spaces ', ' spaces '],
    ['', ''],
  ])('%j', async (text, expected) => {
    const chunks = [...text].map((character) => Buffer.from(character));
    expect((await readSecret(stream(...chunks))).toString()).toBe(expected);
    expect(chunks.every((chunk) => chunk.every((byte) => byte === 0))).toBe(true);
  });

  test('does not take an endless one', async () => {
    await failure(readSecret(stream(Buffer.alloc(16 * 1024), Buffer.alloc(1))), 'too-large');
    expect((await readSecret(stream(Buffer.alloc(16 * 1024, 'x')))).length).toBe(16 * 1024);
  });
});
