import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import {
  checkFile,
  FileCheck,
  type FileInfo,
  fileInfoJson,
  fileInfoOf,
  readFileInfo,
  sameFile,
} from '../../../src/core/metadata/file-info.ts';
import { readSnapshot } from '../../../src/core/metadata/snapshot.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf } from '../../support/forgery.ts';
import { vector } from '../keys/support.ts';

const BYTES = Buffer.from('some bytes');
const SHA256 = createHash('sha256').update(BYTES).digest();
const SHA512 = createHash('sha512').update(BYTES).digest();
const info = (length: number, ...hashes: [string, Buffer][]): FileInfo => ({ length, hashes: new Map(hashes) });
const flipped = (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)));

test('a file is listed with its length and both digests', () => {
  expect(fileInfoOf(BYTES)).toEqual(info(BYTES.length, ['sha256', SHA256], ['sha512', SHA512]));
  expect(readFileInfo(new Map(fileInfoJson(fileInfoOf(BYTES))), 'x')).toEqual(fileInfoOf(BYTES));
});

describe('a file', () => {
  test('is the one that was listed', () => {
    for (const promise of [
      fileInfoOf(BYTES),
      info(BYTES.length, ['sha256', SHA256]),
      info(BYTES.length, ['sha512', SHA512]),
      info(BYTES.length, ['md5', Buffer.of()], ['sha256', SHA256]),
    ]) {
      checkFile('x', BYTES, promise);
    }
  });

  test('has the listed length', async () => {
    for (const length of [0, BYTES.length - 1, BYTES.length + 1]) {
      await failure(() => checkFile('x', BYTES, info(length, ['sha256', SHA256])), 'length-mismatch');
    }
  });

  test('has every listed digest of a known algorithm, not just the first', async () => {
    const wrong = [
      info(BYTES.length, ['sha256', flipped(SHA256)]),
      info(BYTES.length, ['sha256', SHA256], ['sha512', flipped(SHA512)]),
      info(BYTES.length, ['sha512', flipped(SHA512)], ['sha256', SHA256]),
      info(BYTES.length, ['sha256', flipped(SHA256)], ['sha512', SHA512]),
    ];
    for (const promise of wrong) await failure(() => checkFile('x', BYTES, promise), 'checksum-mismatch');
    const error = await failure(
      () => checkFile('targets', BYTES, info(BYTES.length, ['sha256', Buffer.alloc(32)])),
      'checksum-mismatch',
    );
    expect(error.message).toBe(`sha256 checksum for targets did not match: expected ${'0'.repeat(64)}`);
  });

  test('that arrives in pieces is checked as a whole, and is refused as soon as it is too long', async () => {
    const checked = (promise: FileInfo, ...pieces: string[]) => {
      const check = new FileCheck('x', promise);
      for (const piece of pieces) check.update(Buffer.from(piece));
      check.finish();
    };
    checked(fileInfoOf(BYTES), 'some', '', ' bytes');
    await failure(() => checked(fileInfoOf(BYTES), 'some'), 'length-mismatch');
    await failure(() => checked(fileInfoOf(BYTES), 'some', ' bites'), 'checksum-mismatch');
    const check = new FileCheck('x', fileInfoOf(BYTES));
    check.update(BYTES);
    await failure(() => check.update(Buffer.from('!')), 'length-mismatch');
  });

  test('of Notary is what its snapshot lists', () => {
    const { meta } = readSnapshot(payloadOf(vector('acme-app/snapshot.json')));
    for (const role of ['root', 'targets', 'targets/releases', 'targets/jeff']) {
      checkFile(role, vector(`acme-app/${role}.json`), meta.get(role) ?? info(-1));
    }
  });
});

test('two entries describe the same file if they agree in everything that both contain', () => {
  const both = fileInfoOf(BYTES);
  const sha256 = info(BYTES.length, ['sha256', SHA256]);
  const sha512 = info(BYTES.length, ['sha512', SHA512]);
  expect(sameFile(both, sha256)).toBe(true);
  expect(sameFile(sha512, both)).toBe(true);
  expect(sameFile(sha256, sha512)).toBe(false);
  expect(sameFile(sha256, info(BYTES.length + 1, ['sha256', SHA256]))).toBe(false);
  expect(sameFile(both, info(BYTES.length, ['sha256', SHA256], ['sha512', flipped(SHA512)]))).toBe(false);
});
