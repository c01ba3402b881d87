import { beforeAll, describe, expect, test } from 'bun:test';
import type { CollectionCopy } from '../../../src/core/copy/collection-copy.ts';
import { formatCopies, parseCopies } from '../../../src/core/copy/copy-file.ts';
import { canonicalize } from '../../../src/core/json/canonical.ts';
import { parseJson } from '../../../src/core/json/parse.ts';
import { digestHex, digestOf } from '../../../src/core/names/digest.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { copyOf, rotatedRepository } from '../../support/copies.ts';
import { failure } from '../../support/failure.ts';
import { type Change, put, tree } from '../../support/forgery.ts';

const OTHER = parseGun('docker.io/library/alpine');
const MAGIC = 'Signet trust copy 1\n';

let copy: CollectionCopy;
let file: Buffer;

beforeAll(async () => {
  copy = await copyOf(await rotatedRepository());
  file = formatCopies([copy]);
});

/** A file with this text between its first line and its end, and the right end. */
function fileOf(middle: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(MAGIC), Buffer.from(middle)]);
  return Buffer.concat([body, Buffer.from(`end ${digestHex(digestOf(body))}\n`)]);
}

/** The same copy with another first line, as canonical JSON. */
function withHead(change: Change): Buffer {
  const body = file.subarray(MAGIC.length, file.length - 69);
  const end = body.indexOf('\n');
  const head = canonicalize(change(parseJson(body.subarray(0, end))));
  return fileOf(Buffer.concat([head, body.subarray(end)]));
}

describe('a file of copies', () => {
  test('is read as it was written, and is the same however it was put together', () => {
    const other = { ...copy, gun: OTHER, server: undefined };
    const both = formatCopies([copy, other]);
    expect(parseCopies(both)).toEqual([other, copy]);
    expect(formatCopies([other, { ...copy, files: new Map([...copy.files].reverse()) }]).equals(both)).toBe(true);
    expect(parseCopies(formatCopies([]))).toEqual([]);
  });

  test('has the form that its description gives', () => {
    const [magic, head = '', ...rest] = file.toString('utf8').split('\n');
    expect(`${magic}\n`).toBe(MAGIC);
    const { files, ...about } = JSON.parse(head);
    expect(about).toEqual({
      gun: 'registry.example.com/acme/app',
      server: 'https://notary.example.com/',
      read: '2026-11-23T12:00:00Z',
      root: { trusted: 'first-use' },
      expired: [],
      unsigned: [],
    });
    expect(files.map(({ name }: { name: string }) => name)).toEqual([
      ...['1.root', '2.root', '3.root', 'timestamp', 'snapshot', 'targets', 'targets/releases'],
    ]);
    expect(rest[0]).toBe(copy.roots[0]?.bytes.toString('utf8') as string);
    expect(rest.at(-2)).toBe(`end ${digestHex(digestOf(file.subarray(0, -69)))}`);
  });

  test('has no private key in it', () => {
    expect(file.toString('latin1')).not.toMatch(/PRIVATE KEY|"private":"[^"]/);
  });

  test.each([1, 100, 1000])('that lacks its last %i bytes is refused', async (bytes) => {
    const error = await failure(() => parseCopies(file.subarray(0, -bytes)), 'copy-malformed');
    expect(error.message).toBe('this is not a valid copy of trust data: it has no end; a part of it is missing');
  });

  test('with one byte changed anywhere is refused', async () => {
    for (let at = 0; at < file.length; at += 101) {
      const damaged = Buffer.from(file);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await failure(() => parseCopies(damaged), 'copy-malformed');
    }
  });

  test.each<[string, Change, string]>([
    ['an unknown member', put(['keys'], 'x'), 'a copy has an unknown member "keys"'],
    [
      'another checksum',
      put(['files', '3', 'sha256'], 'a'.repeat(64)),
      'timestamp of registry.example.com/acme/app does not have its checksum',
    ],
    [
      'a length below zero',
      put(['files', '0', 'length'], -1),
      '1.root of registry.example.com/acme/app has no possible length',
    ],
    [
      'a length beyond any',
      put(['files', '0', 'length'], 2 ** 40),
      '1.root of registry.example.com/acme/app has no possible length',
    ],
    [
      'a length beyond the end',
      put(['files', '0', 'length'], 2 ** 24),
      '1.root of registry.example.com/acme/app is cut off',
    ],
    ['a path for a role', put(['files', '6', 'name'], '../../etc/passwd'), 'tuf: invalid role ../../etc/passwd.'],
    ['a root without version', put(['files', '0', 'name'], 'root'), 'a root has no version'],
    [
      'a gap in the roots',
      put(['files', '1', 'name'], '5.root'),
      'root 5 of registry.example.com/acme/app does not follow the one before it',
    ],
    [
      'two files of one role',
      put(['files', '6', 'name'], 'targets'),
      'what it says of registry.example.com/acme/app is not in the one form that there is',
    ],
    ['no timestamp', put(['files', '3', 'name'], 'targets/x'), 'registry.example.com/acme/app has no timestamp'],
    ['a path for a name', put(['gun'], '../../x'), 'invalid repository name "../../x"'],
    ['a server that is none', put(['server'], 'file:///etc/passwd'), 'its server has no address'],
    [
      'a server written in another way',
      put(['server'], 'https://notary.example.com'),
      'what it says of registry.example.com/acme/app is not in the one form that there is',
    ],
    [
      'a time with a fraction',
      put(['read'], '2026-11-23T12:00:00.5Z'),
      'what it says of registry.example.com/acme/app is not in the one form that there is',
    ],
    [
      'a pin that it was not pinned by',
      put(['root'], tree({ trusted: 'known', pin: 'x' })),
      'it does not say how its root came to be trusted',
    ],
  ])('with %s is refused', async (_, change, why) => {
    const error = await failure(() => parseCopies(withHead(change)), 'copy-malformed');
    expect(error.message).toBe(`this is not a valid copy of trust data: ${why}`);
  });

  test.each<[string, () => Buffer]>([
    ['what is no copy at all', () => Buffer.from('{"signed":{}}')],
    ['nothing', () => Buffer.of()],
    ['a line without end', () => fileOf('{"gun":"a"')],
    ['a line that is not JSON', () => fileOf('gun\n')],
    ['the same copy twice', () => fileOf(Buffer.concat([file.subarray(20, -69), file.subarray(20, -69)]))],
    ['something behind the end', () => Buffer.concat([file, Buffer.from('\n')])],
    ['spaces in its line', () => fileOf(file.toString('latin1', 20, file.length - 69).replace('{', '{ '))],
  ])('is not %s', async (_, make) => {
    await failure(() => parseCopies(make()), 'copy-malformed');
  });

  test('two copies of one repository have no common file', async () => {
    await failure(() => formatCopies([copy, copy]), 'copy-malformed');
  });
});
