import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatCopies, parseCopies } from '../../../../src/core/copy/copy-file.ts';
import { Person, SHA256, succeeds } from '../../../support/notary-client.ts';
import { type SignetServer, signetCommand, startSignet } from '../../../support/signet-server.ts';
import { temporaryFolder } from '../../../support/temp.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };

let server: SignetServer;
let alice: Person;
let folder: string;
const gun = (name: string) => `${server.host}/alice/${name}`;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = temporaryFolder();
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
  alice = await new Person(server, { login: ALICE }).loggedIn();
  for (const name of ['app', 'lib']) {
    await succeeds(alice.signet('trust', 'init', gun(name)));
    await sign(name, '1.0');
  }
}, 60_000);

function sign(name: string, tag: string): Promise<string> {
  return succeeds(alice.signet('trust', 'add', '--sha256', SHA256, '--size', '528', gun(name), tag));
}

describe('export', () => {
  test('several repositories: one file, which no one else may read, and the same again', async () => {
    const { exitCode, stdout, stderr } = await alice.signet(
      'trust',
      'export',
      '-o',
      file('both'),
      gun('lib'),
      gun('app'),
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `^${gun('lib')}: 1 root; clients can use it until [-0-9]{10}\n${gun('app')}: .*\nExported 2 repositories to ${file('both')}\n$`,
      ),
    );
    const bytes = readFileSync(file('both'));
    const copies = parseCopies(bytes);
    expect(copies.map((copy) => [copy.gun as string, copy.server?.href])).toEqual(
      ['app', 'lib'].map((name) => [gun(name), `${server.origin}/`]),
    );
    const piped = await alice.signet('trust', 'export', gun('lib'), gun('app'));
    const again = parseCopies(Buffer.from(piped.stdout, 'latin1'));
    expect(again.map(({ files }) => files)).toEqual(copies.map(({ files }) => files));
  });

  test('one that is not there: nothing is written, and the file of before stays; with --partial the rest is', async () => {
    writeFileSync(file('before'), 'as it was');
    const words = ['trust', 'export', '-o', file('before'), gun('app'), gun('none')];
    const refused = await alice.signet(...words);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`${gun('none')}: ${server.host} does not have trust data for ${gun('none')}\n`);
    expect(refused.stderr).toContain(`nothing is written, as these could not be read: ${gun('none')}`);
    expect(readFileSync(file('before'), 'utf8')).toBe('as it was');
    const kept = await alice.signet(...words, '--partial');
    expect([kept.exitCode, readFileSync(file('before'), 'utf8')]).toEqual([1, 'as it was']);
    expect(kept.stderr).toContain(`${file('before')} would lose what it has: something else than trust data`);
    const partial = await alice.signet(...words, '--partial', '--force');
    expect(partial.exitCode).toBe(1);
    expect(parseCopies(readFileSync(file('before'))).map((copy) => copy.gun as string)).toEqual([gun('app')]);
  });

  test('--cached: all that is cached, without a server', async () => {
    const { exitCode } = await alice.signet('trust', 'export', '--cached', '-o', file('cached'));
    expect(exitCode).toBe(0);
    const copies = parseCopies(readFileSync(file('cached')));
    expect(copies.map((copy) => [copy.gun as string, copy.server])).toEqual(
      ['app', 'lib'].map((name) => [gun(name), undefined]),
    );
    const nobody = await new Person(server).signet('trust', 'export', '--cached', '-o', file('nothing'));
    expect(nobody.stderr).toContain('nothing is cached in ');
    expect(existsSync(file('nothing'))).toBe(false);
  });

  test('a file that has other repositories is replaced only if that is said', async () => {
    await succeeds(alice.signet('trust', 'export', '-o', file('kept'), gun('app'), gun('lib')));
    const before = readFileSync(file('kept'));
    const refused = await alice.signet('trust', 'export', '-o', file('kept'), gun('app'));
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`${file('kept')} would lose what it has: ${gun('lib')}\n`);
    expect(readFileSync(file('kept')).equals(before)).toBe(true);
    await succeeds(alice.signet('trust', 'export', '-o', file('kept'), gun('app'), gun('lib')));
    await succeeds(alice.signet('trust', 'export', '--force', '-o', file('kept'), gun('app')));
    expect(parseCopies(readFileSync(file('kept'))).map((copy) => copy.gun as string)).toEqual([gun('app')]);
  });

  test('a folder that is not there is not made', async () => {
    const { exitCode, stderr } = await alice.signet('trust', 'export', '-o', file('none/x'), gun('app'));
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith(`there is no folder ${file('none')} to write x into\n`);
    expect(existsSync(file('none'))).toBe(false);
  });

  test('--from takes a host as it takes an address', async () => {
    await succeeds(alice.signet('trust', 'export', '-o', file('host'), '--from', server.host, gun('app')));
    expect(parseCopies(readFileSync(file('host'))).map((copy) => copy.server?.href)).toEqual([`${server.origin}/`]);
  });

  test('words that make no sense', async () => {
    expect((await alice.signet('trust', 'export')).stderr).toContain('no repository is named');
    const both = await alice.signet('trust', 'export', '--cached', '--from', server.origin, gun('app'));
    expect(both.stderr).toContain('only one of them can be given');
    const http = await alice.signet('trust', 'export', '--from', 'http://localhost', gun('app'));
    expect(http.stderr).toContain('valid https URL required for trust server');
  });
});

