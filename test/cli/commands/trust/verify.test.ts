import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { VERIFY } from '../../../../src/cli/commands/trust/verify.ts';
import { temporaryFolder } from '../../../support/temp.ts';
import { calling } from '../../calling.ts';
import { empty, type FakeSession, NAME } from '../../fake-session.ts';
import { fails, says, told } from './transcript.ts';

const verify = calling(VERIFY);

const CONTENT = 'hello';
const hash = (algorithm: string, text = CONTENT) => createHash(algorithm).update(text).digest();
const wrongLength = (why: string) => fails(`data not present in the trusted collection, the content is ${why}`);

/** `right` is what CONTENT is; the others have one thing wrong. */
async function signed(): Promise<FakeSession> {
  const session = await empty();
  const [sha256, sha512] = [hash('sha256'), hash('sha512')];
  const hashes = new Map([['sha256', sha256]]);
  await (await session.repository()).publish((editor) => {
    editor.addTarget('targets', 'right', { length: 5, hashes: new Map([...hashes, ['sha512', sha512]]) });
    editor.addTarget('targets', 'other-length', { length: 6, hashes });
    editor.addTarget('targets', 'shorter', { length: 4, hashes });
    editor.addTarget('targets', 'other-sha512', {
      length: 5,
      hashes: new Map([...hashes, ['sha512', hash('sha512', 'hallo')]]),
    });
    editor.addTarget('targets', 'other-sha256', {
      length: 5,
      hashes: new Map([
        ['sha256', hash('sha256', 'hallo')],
        ['sha512', sha512],
      ]),
    });
  });
  session.stdin = CONTENT;
  return session;
}

const drafts = (folder: string) => readdirSync(folder).filter((name) => name.includes('.tmp'));

describe('verify', () => {
  test('passes on what is right, from standard input to standard output', async () => {
    expect(await told(await signed(), verify, [NAME, 'right'])).toEqual(says(CONTENT));
  });

  test('--quiet says nothing', async () => {
    expect(await told(await signed(), verify, ['--quiet', NAME, 'right'])).toEqual(says(''));
  });

  test('--input and --output: the file is made readable for its owner alone', async () => {
    const session = await signed();
    session.stdin = 'something else';
    const [input, output] = [session.file('in', CONTENT), join(temporaryFolder(), 'out')];
    expect(await told(session, verify, ['-i', input, '-o', output, NAME, 'right'])).toEqual(says(''));
    expect(readFileSync(output, 'utf8')).toBe(CONTENT);
    expect(statSync(output).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(output))).toEqual(['out']);
  });

  test.each([
    ['other-length', wrongLength('5 bytes long, expected 6')],
    ['shorter', wrongLength('longer than 4 bytes')],
    [
      'other-sha256',
      fails(
        `data not present in the trusted collection, sha256 checksum for the content did not match: expected ${hash('sha256', 'hallo').toString('hex')}`,
      ),
    ],
    [
      'other-sha512',
      fails(
        `data not present in the trusted collection, sha512 checksum for the content did not match: expected ${hash('sha512', 'hallo').toString('hex')}`,
      ),
    ],
    ['nobody', fails('No valid trust data for nobody')],
  ])('%s: not a byte is passed on', async (name, outcome) => {
    const session = await signed();
    const output = session.file('out', 'what was there before');
    expect(await told(session, verify, [NAME, name])).toEqual(outcome);
    expect(await told(session, verify, ['-q', NAME, name])).toEqual(outcome);
    expect(await told(session, verify, ['-o', output, NAME, name])).toEqual(outcome);
    expect(readFileSync(output, 'utf8')).toBe('what was there before');
    expect(drafts(dirname(output))).toEqual([]);
  });

  test('content without end is left as soon as it is too long', async () => {
    const session = await signed();
    let pieces = 0;
    session.input = async function* () {
      for (; ; pieces++) yield Buffer.from('hel');
    };
    expect(await told(session, verify, [NAME, 'right'])).toEqual(wrongLength('longer than 5 bytes'));
    expect(pieces).toBeLessThan(3);
  });

  test('no content at all', async () => {
    const session = await signed();
    session.stdin = '';
    expect(await told(session, verify, [NAME, 'right'])).toEqual(wrongLength('0 bytes long, expected 5'));
    expect(await told(session, verify, ['-i', '/nowhere', NAME, 'right'])).toEqual(
      fails('open /nowhere: no such file or directory'),
    );
    expect(await told(session, verify, ['-i', tmpdir(), NAME, 'right'])).toEqual(
      fails(`read ${tmpdir()}: is a directory`),
    );
  });

  test('--output is no way to replace a device, a folder or a link', async () => {
    const session = await signed();
    const folder = temporaryFolder();
    const [file, link] = [join(folder, 'file'), join(folder, 'link')];
    writeFileSync(file, 'old');
    symlinkSync(file, link);
    expect((await told(session, verify, ['-o', '/dev/null', NAME, 'right'])).stderr).toBe(
      '/dev/null is not a regular file\n',
    );
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect((await told(session, verify, ['-o', folder, NAME, 'right'])).stderr).toBe(
      `${folder} is not a regular file\n`,
    );
    expect(await told(session, verify, ['-o', link, NAME, 'right'])).toEqual(says(''));
    expect([readFileSync(file, 'utf8'), existsSync(link)]).toEqual([CONTENT, true]);
    expect((await told(session, verify, ['-o', join(folder, 'none/x'), NAME, 'right'])).stderr).toBe(
      `cannot write ${join(folder, 'none/x')}: there is no such file or folder (ENOENT)\n`,
    );
  });
});
