import { beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseCopies } from '../../../src/core/copy/copy-file.ts';
import { trustingClis } from '../../support/clis.ts';
import { fatal, Person, SHA256, succeeds } from '../../support/notary-client.ts';
import { type NotaryServer, startNotaryServer } from '../../support/notary-server.ts';
import { type Outcome, run } from '../../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../../support/signet-server.ts';

// A real notary-server is copied and goes dark; a mirror takes its place, for real clients of all kinds.

let old: NotaryServer;
let mirror: SignetServer;
let owner: Person;
let early: Person;
let gun: string;
const folder = () => join(owner.home, 'mirror');
const file = () => join(owner.home, 'app.copy');

/** Lets docker and signet, run as this person, trust a server's certificate. */
function trusts(person: Person, { host, authority }: { readonly host: string; readonly authority: string }): Person {
  const place = join(person.home, '.docker/tls', host, 'ca.crt');
  mkdirSync(dirname(place), { recursive: true });
  cpSync(authority, place);
  return person;
}

/** Runs signet as this person, with the mirror as trust server. */
function through(person: Person, ...words: readonly string[]): Promise<Outcome> {
  return person.run(['/usr/bin/env', `DOCKER_CONTENT_TRUST_SERVER=${mirror.origin}`, ...words]);
}

beforeAll(async () => {
  old = await startNotaryServer();
  gun = `${old.host}/alice/app`;
  owner = trusts(new Person(old), old);
  await succeeds(owner.notary('init', gun, '-p'));
  await succeeds(owner.add(gun, '1.0'));
  early = new Person(old);
  await succeeds(early.notary('list', gun));
  await succeeds(owner.notary('key', 'rotate', gun, 'snapshot', '-r'));
  await succeeds(owner.add(gun, '1.1'));
  await succeeds(owner.signet('trust', 'export', '--from', old.origin, '-o', file(), gun));
  await succeeds(owner.signet('trust', 'import', '--mirror', folder(), file()));
  await old.stop();
  mirror = await startSignet({ args: ['--auth', 'off', '--mirror', folder()] });
}, 60_000);

describe('a mirror of a notary-server that is gone', () => {
  test('has both roots, and no key that signs trust data', () => {
    const [copy] = parseCopies(readFileSync(file()));
    expect(copy?.roots.map(({ version }) => version)).toEqual([1, 2]);
    expect(existsSync(join(mirror.data, 'master.key'))).toBe(false);
    expect(mirror.log()).toMatch(/Mirror: {7}1 repository, read-only; no key signs anything here\n/);
    expect(mirror.log()).toContain(`${gun} can be used until `);
  });

  test("serves notary's client, one that is new and one that knows only the first root", async () => {
    const fresh = new Person(mirror);
    expect(await succeeds(fresh.notary('list', gun))).toContain(SHA256);
    cpSync(join(early.trust, 'tuf'), join(trusts(fresh, mirror).trust, 'tuf'), { recursive: true });
    expect(await succeeds(fresh.notary('list', gun))).toMatch(/1\.1 +abab/);
  });

  test('serves docker, every version that knows content trust', async () => {
    for (const { path } of await trustingClis()) {
      const person = trusts(new Person(mirror), mirror);
      const told = await succeeds(through(person, path, 'trust', 'inspect', gun));
      const [{ SignedTags: tags }] = JSON.parse(told);
      expect(tags.map(({ SignedTag, Digest }: Record<string, string>) => [SignedTag, Digest])).toEqual([
        ['1.0', SHA256],
        ['1.1', SHA256],
      ]);
    }
  });

  test('serves signet, which says that it is one and until when it can be used', async () => {
    const person = trusts(new Person(mirror), mirror);
    expect(await succeeds(through(person, ...signetCommand(), 'trust', 'list', gun))).toContain('1.1');
    const status = await succeeds(through(person, ...signetCommand(), 'trust', 'status', gun));
    expect(status).toMatch(
      new RegExp(
        `This server is a mirror of ${old.origin}, read at \\S+Z: clients can use it until \\S+Z, and it takes no changes\\.`,
      ),
    );
  });

  test('takes no changes, from the owner either', async () => {
    expect(await fatal(ownerAtMirror().add(gun, '1.2'))).toContain('unable to reach trust server at this time: 403.');
    const signet = await through(
      trusts(owner, mirror),
      ...signetCommand(),
      'trust',
      'add',
      '--sha256',
      SHA256,
      '--size',
      '5',
      gun,
      '1.2',
    );
    expect(signet.exitCode).toBe(1);
    expect(signet.stderr).toContain(`${mirror.host} takes no changes: This trust server is a mirror`);
    expect(await succeeds(new Person(mirror).notary('list', gun))).not.toContain('1.2');
  });

  test('is not started with a damaged copy, nor in a folder that has trust data of its own', async () => {
    const damaged = join(owner.home, 'damaged.copy');
    writeFileSync(damaged, readFileSync(file()).subarray(0, -1));
    const start = (...words: string[]) => run([...signetCommand(), 'serve', '--listen', 'localhost:0', ...words]);
    const refused = await start('--data', join(owner.home, 'data'), '--mirror', damaged);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`${damaged}: this is not a valid copy of trust data`);
    const own = await startSignet({ args: ['--auth', 'off'] });
    await succeeds(new Person(own).notary('init', `${own.host}/alice/own`, '-p'));
    await own.stop();
    const used = await start('--data', own.data, '--mirror', folder());
    expect(used.stderr).toContain('a mirror serves nothing but copies');
  });
});

/** The owner, with keys and cache, whose notary talks to the mirror. */
function ownerAtMirror(): Person {
  const person = new Person(mirror).takeKeysOf(owner);
  cpSync(join(owner.trust, 'tuf'), join(person.trust, 'tuf'), { recursive: true });
  return person;
}
