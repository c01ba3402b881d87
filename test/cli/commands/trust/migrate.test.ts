import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  describedOutcome,
  describeRun,
  progressLine,
  reportTable,
  summaryText,
} from '../../../../src/cli/commands/trust/migrate-report.ts';
import { repositoryNames } from '../../../../src/cli/commands/trust/repository-names.ts';
import { SignetError } from '../../../../src/core/errors/index.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import { type Gun, parseGun } from '../../../../src/core/names/gun.ts';
import type { KeyId } from '../../../../src/core/names/key-id.ts';
import type { Outcome } from '../../../../src/trust/migrate/migrate.ts';
import { failure } from '../../../support/failure.ts';
import { run } from '../../../support/run.ts';
import { signetCommand } from '../../../support/signet-server.ts';
import { temporaryFolder } from '../../../support/temp.ts';

const TO = { to: new URL('https://new.example.com') };
const parts = { root: 3, oldestRoot: 1, targets: 12, delegations: 2, expired: [] };
const key = 'ab'.repeat(32) as KeyId;

const named = (name: string) => parseGun(`registry.example.com/${name}`);
const outcomes = new Map<Gun, Outcome>([
  [named('moved'), { kind: 'moved', parts, timestamp: 107 }],
  [named('present'), { kind: 'present', parts: { ...parts, targets: 1, delegations: 0 }, timestamp: 9 }],
  [named('ready'), { kind: 'ready', parts: { ...parts, oldestRoot: 2, expired: ['targets'] }, newCertificates: true }],
  [named('none'), { kind: 'unsigned' }],
  [named('waits'), { kind: 'waiting', parts, missing: [key], needed: 1, draft: '/drafts/waits/proposal.json' }],
  [named('alone'), { kind: 'waiting', parts, missing: [key], needed: 1, draft: undefined }],
  [named('failed'), { kind: 'failed', error: new SignetError('network-unreachable', 'cannot reach it') }],
  [named('skipped'), { kind: 'skipped' }],
]);

