import { describe, expect, test } from 'bun:test';
import type { JsonValue } from '../../../src/core/json/parse.ts';
import { type EngineMessage, readMessages } from '../../../src/engine/api/messages.ts';

const INVALID = { code: 'engine-response-invalid' };

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Uint8Array, size = 1 << 20): Promise<EngineMessage[]> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return Array.fromAsync(readMessages(chunksOf(bytes, size)));
}

const RECORDS = [
  { status: 'The push refers to repository [r/a]' },
  {
    status: 'Pushing',
    progressDetail: { current: 512, total: 1e6, start: 5, units: 'x', hidecounts: true },
    progress: '[>',
    id: 'aa',
  },
  { status: 'tricky "}{][\\ \u00e9\u20ac\u{1f40b}', id: '\\' },
  { progressDetail: {}, aux: { Tag: 'x', nested: [{ a: ['}'] }] } },
  { errorDetail: { code: 1, message: 'denied' }, error: 'other words' },
];

describe('readMessages', () => {
  test('reads every member that a push or pull can have', async () => {
    const messages = await read(RECORDS.map((record) => JSON.stringify(record)).join('\r\n'));
    expect(messages.map(({ id, status, error }) => [id, status, error])).toEqual([
      ['', 'The push refers to repository [r/a]', undefined],
      ['aa', 'Pushing', undefined],
      ['\\', 'tricky "}{][\\ é€🐋', undefined],
      ['', '', undefined],
      ['', '', 'denied'],
    ]);
    expect(messages[1]?.progress).toEqual({ current: 512, total: 1e6, start: 5, units: 'x', hidesCounts: true });
    expect(messages[3]?.progress).toEqual({ current: 0, total: 0, start: 0, units: '', hidesCounts: false });
    expect(messages[0]?.progress).toBeUndefined();
    expect(messages[3]?.aux).toEqual(
      new Map<string, JsonValue>([
        ['Tag', 'x'],
        ['nested', [new Map([['a', ['}']]])]],
      ]),
    );
    expect(messages[0]?.aux).toBeUndefined();
  });

  test('an error may come as text alone', async () => {
    expect((await read('{"error":"denied"}'))[0]?.error).toBe('denied');
    expect((await read('{"error":"denied","errorDetail":{}}'))[0]?.error).toBe('denied');
    expect((await read('{"status":"x","error":null,"aux":null}'))[0]).toMatchObject({
      error: undefined,
      aux: undefined,
    });
  });

  test('wherever the chunks are cut, and with or without white space between the records', async () => {
    for (const separator of ['', '\n', '\r\n \t']) {
      const bytes = Buffer.from(RECORDS.map((record) => JSON.stringify(record, null, 1)).join(separator));
      const whole = await read(bytes);
      expect(whole.length).toBe(RECORDS.length);
      for (const size of [1, 2, 3, 7, 64]) expect(await read(bytes, size)).toEqual(whole);
    }
  });

  test('an empty answer has no messages', async () => {
    expect(await read('')).toEqual([]);
    expect(await read(' \r\n')).toEqual([]);
  });

  test.each([
    ['another type', '[1]'],
    ['text', 'x'],
    ['a closing bracket', '}'],
    ['bytes between records', '{} x {}'],
    ['an end inside a record', '{"status":"x"'],
    ['an end inside a string', '{"status":"x'],
    ['mixed brackets', '{]'],
    ['a repeated member', '{"id":"a","id":"b"}'],
    ['another type of a member', '{"status":7}'],
    ['invalid UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['deep nesting', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['an endless record', `{"status":"${'x'.repeat(1100 * 1024)}"}`],
    ['an endless record that never closes', `{"status":"${'x'.repeat(1100 * 1024)}`],
  ])('refuses %s', async (_, text) => {
    await expect(read(text, 65_536)).rejects.toMatchObject(INVALID);
  });

  test('what came before damage is still given', async () => {
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { status } of readMessages(chunksOf(Buffer.from('{"status":"a"}{"status":"b"}!'), 4)))
        seen.push(status);
    })();
    await expect(reading).rejects.toMatchObject(INVALID);
    expect(seen).toEqual(['a', 'b']);
  });
});
