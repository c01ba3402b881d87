import { beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Person, succeeds } from '../support/notary-client.ts';
import { accessHeaders } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { someManifest } from './malicious/images.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const LIMIT = 170_000;

let server: SignetServer;
beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

async function push(name: string, tag: string): Promise<void> {
  const { bytes, type } = someManifest(tag);
  const headers = {
    ...(await accessHeaders(server, name, ALICE, 'pull,push')),
    'content-type': type,
  };
  const response = await fetch(`${server.origin}/v2/${name}/manifests/${tag}`, {
    method: 'PUT',
    headers,
    body: new Uint8Array(bytes),
    tls: { ca: Bun.file(server.authority) },
  });
  expect(response.status).toBe(201);
}

const roles = ({ trust }: Person) =>
  readdirSync(join(trust, 'private'))
    .filter((name) => name.endsWith('.key'))
    .map((name) => /^role: (.*)$/m.exec(readFileSync(join(trust, 'private', name), 'utf8'))?.[1])
    .sort();

async function tags(person: Person, gun: string): Promise<string[]> {
  const [image] = JSON.parse(await succeeds(person.signet('trust', 'inspect', gun)));
  return image.SignedTags.map(({ SignedTag }: { SignedTag: string }) => SignedTag).sort();
}

test(
  'twelve commands that sign in one repository at once all succeed',
  async () => {
    const alice = await new Person(server, { login: ALICE }).loggedIn();
    const gun = `${server.host}/alice/twelve`;
    const names = Array.from({ length: 12 }, (_, at) => `v${10 + at}`);
    for (const tag of ['v1', ...names]) await push('alice/twelve', tag);
    await succeeds(alice.signet('trust', 'sign', '--init', '--remote', `${gun}:v1`));
    const outcomes = await Promise.all(names.map((tag) => alice.signet('trust', 'sign', '--remote', `${gun}:${tag}`)));
    expect(outcomes.map(({ exitCode, stderr }) => (exitCode === 0 ? 0 : stderr))).toEqual(names.map(() => 0));
    expect(await tags(alice, gun)).toEqual(['v1', ...names]);
  },
  LIMIT,
);

test(
  'two first signs at once leave one root key, and both have signed',
  async () => {
    const alice = await new Person(server, { login: ALICE }).loggedIn();
    const gun = `${server.host}/alice/first`;
    for (const tag of ['v1', 'v2']) await push('alice/first', tag);
    const outcomes = await Promise.all(
      ['v1', 'v2'].map((tag) => alice.signet('trust', 'sign', '--init', '--remote', `${gun}:${tag}`)),
    );
    expect(outcomes.map(({ exitCode, stderr }) => (exitCode === 0 ? 0 : stderr))).toEqual([0, 0]);
    expect(roles(alice)).toEqual(['alice', 'root', 'targets']);
    expect(await tags(alice, gun)).toEqual(['v1', 'v2']);
    expect(readdirSync(alice.trust)).not.toContain('founding.lock');
  },
  LIMIT,
);