describe('import', () => {
  test('without a server: what was imported is read, and nothing else', async () => {
    await succeeds(alice.signet('trust', 'export', '-o', file('app'), gun('app')));
    const carol = new Person({ ...server, origin: 'https://localhost:1', host: 'localhost:1' });
    writeFileSync(file('other'), readFileSync(file('app')));
    expect(await succeeds(carol.signet('trust', 'import', file('app')))).toMatch(
      new RegExp(`^${gun('app')}: imported; without a server it can be used until [-0-9]{10}\n$`),
    );
    const env = { DOCKER_CONTENT_TRUST_SERVER: 'https://localhost:1' };
    const offline = (...words: string[]) =>
      carol.run(['/usr/bin/env', ...Object.entries(env).map((pair) => pair.join('=')), ...signetCommand(), ...words]);
    expect((await offline('trust', 'list', gun('app'))).stdout).toContain(SHA256);
    expect((await offline('trust', 'list', gun('lib'))).exitCode).toBe(1);
  });

  test('of older trust data than is cached is refused', async () => {
    await sign('app', '1.1');
    await succeeds(alice.signet('trust', 'list', gun('app')));
    const { exitCode, stderr } = await alice.signet('trust', 'import', file('app'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/the file is older than what is here: it has version \d+ of \w+, and here is \d+\n/);
    expect(stderr).toContain('Export it again from the trust server');
    expect(stderr).not.toContain('operator');
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut off', (bytes) => bytes.subarray(0, -10)],
    ['changed', (bytes) => Buffer.from(bytes.toString('latin1').replace('528', '529'), 'latin1')],
    [
      'of another name',
      (bytes) => formatCopies(parseCopies(bytes).map((copy) => ({ ...copy, gun: gun('other') as never }))),
    ],
  ])('of a file that is %s writes nothing', async (_, damage) => {
    writeFileSync(file('damaged'), damage(readFileSync(file('app'))));
    const carol = new Person(server);
    const [cache, mirror] = [join(carol.home, '.docker'), join(carol.home, 'mirror')];
    for (const words of [[], ['--mirror', mirror]]) {
      const { exitCode, stderr } = await carol.signet('trust', 'import', ...words, file('damaged'));
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/is not a valid copy of trust data|is not to be trusted/);
    }
    expect([existsSync(join(cache, 'trust')), existsSync(mirror)]).toEqual([false, false]);
  });

  test('--mirror: a file of each repository, which older ones do not replace', async () => {
    await succeeds(alice.signet('trust', 'export', '-o', file('new'), gun('app'), gun('lib')));
    const mirror = join(alice.home, 'mirror');
    const told = await succeeds(alice.signet('trust', 'import', '--mirror', mirror, file('new')));
    expect(told).toContain(`${gun('app')}: in the mirror; clients can use it until `);
    expect(readdirSync(mirror, { recursive: true }).map(String).sort()).toEqual(
      [server.host, `${server.host}/alice`, `${server.host}/alice/app.copy`, `${server.host}/alice/lib.copy`].sort(),
    );
    const before = readFileSync(join(mirror, `${gun('app')}.copy`));
    const { exitCode } = await alice.signet('trust', 'import', '--mirror', mirror, file('app'));
    expect(exitCode).toBe(1);
    expect(readFileSync(join(mirror, `${gun('app')}.copy`)).equals(before)).toBe(true);
  });
});