describe('the report', () => {
  test('has a line for each repository, and what is left to do', () => {
    const lines = reportTable(outcomes).trimEnd().split('\n');
    expect(lines.map((line) => line.trimEnd())).toEqual([
      'REPOSITORY                     STATE      ROOT      DETAIL',
      'registry.example.com/moved     moved      3 -> 4    timestamp 107, 12 targets, 2 delegations',
      'registry.example.com/present   present    3         timestamp 9, 1 target',
      'registry.example.com/ready     ready      3 -> 4    12 targets, 2 delegations, followed from root 2 on, expired: targets, new root certificate',
      'registry.example.com/none      unsigned             the old server has no trust data of it',
      `registry.example.com/waits     waiting    3 -> 4    1 of these must sign: ${key}; draft: /drafts/waits/proposal.json`,
      `registry.example.com/alone     waiting    3 -> 4    1 of these must sign: ${key}`,
      'registry.example.com/failed    failed               cannot reach it',
      'registry.example.com/skipped   skipped',
    ]);
    const [summary, ...steps] = summaryText(outcomes, TO, false).trimEnd().split('\n');
    expect(summary).toBe(
      '8 repositories: 1 moved, 1 there already, 1 ready to move, 1 without trust data, 2 waiting for signatures, 1 failed, 1 not begun.',
    );
    expect(steps).toEqual([
      'Pass the folder of drafts on to the holders of the other root keys, who run the same command with: --drafts FOLDER',
      'Run the command where a root key is. Each holder of one runs it in turn, with the same folder of drafts: --drafts FOLDER',
      'Check the address and the network, then try again.',
    ]);
  });

  test('says that clients can be pointed at the new server when all is there, and not before', () => {
    const done = new Map([...outcomes].slice(0, 2));
    expect(summaryText(done, TO, false).split('\n').slice(1)).toEqual([
      'Now point clients at https://new.example.com: DOCKER_CONTENT_TRUST_SERVER for docker, -s for notary, "trustServer" in signet.json for signet.',
      'They need its CA, tls/ca.crt in its data folder: as ~/.docker/tls/new.example.com/ca.crt, or for notary as --tlscacert.',
      'They need an account there, unless it is started with --public-pull PATTERN, or with --auth off as an open Notary was.',
      'What is published on the old server from here on is not moved.',
      '',
    ]);
    expect(summaryText(done, TO, true)).not.toContain('Now point clients');
    expect(summaryText(outcomes, TO, false)).not.toContain('Now point clients');
    expect(describeRun(done, undefined)).toBe(0);
  });

  test('ends with an error that counts what did not move, or with what stopped all', () => {
    const error = (work: () => unknown) => {
      try {
        work();
      } catch (thrown) {
        return thrown as SignetError;
      }
      throw new Error('nothing was thrown');
    };
    const left = error(() => describeRun(outcomes, undefined));
    expect([left?.code, left?.message]).toEqual(['migration-incomplete', '4 of 8 repositories did not move']);
    expect(left?.detail.repositories).toEqual(['waits', 'alone', 'failed', 'skipped'].map(named));
    const stopped = new SignetError('key-passphrase-wrong', 'could not decrypt');
    expect(error(() => describeRun(outcomes, stopped))).toBe(stopped);
  });

  test('is one object for each repository as JSON', () => {
    const described = JSON.parse(JSON.stringify([...outcomes].map(describedOutcome)));
    expect(described[0]).toEqual({ repository: named('moved'), state: 'moved', ...parts, timestamp: 107 });
    expect(described[4]).toMatchObject({
      state: 'waiting',
      missing: [key],
      needed: 1,
      draft: '/drafts/waits/proposal.json',
    });
    expect(described[5]).toMatchObject({ draft: null });
    expect(described[6]).toEqual({
      ...{ repository: named('failed'), state: 'failed' },
      error: {
        ...{ code: 'network-unreachable', message: 'cannot reach it', missing: [] },
        next: 'Check the address and the network, then try again.',
      },
    });
    expect(described[7]).toEqual({ repository: named('skipped'), state: 'skipped' });
  });

  test('tells of each as soon as it is known', () => {
    const failed = outcomes.get(named('failed')) as Outcome;
    expect(progressLine(3, 8, named('failed'), failed)).toBe(
      '3/8 failed registry.example.com/failed: cannot reach it\n',
    );
  });
});

describe('names of repositories', () => {
  const none = { input: async function* () {} };

  test('come from a file, without blank lines and comments', async () => {
    const path = join(temporaryFolder(), 'names');
    writeFileSync(path, '\n# ours\nalice/app\r\n  registry.example.com/b  \n\n');
    expect(await repositoryNames(none, path)).toEqual(['alice/app', 'registry.example.com/b']);
  });

  test('or from standard input', async () => {
    const input = async function* () {
      yield Buffer.from('one\ntw');
      yield Buffer.from('o\n');
    };
    expect(await repositoryNames({ input }, '-')).toEqual(['one', 'two']);
  });

  test('of which there may not be too many', async () => {
    const input = async function* () {
      for (;;) yield Buffer.alloc(1024 * 1024, 0x61);
    };
    await failure(repositoryNames({ input }, '-'), 'too-large');
    const path = join(temporaryFolder(), 'names');
    writeFileSync(path, Buffer.alloc(LIMITS.configFile + 1, 0x61));
    await failure(repositoryNames(none, path), 'too-large');
    await failure(repositoryNames(none, join(temporaryFolder(), 'none')), 'file-missing');
  });
});

