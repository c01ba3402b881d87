import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTar } from '../../src/core/tar.ts';
import { failure } from '../support/failure.ts';
import { type TarEntry, tarOf } from '../support/rethinkdb-dump.ts';
import { temporaryFolder } from '../support/temp.ts';

/** An archive in pieces that end anywhere. */
async function* pieces(archive: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; at += size) yield archive.subarray(at, at + size);
}

async function filesIn(archive: Uint8Array, size?: number): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { path, content } of readTar(pieces(archive, size))) {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    files[path] = Buffer.concat(parts).toString();
  }
  return files;
}

for (const format of ['ustar', 'gnu', 'pax']) {
  test(`reads what the system's tar writes as ${format}, long names too`, async () => {
    const folder = temporaryFolder();
    const long = `${'d'.repeat(90)}/${'e'.repeat(90)}`;
    const files = { 'a/empty': '', 'a/b.json': '[]\n', 'a/block': 'x'.repeat(512), [`${long}.json`]: 'y'.repeat(5000) };
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const { stdout, exitCode } = Bun.spawnSync(['tar', `--format=${format}`, '-cf', '-', 'a', 'd'.repeat(90)], {
      cwd: folder,
    });
    expect(exitCode).toBe(0);
    for (const size of [1, 511, 512, 100_000]) expect(await filesIn(stdout, size)).toEqual(files);
  });
}

test('goes on with the next file when one was read in part or not at all', async () => {
  const names = ['a', 'b', 'c'];
  const archive = tarOf(names.map((name) => ({ name, content: 'x'.repeat(3000) })));
  const found: string[] = [];
  for await (const { path, content } of readTar(pieces(archive))) {
    found.push(path);
    if (path === 'a') for await (const _ of content) break;
  }
  expect(found).toEqual(names);
});

const HOSTILE: readonly (readonly [what: string, entries: readonly TarEntry[], why: string])[] = [
  ['an absolute name', [{ name: '/etc/passwd' }], 'it has the name "/etc/passwd"'],
  ['a name that leads out', [{ name: 'a/../../b' }], 'it has the name "a/../../b"'],
  ['a name with two slashes', [{ name: 'a//b' }], 'it has the name "a//b"'],
  ['a name with a backslash', [{ name: 'a\\b' }], String.raw`it has the name "a\\b"`],
  ['no name', [{ name: '' }], 'it has the name ""'],
  ['a link', [{ name: 'a', type: '2' }], '"a" is no file'],
  ['a hard link', [{ name: 'a', type: '1' }], '"a" is no file'],
  ['a device', [{ name: 'a', type: '3' }], '"a" is no file'],
  ['a folder with content', [{ name: 'a', type: '5', content: 'x' }], '"a" is no file'],
  ['a global header', [{ name: 'a', type: 'g', content: '9 path=b\n' }], '"a" is no file'],
  [
    'a name in an extended header that leads out',
    [{ name: 'x', type: 'x', content: '13 path=../b\n' }, { name: 'a' }],
    'it has the name "../b"',
  ],
  [
    'a size in an extended header',
    [{ name: 'x', type: 'x', content: '9 size=1\n' }, { name: 'a' }],
    'the header of a file is damaged',
  ],
  [
    'a sparse file',
    [{ name: 'x', type: 'x', content: '22 GNU.sparse.major=1\n' }, { name: 'a' }],
    'the header of a file is damaged',
  ],
  [
    'two names',
    [{ name: 'x', type: 'x', content: '9 path=b\n' }, { name: 'L', type: 'L', content: 'c\0' }, { name: 'a' }],
    'a file has two names',
  ],
  ['a name without a file', [{ name: 'L', type: 'L', content: 'c\0' }], 'it ends after the name of a file'],
  ['a very long name', [{ name: 'L', type: 'L', content: 'c'.repeat(70_000) }], 'the header of a file is too long'],
];

for (const [what, entries, why] of HOSTILE) {
  test(`refuses ${what}`, async () => {
    const error = await failure(filesIn(tarOf(entries)), 'archive-invalid');
    expect(error.message).toBe(`the tar archive cannot be read: ${why}`);
  });
}

test('refuses an archive that is cut short anywhere, damaged, or goes on after its end', async () => {
  const archive = tarOf([{ name: 'a', content: 'x'.repeat(600) }]);
  for (let length = 0; length < archive.length; length += 100) {
    const error = await failure(filesIn(archive.subarray(0, length)), 'archive-invalid');
    expect(error.message).toBe('the tar archive cannot be read: it is cut short');
  }
  const damaged = Buffer.from(archive);
  damaged[0] = 0x62;
  const cases: readonly (readonly [Buffer, string])[] = [
    [damaged, 'a header is damaged'],
    [Buffer.concat([archive, Buffer.from('x')]), 'there is more after its end'],
    [Buffer.concat([archive.subarray(0, -512), tarOf([{ name: 'b' }])]), 'it ends in the middle'],
  ];
  for (const [bytes, why] of cases) {
    const error = await failure(filesIn(bytes), 'archive-invalid');
    expect(error.message).toBe(`the tar archive cannot be read: ${why}`);
  }
  expect(await filesIn(Buffer.concat([archive, Buffer.alloc(10_240)]))).toEqual({ a: 'x'.repeat(600) });
});
