import { beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustingClis } from '../support/clis.ts';
import { type Login, Person, SHA256, succeeds, type TrustService } from '../support/notary-client.ts';
import { startNotaryServer } from '../support/notary-server.ts';
import { accessHeaders, published } from '../support/published.ts';
import { startSignet } from '../support/signet-server.ts';
import { someManifest } from './malicious/images.ts';

// Several people who must agree, with docker as the reader: it counts signatures, and knows nothing of proposals.

const LIMIT = 60_000;
const ALICE = { name: 'alice', password: 'what alice has chosen' };
const BOB = { name: 'bob', password: 'what bob has chosen' };

let docker: string;
beforeAll(async () => {
  docker = (await trustingClis()).at(-1)?.path ?? '';
});

interface Team {
  readonly gun: string;
  readonly alice: Person;
  readonly bob: Person;
  /** The tags that docker sees, with those who signed them. */
  tags(): Promise<Readonly<Record<string, readonly string[]>>>;
  /** Why docker would not pull a tag; it asks the trust server before it asks the engine, which is none here. */
  refusal(tag: string): Promise<string>;
  rootVersion(): Promise<number | undefined>;
}

/** Somebody with an own home, in which docker and signet trust the server's certificate. */
async function person(service: TrustService, login?: Login): Promise<Person> {
  const someone = new Person(service, login === undefined ? {} : { login });
  const tls = join(someone.home, '.docker/tls', service.host);
  mkdirSync(tls, { recursive: true });
  copyFileSync(service.authority, join(tls, 'ca.crt'));
  return login === undefined ? someone : someone.loggedIn();
}

/** A repository of Alice's with the signers alice and bob, both of whom must sign what is released. */
async function team(service: TrustService, repository: string, logins: readonly [Login?, Login?] = []): Promise<Team> {
  const gun = `${service.host}/alice/${repository}`;
  const [alice, bob] = [await person(service, logins[0]), await person(service, logins[1])];
  const reader = await person(service, logins[0]);
  await succeeds(alice.signet('trust', 'key', 'generate', 'alice'));
  await succeeds(bob.signet('trust', 'key', 'generate', 'bob'));
  copyFileSync(join(bob.home, 'bob.pub'), join(alice.home, 'bob.pub'));
  await succeeds(alice.signet('trust', 'init', gun));
  for (const name of ['alice', 'bob']) {
    await succeeds(alice.signet('trust', 'signer', 'add', '--key', `${name}.pub`, name, gun));
  }
  await succeeds(alice.signet('trust', 'role', '--threshold', '2', gun, 'targets/releases'));
  const tags = async () => {
    const [image] = JSON.parse(await succeeds(reader.run([docker, 'trust', 'inspect', gun])));
    return Object.fromEntries(
      image.SignedTags.map(({ SignedTag, Signers }: { SignedTag: string; Signers: string[] }) => [SignedTag, Signers]),
    );
  };
  const refusal = async (tag: string) => {
    const variables = ['DOCKER_CONTENT_TRUST=1', 'DOCKER_HOST=unix:///nowhere/docker.sock'];
    const { exitCode, stderr } = await reader.run(['env', ...variables, docker, 'pull', `${gun}:${tag}`]);
    expect(exitCode).not.toBe(0);
    return stderr.trim();
  };
  const rootVersion = async () => (await published(service, gun, logins[0]))?.versions.root;
  return { gun, alice, bob, tags, refusal, rootVersion };
}

const NO_ENGINE = expect.stringContaining('/nowhere/docker.sock');
const NOT_SIGNED = /^(Error: remote trust data does not exist|No valid trust data for )/;