test.each([
  ['say which trust server to move from: --from URL', ['new.example.com', 'a/b']],
  [
    'say what to move: names of repositories after SERVER, --file, --cached or --all',
    ['--from', 'old.example.com', 'new.example.com'],
  ],
  ['the old and the new trust server are the same', ['--from', 'https://a.example.com/', 'a.example.com', 'a/b']],
  ['there is no repository to move', ['--from', 'old.example.com', 'new.example.com', '--cached']],
  [
    'valid https URL required for trust server, got http://old.example.com',
    ['--from', 'http://old.example.com', 'new.example.com', 'a/b'],
  ],
  [
    '"registry.example.com/team/app" is a repository, and stands where the new trust server belongs\n',
    ['--from', 'old.example.com', '--dry-run', 'registry.example.com/team/app'],
  ],
  ['there is no folder /no/such/folder', ['-d', '/no/such/folder', '--from', 'a.example.com', 'b.example.com', 'a/b']],
])('a command line is refused: %s', async (message, words) => {
  const home = temporaryFolder();
  const { exitCode, stderr, stdout } = await run([...signetCommand(), 'trust', 'migrate', ...words], {
    env: { PATH: process.env.PATH ?? '', HOME: home },
  });
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(stderr).toStartWith(message);
});

test('names that are none fail, each with its reason, and whatever else is named goes on', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'names'), 'registry.example.com/Ünïcode app\nregistry.example.com/a//b\n');
  const words = ['--from', 'localhost:1', '-d', folder, 'localhost:2', '../x', '-f', join(folder, 'names')];
  const { exitCode, stdout, stderr } = await signet('migrate', '--json', ...words);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject(
    [
      ['../x', '".." cannot be a part of it'],
      ['registry.example.com/Ünïcode app', 'the character "Ü" cannot be in it'],
      ['registry.example.com/a//b', 'a part between its slashes is empty'],
    ].map(([repository, why]) => ({
      ...{ repository, state: 'failed' },
      error: { code: 'name-invalid', message: `invalid repository name: ${why}` },
    })),
  );
  expect(stderr).toContain('1/3 failed ../x: invalid repository name: ".." cannot be a part of it\n');
});

test.each<readonly string[]>([
  ['migrate', '--from', 'localhost:1', '--dry-run', 'localhost:2'],
  ['export', '-o', 'out'],
])('%s --cached leaves out no repository, whatever its name', async (...words) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'tuf/registry.example.com/Team/Ünïcode app/metadata'), { recursive: true });
  writeFileSync(join(folder, 'tuf/registry.example.com/Team/Ünïcode app/metadata/root.json'), '{}');
  const [name = '', ...flags] = words as readonly string[];
  const { exitCode, stderr } = await signet(name, '--cached', '-d', folder, ...flags);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(
    'registry.example.com/Team/Ünïcode app: invalid repository name: the character "Ü" cannot be in it\n',
  );
});

test.each([
  ['--tlscacert', 'nope.crt'],
  ['--server', 'https://x.example.com'],
])('%s without --trust-dir is refused, not ignored', async (flag, value) => {
  const { exitCode, stdout, stderr } = await signet('list', flag, value, 'registry.example.com/team/app');
  expect([exitCode, stdout]).toEqual([125, '']);
  expect(stderr).toStartWith(`${flag} is for the folder that --trust-dir names\n`);
});

function signet(...words: readonly string[]) {
  const home = temporaryFolder();
  return run([...signetCommand(), 'trust', ...words], { env: { PATH: process.env.PATH ?? '', HOME: home } });
}

test.each([
  [
    '--registry is for --all',
    ['migrate', '--from', 'a.example.com', '--registry', 'r.example.com', 'b.example.com', 'r/x'],
  ],
  ['--mirror names the place, and so does --trust-dir', ['import', '--mirror', 'm', '-d', 'n', 'x.copy']],
])('%s: nothing is read past', async (message, words) => {
  const { exitCode, stdout, stderr } = await signet(...words);
  expect([exitCode, stdout]).toEqual([125, '']);
  expect(stderr).toStartWith(message);
});

test('the help says what SERVER is, with an example, and what the exit codes mean', async () => {
  const { exitCode, stdout } = await signet('migrate', '--help');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('SERVER is the new trust server, a running "signet serve", by address or host.');
  expect(stdout).toContain('https://trust.example.com:5000 registry.example.com/team/app');
  expect(stdout).toContain('with 1 if anything is left to do, with 125 for\na wrong option, and with 130 after Ctrl-C');
});
