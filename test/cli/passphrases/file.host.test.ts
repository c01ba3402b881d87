import { describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPassphraseFile } from '../../../src/cli/passphrases/file.ts';
import { atEnd } from '../../support/cleanup.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/temp.ts';

const ROOT = 0;
/** Somebody who is not root, and somebody else. */
const [ALICE, MALLORY] = [1000, 1001];

function file(content: string | Uint8Array, mode = 0o600, owner = ALICE, folder = temporaryFolder()): string {
  const path = join(folder, 'passphrase');
  writeFileSync(path, content);
  chownSync(path, owner, owner);
  chmodSync(path, mode);
  return path;
}

describe('a passphrase file', () => {
  test.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\n\n', 'secret\n'],
    ['secret\r', 'secret\r'],
    [' se cret \n', ' se cret '],
    ['pä🐋ß\n', 'pä🐋ß'],
    ['\nsecret\n', '\nsecret'],
  ])('%j holds %j', (content, expected) => {
    expect(readPassphraseFile(file(content), ALICE).toString()).toBe(expected);
  });

  test('may hold any bytes', () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0xc3, 0x0a);
    expect([...readPassphraseFile(file(bytes), ALICE)]).toEqual([0xff, 0x00, 0xc3]);
  });

  test.each(['', '\n', '\r\n'])('that is empty is refused (%j)', (content) =>
    failure(() => readPassphraseFile(file(content), ALICE), 'passphrase-missing'),
  );

  test('that is not there is refused', async () => {
    const error = await failure(() => readPassphraseFile(join(temporaryFolder(), 'none'), ALICE), 'file-missing');
    expect(error.message).toEndWith('/none does not exist');
    await failure(() => readPassphraseFile(join(file('x'), 'below'), ALICE), 'file-missing');
  });

  test('that is a folder, a pipe or endless is refused', async () => {
    await failure(() => readPassphraseFile(temporaryFolder(), ROOT), 'file-unsafe');
    const pipe = join(temporaryFolder(), 'pipe');
    expect(Bun.spawnSync(['mkfifo', '-m', '600', pipe]).exitCode).toBe(0);
    await failure(() => readPassphraseFile(pipe, ROOT), 'file-unsafe');
    const large = file('');
    truncateSync(large, 1024 * 1024 + 1);
    await failure(() => readPassphraseFile(large, ALICE), 'too-large');
  });
});

describe('who else may read or write it', () => {
  type Case = readonly [what: string, mode: number, owner: number, user: number, may: boolean];
  const cases: readonly Case[] = [
    ['one’s own, private', 0o600, ALICE, ALICE, true],
    ['one’s own, read-only', 0o400, ALICE, ALICE, true],
    ['one’s own, for the group', 0o640, ALICE, ALICE, false],
    ['one’s own, for all', 0o604, ALICE, ALICE, false],
    ['one’s own, written by the group', 0o620, ALICE, ALICE, false],
    ['one’s own, run by all', 0o701, ALICE, ALICE, false],
    ['somebody else’s', 0o600, MALLORY, ALICE, false],
    ['somebody else’s, for all', 0o644, MALLORY, ALICE, false],
    ['root’s, given to the group', 0o440, ROOT, ALICE, true],
    ['root’s, given to all', 0o444, ROOT, ALICE, true],
    ['root’s, written by the group', 0o664, ROOT, ALICE, false],
    ['root’s, written by all', 0o602, ROOT, ALICE, false],
    ['root’s own, private', 0o600, ROOT, ROOT, true],
    ['root’s own, left open', 0o644, ROOT, ROOT, false],
    ['root’s own, left open to a group', 0o440, ROOT, ROOT, false],
    ['a user’s, read by root', 0o600, ALICE, ROOT, false],
  ];
  test.each(cases)('%s (%o, %d, %d)', async (_, mode, owner, user, may) => {
    const path = file('secret\n', mode, owner);
    if (may) expect(readPassphraseFile(path, user).toString()).toBe('secret');
    else await failure(() => readPassphraseFile(path, user), 'file-unsafe');
  });

  test('the next step makes it private', async () => {
    const path = file('secret', 0o644);
    const error = await failure(() => readPassphraseFile(path, ALICE), 'file-unsafe');
    expect([error.message, error.next]).toEqual([
      `the passphrase file ${path} can be read by others`,
      `Make it private first: chmod 600 ${path}`,
    ]);
  });

  test('links count as what they point to', async () => {
    const link = join(temporaryFolder(), 'link');
    symlinkSync(file('secret'), link);
    expect(readPassphraseFile(link, ALICE).toString()).toBe('secret');
    const open = join(temporaryFolder(), 'open');
    symlinkSync(file('secret', 0o644), open);
    await failure(() => readPassphraseFile(open, ALICE), 'file-unsafe');
  });

  test('a secret that a container engine mounts is for root too', async () => {
    const folder = `/run/secrets/signet-${process.pid}`;
    const made = mkdirSync(folder, { recursive: true });
    atEnd(() => rmSync(made ?? folder, { recursive: true, force: true }));
    expect(readPassphraseFile(file('secret', 0o444, ROOT, folder), ROOT).toString()).toBe('secret');
    const link = join(temporaryFolder(), 'link');
    symlinkSync(join(folder, 'passphrase'), link);
    expect(readPassphraseFile(link, ROOT).toString()).toBe('secret');
    await failure(() => readPassphraseFile(file('secret', 0o446, ROOT, folder), ROOT), 'file-unsafe');
    await failure(() => readPassphraseFile(file('secret', 0o444, ALICE, folder), ROOT), 'file-unsafe');
  });
});