describe('with signet serve', () => {
  let service: Awaited<ReturnType<typeof startSignet>>;
  beforeAll(async () => {
    service = await startSignet();
    for (const { name, password } of [ALICE, BOB]) await service.addUser(name, password);
    await service.grant('bob', 'alice/*', 'push');
  }, LIMIT);

  const pushManifest = async (name: string, tag: string) => {
    const { bytes, type } = someManifest(tag);
    const headers = { ...(await accessHeaders(service, name, ALICE, 'pull,push')), 'content-type': type };
    const url = `${service.origin}/v2/${name}/manifests/${tag}`;
    const tls = { ca: Bun.file(service.authority) };
    const { status } = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes), tls });
    expect(status).toBe(201);
  };

  test('a tag is released when the second signer has signed it too', async () => {
    const { gun, alice, bob, tags, refusal } = await team(service, 'app', [ALICE, BOB]);
    for (const tag of ['v1', 'v2']) await pushManifest('alice/app', tag);

    const first = await alice.signet('trust', 'sign', '--remote', `${gun}:v1`);
    expect(first.exitCode).toBe(1);
    expect(first.stderr).toContain('signed, but not in force yet: targets/releases has 1 of 2 signatures\n');
    expect(await tags()).toEqual({});
    expect(await refusal('v1')).toMatch(NOT_SIGNED);

    // Bob signs the same, and what Alice has proposed is not signed by the way.
    const second = await bob.signet('trust', 'sign', '--remote', `${gun}:v1`);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(`a change of ${gun} that others have signed waits already`);
    expect(await tags()).toEqual({});
    expect(await succeeds(bob.signet('trust', 'approve', '--yes', gun))).toContain('    + version 1\n    + expires ');
    expect(await tags()).toEqual({ v1: ['alice'] });
    expect(await refusal('v1')).toEqual(NO_ENGINE);
    const inspected = JSON.parse(await succeeds(bob.signet('trust', 'inspect', gun)));
    expect(inspected[0].SignedTags[0].Signers.toSorted()).toEqual(['alice', 'bob']);

    expect((await alice.signet('trust', 'sign', '--remote', `${gun}:v2`)).exitCode).toBe(1);
    expect(await succeeds(bob.signet('trust', 'status', gun))).toContain('+ v2 sha256:');
    expect(await tags()).toEqual({ v1: ['alice'] });
    await succeeds(bob.signet('trust', 'approve', '--yes', gun));
    // Bob approved the release; into his own role he has signed nothing.
    expect(await tags()).toEqual({ v1: ['alice'], v2: ['alice'] });
    expect(await refusal('v2')).toEqual(NO_ENGINE);
  }, 120_000);

  test('two root keys: neither changes the root alone, and docker reads every root on the way', async () => {
    const { gun, alice, bob, tags, rootVersion } = await team(service, 'rooted', [ALICE, BOB]);
    await succeeds(bob.signet('trust', 'key', 'certificate', '--new', '--output', 'bob-root.crt', gun));
    copyFileSync(join(bob.home, 'bob-root.crt'), join(alice.home, 'bob-root.crt'));
    const added = await alice.signet('trust', 'role', '--add-key', 'bob-root.crt', '--threshold', '2', gun, 'root');
    expect(added.exitCode).toBe(1);
    expect(added.stdout).toContain('  root, as the new root: 1 of 2, ');
    expect(await rootVersion()).toBe(1);
    expect(await tags()).toEqual({});
    await succeeds(bob.signet('trust', 'approve', '--yes', gun));
    expect(await rootVersion()).toBe(2);
    expect(await tags()).toEqual({});

    const rotated = await alice.signet('trust', 'key', 'rotate', '--yes', gun, 'snapshot', '--server-managed');
    expect(rotated.stdout + rotated.stderr).toMatch(/not in force yet/);
    expect(await rootVersion()).toBe(2);
    await succeeds(bob.signet('trust', 'approve', '--yes', gun));
    expect(await rootVersion()).toBe(3);
    expect(await tags()).toEqual({});
  }, 120_000);
});

test('with notary-server, the proposal is a file that is passed on', async () => {
  const service = await startNotaryServer();
  const { gun, alice, bob, tags, refusal } = await team(service, 'app');
  const release = ['--role', 'targets/releases', '--sha256', SHA256, '--size', '5', gun, 'v1'];
  const { stdout: said, exitCode } = await alice.signet('trust', 'add', ...release);
  expect(exitCode).toBe(1);
  const file = /^The trust server keeps no proposals\. Pass this file on: (.*)$/m.exec(said)?.[1] ?? '';
  expect(readFileSync(file, 'utf8')).toStartWith('{"format":"signet-proposal-1"');
  expect(await tags()).toEqual({});
  expect(await refusal('v1')).toMatch(NOT_SIGNED);
  expect(await succeeds(bob.signet('trust', 'approve', '--yes', gun))).toBe(
    `Nothing waits for signatures in ${gun}.\n`,
  );

  copyFileSync(file, join(bob.home, 'passed-on.json'));
  await succeeds(bob.signet('trust', 'approve', '--yes', '--file', 'passed-on.json', gun));
  expect(await tags()).toEqual({ v1: ['Repo Admin'] });
  expect(await refusal('v1')).toEqual(NO_ENGINE);

  // Alice's file was overtaken by what it proposed.
  const left = await alice.signet('trust', 'approve', '--yes', gun);
  expect(left).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('has been published anew') });
  await succeeds(alice.signet('trust', 'discard', '--yes', gun));
  expect(existsSync(file)).toBe(false);
}, 120_000);
