import { beforeAll, describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Person, succeeds } from '../support/notary-client.ts';
import { type NotaryServer, startNotaryServer } from '../support/notary-server.ts';
import { type Published, published } from '../support/published.ts';
import { type Outcome, run, runInTerminal } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const PASSPHRASES = { root: 'the root of what is signed here', other: 'and what is signed with' };
const OTHER_PASSPHRASES = { root: 'another root', other: 'what comes after it' };

let signetServer: SignetServer;
let notaryServer: NotaryServer;

beforeAll(async () => {
  [signetServer, notaryServer] = await Promise.all([startSignet(), startNotaryServer()]);
  await signetServer.addUser(ALICE.name, ALICE.password);
}, 60_000);

/** One folder, in which notary and signet have the same keys. */
class Owner extends Person {
  /** Runs a key command of signet in the folder that notary has as well, with notary's own options. */
  key(...words: readonly string[]): Promise<Outcome> {
    const { origin, authority } = this.service;
    const place = ['-d', this.trust, '-s', origin, '--tlscacert', authority];
    return this.signet('trust', 'key', words[0] ?? '', ...place, ...words.slice(1));
  }

  /** Key IDs by role as the file's names and headers have them. */
  get keys(): ReadonlyMap<string, readonly string[]> {
    const folder = join(this.trust, 'private');
    const found = new Map<string, string[]>();
    for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
      const [, role = ''] = /^role: (.*)$/m.exec(readFileSync(join(folder, name), 'utf8')) ?? [];
      found.set(role, [...(found.get(role) ?? []), name.replace('.key', '')]);
    }
    return found;
  }

  keyOf(role: string): string {
    const [id, another] = this.keys.get(role) ?? [];
    if (id === undefined || another !== undefined) throw new Error(`not one key for ${role}`);
    return id;
  }
}

type Service = SignetServer | NotaryServer;

function someone(service: Service = signetServer, passphrases = PASSPHRASES): Owner {
  const login = service === signetServer ? { login: ALICE } : {};
  return new Owner(service, { ...login, passphrases });
}

function gunOf(service: Service, name: string): string {
  return `${service.host}/alice/${name}`;
}

/** Somebody with a repository that notary has made; the snapshot's key is here too. */
async function owner(name: string, service: Service = signetServer): Promise<{ alice: Owner; gun: string }> {
  const [alice, gun] = [someone(service), gunOf(service, name)];
  await succeeds(alice.notary('init', gun, '-p'));
  return { alice, gun };
}

async function onServer(service: Service, gun: string): Promise<Published> {
  const found = await published(service, gun, service === signetServer ? ALICE : undefined);
  if (found === undefined) throw new Error(`${gun} is not published`);
  return found;
}

async function names(person: Person, gun: string): Promise<string[]> {
  const [, , ...rows] = (await succeeds(person.notary('list', gun))).trimEnd().split('\n');
  return rows.map((row) => row.split(' ')[0] ?? '');
}

describe('the same keys', () => {
  test('are listed by both', async () => {
    const { alice } = await owner('listed');
    await succeeds(alice.signet('trust', 'key', 'generate', 'bob'));
    const ids = (text: string) => text.match(/\b[0-9a-f]{64}\b/g) ?? [];
    const [ours, theirs] = [await succeeds(alice.key('list')), await succeeds(alice.notary('key', 'list'))];
    expect(ids(ours)).toHaveLength(4);
    expect(ids(ours)).toEqual(ids(theirs));
    expect(await succeeds(alice.signet('trust', 'key', 'list'))).toBe(ours);
    expect(await succeeds(alice.key('list', '--quiet'))).toBe(
      ids(theirs)
        .map((id) => `${id}\n`)
        .join(''),
    );
  });

  test('are exported by both, to the byte', async () => {
    const { alice, gun } = await owner('exported');
    await succeeds(alice.notary('init', `${gun}-other`, '-p'));
    await succeeds(alice.signet('trust', 'key', 'generate', 'bob'));
    const [root, bob] = [alice.keyOf('root'), alice.keyOf('bob')];
    for (const filter of [[], ['--gun', gun], ['--key', root], ['--key', root, '--key', bob]]) {
      const theirs = await succeeds(alice.notary('key', 'export', ...filter));
      expect(theirs.match(/^path: /gm)?.length).toBeGreaterThan(0);
      expect(await succeeds(alice.key('export', ...filter))).toBe(theirs);
    }
    const both = await succeeds(alice.key('export', '--gun', gun, '--gun', `${gun}-other`));
    expect(both.match(/^path: /gm)).toHaveLength(4);
  });

  test('move to another machine either way, and publish there', async () => {
    const { alice, gun } = await owner('moved');
    const [byNotary, bySignet] = [someone(), someone()];
    await succeeds(alice.key('export', '-o', 'signet.pem'));
    await succeeds(alice.notary('key', 'export', '-o', 'notary.pem'));
    copyFileSync(join(alice.home, 'signet.pem'), join(byNotary.home, 'keys.pem'));
    copyFileSync(join(alice.home, 'notary.pem'), join(bySignet.home, 'keys.pem'));
    expect(await succeeds(byNotary.notary('key', 'import', 'keys.pem'))).toBe('');
    expect((await succeeds(bySignet.key('import', 'keys.pem'))).match(/^Imported the /gm)).toHaveLength(3);
    expect(byNotary.keys).toEqual(alice.keys);
    expect(bySignet.keys).toEqual(alice.keys);
    const file = (person: Owner, id: string) => readFileSync(join(person.trust, 'private', `${id}.key`), 'utf8');
    for (const id of [...alice.keys.values()].flat()) expect(file(bySignet, id)).toBe(file(alice, id));
    await succeeds(byNotary.add(gun, 'one'));
    await succeeds(bySignet.add(gun, 'two'));
    await succeeds(bySignet.key('rotate', '--yes', '--keep-all', '--server-managed', gun, 'snapshot'));
    expect((await onServer(signetServer, gun)).sizes()).toEqual({ one: 5, two: 5 });
  }, 30_000);

  test('come in where notary refuses its own files', async () => {
    // notary seals a root key that it writes into a file with the passphrase of a delegation's.
    const alice = someone(signetServer, { root: PASSPHRASES.other, other: PASSPHRASES.other });
    await succeeds(alice.notary('key', 'generate', '-o', 'mine'));
    expect((await alice.notary('key', 'import', 'mine-key.pem')).exitCode).toBe(1);
    await succeeds(alice.key('import', 'mine-key.pem'));
    const root = alice.keyOf('root');
    const gun = gunOf(signetServer, 'own-root');
    expect(await succeeds(alice.notary('init', gun, '-p'))).toContain(`Root key found, using: ${root}`);
    await succeeds(alice.add(gun, 'one'));
  });

  test('of a repository of old are moved, and used by both', async () => {
    const { alice, gun } = await owner('of-old');
    const folder = join(alice.trust, 'private');
    const { keys } = alice;
    for (const [role, ids] of keys) {
      for (const id of ids) {
        const old = role === 'root' ? `root_keys/${id}_root.key` : `tuf_keys/${gun}/${id}_${role}.key`;
        const text = readFileSync(join(folder, `${id}.key`), 'utf8').replace(/^(?:role|gun): .*\n/gm, '');
        mkdirSync(join(folder, dirname(old)), { recursive: true });
        renameSync(join(folder, `${id}.key`), join(folder, old));
        writeFileSync(join(folder, old), text.replace('-----\n\n', '-----\n'));
      }
    }
    const listed = await succeeds(alice.key('list'));
    for (const [role, [id]] of keys) expect(listed).toMatch(new RegExp(`^${role} .*${id} +yes$`, 'm'));
    expect(alice.keys).toEqual(keys);
    await succeeds(alice.add(gun, 'one'));
    await succeeds(alice.key('rotate', '--yes', '--keep-all', gun, 'targets'));
    expect((await onServer(signetServer, gun)).sizes()).toEqual({ one: 5 });
  }, 30_000);
});

describe('a passphrase', () => {
  const enter = (send: string) => ({ expect: /[Pp]assphrase for [^\n]*: ?$/, send, isSecret: true });

  test('is changed here, counts there, and is changed back there', async () => {
    const { alice, gun } = await owner('passphrase');
    const knows = someone(signetServer, { root: PASSPHRASES.root, other: OTHER_PASSPHRASES.other });
    const env = { PATH: process.env.PATH ?? '', HOME: alice.home };
    for (const role of ['targets', 'snapshot']) {
      const id = alice.keyOf(role);
      const words = [...signetCommand(), 'trust', 'key', 'passwd', id.slice(0, 12)];
      const answers = [PASSPHRASES.other, OTHER_PASSPHRASES.other, OTHER_PASSPHRASES.other].map(enter);
      const { exitCode, stdout } = await runInTerminal(words, answers, { env, cwd: alice.home });
      expect([exitCode, stdout]).toEqual([
        0,
        expect.stringContaining(`Successfully updated passphrase for key ID: ${id}\n`),
      ]);
    }
    expect((await alice.add(gun, 'one-day')).exitCode).toBe(1);
    await succeeds(knows.takeKeysOf(alice).add(gun, 'one'));

    for (const role of ['targets', 'snapshot']) {
      const answers = [OTHER_PASSPHRASES.other, PASSPHRASES.other, PASSPHRASES.other].map(enter);
      await succeeds(alice.notaryInTerminal(['key', 'passwd', alice.keyOf(role)], answers));
    }
    await succeeds(alice.key('rotate', '--yes', '--keep-all', gun, 'targets'));
    await succeeds(alice.add(gun, 'two'));
    // What notary could not publish at first, it keeps and publishes with the next.
    expect(await names(someone(), gun)).toEqual(['one', 'one-day', 'two']);
  }, 60_000);

  test('comes from a file if no one can be asked', async () => {
    const { alice } = await owner('from-a-file');
    const file = join(alice.home, 'new');
    writeFileSync(file, `${OTHER_PASSPHRASES.root}\n`, { mode: 0o600 });
    const command = [...signetCommand(), 'trust', 'key', 'passwd', 'root'];
    const env = { PATH: process.env.PATH ?? '', HOME: alice.home, NOTARY_ROOT_PASSPHRASE: PASSPHRASES.root };
    await succeeds(run(command, { env: { ...env, SIGNET_NEW_PASSPHRASE_FILE: file }, cwd: alice.home }));
    const after = someone(signetServer, { root: OTHER_PASSPHRASES.root, other: PASSPHRASES.other }).takeKeysOf(alice);
    expect(await succeeds(after.notary('init', gunOf(signetServer, 'from-a-file-2'), '-p'))).toContain(
      `Root key found, using: ${alice.keyOf('root')}`,
    );
  }, 30_000);
});

test('a removed key is gone for both, and what it signed stays', async () => {
  const { alice, gun } = await owner('removed');
  await succeeds(alice.add(gun, 'one'));
  const [targets, root] = [alice.keyOf('targets'), alice.keyOf('root')];
  const refused = await alice.key('remove', targets);
  expect([refused.exitCode, refused.stderr]).toEqual([
    1,
    'no one can be asked whether to remove the key\n\nSay it on the command line: --yes\n',
  ]);
  expect(refused.stdout).toContain(`  ${gun}: targets\n`);
  expect(alice.keyOf('targets')).toBe(targets);
  const said = await succeeds(alice.key('remove', '--yes', targets.slice(0, 9)));
  expect(said).toEndWith(`Deleted ${targets} (role targets)\n`);
  expect(await succeeds(alice.notary('key', 'list'))).not.toContain(targets);
  expect((await alice.add(gun, 'two')).exitCode).toBe(1);
  expect((await onServer(signetServer, gun)).sizes()).toEqual({ one: 5 });

  const env = { PATH: process.env.PATH ?? '', HOME: alice.home };
  const command = [...signetCommand(), 'trust', 'key', 'remove', root];
  const answer = (send: string) => ({ expect: /Type "yes" to remove it: $/, send });
  await runInTerminal(command, [answer('y')], { env });
  expect(alice.keyOf('root')).toBe(root);
  await succeeds(runInTerminal(command, [answer('yes')], { env }));
  expect(alice.keys.has('root')).toBe(false);
}, 30_000);

test('keys in the clear are not shown on a terminal', async () => {
  const alice = someone(signetServer, { root: '', other: '' });
  const env = { PATH: process.env.PATH ?? '', HOME: alice.home };
  await succeeds(
    run(['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'k.pem'], {
      cwd: alice.home,
    }),
  );
  const id = 'ab'.repeat(32);
  mkdirSync(join(alice.trust, 'private'), { recursive: true });
  copyFileSync(join(alice.home, 'k.pem'), join(alice.trust, 'private', `${id}.key`));
  const command = [...signetCommand(), 'trust', 'key', 'export'];
  const { exitCode, stdout } = await runInTerminal(command, [], { env });
  expect(exitCode).toBe(1);
  expect(stdout).toStartWith(`not encrypted, and not to be shown on a terminal: ${id}\n`);
  expect(stdout).not.toContain('PRIVATE KEY');
  const piped = await run(command, { env });
  expect(piped.stdout).toContain('BEGIN PRIVATE KEY');
  expect(piped.stderr).toBe(`Not encrypted, whoever reads the copy can sign with them: ${id}\n`);
}, 30_000);

describe.each(['signet serve', 'notary-server'] as const)('rotation on %s', (server) => {
  const service = (): Service => (server === 'notary-server' ? notaryServer : signetServer);

  test('every role by signet, and notary publishes and reads after each', async () => {
    const { alice, gun } = await owner('rotated', service());
    const reader = someone(service());
    await succeeds(alice.add(gun, 'start'));
    expect(await names(reader, gun)).toEqual(['start']);
    const steps = [
      ['targets', []],
      ['snapshot', []],
      ['snapshot', ['--server-managed']],
      ['snapshot', ['-r']],
      ['timestamp', ['-r']],
      ['snapshot', []],
      ['root', ['--yes']],
      ['root', ['--yes']],
      ['targets', []],
    ] as const;
    const expected = ['start'];
    for (const [step, [role, words]] of steps.entries()) {
      const before = await onServer(service(), gun);
      const said = await succeeds(alice.key('rotate', '--yes', '--keep-all', ...words, gun, role));
      const after = await onServer(service(), gun);
      expect(said).toContain(`Published to ${gun}.\nNew ${role} key`);
      expect(after.keysOf(role)).toHaveLength(1);
      expect(after.keysOf(role)).not.toEqual(before.keysOf(role));
      expect(after.signersOf(role)).toEqual(expect.arrayContaining([...after.keysOf(role)]));
      expect(after.versions.root).toBe(step + 2);
      await succeeds(alice.add(gun, `step-${step}`));
      expected.push(`step-${step}`);
      expect(await names(reader, gun)).toEqual(expected.toSorted());
    }
    expect(await names(someone(service()), gun)).toEqual(expected.toSorted());
    // Of the keys that were replaced only those of the root stay.
    expect([...alice.keys].map(([role, ids]) => [role, ids.length]).sort()).toEqual([
      ['root', 3],
      ['snapshot', 1],
      ['targets', 1],
    ]);
  }, 60_000);

  test('by turns', async () => {
    const { alice, gun } = await owner('by-turns', service());
    await succeeds(alice.key('rotate', '--yes', '--keep-all', gun, 'targets'));
    await succeeds(alice.notary('key', 'rotate', gun, 'targets'));
    await succeeds(alice.key('rotate', '--yes', '--keep-all', '-r', gun, 'snapshot'));
    await succeeds(alice.notary('key', 'rotate', gun, 'snapshot'));
    await succeeds(alice.key('rotate', '--yes', '--keep-all', '--yes', gun, 'root'));
    await succeeds(alice.notaryReading('yes\n', 'key', 'rotate', gun, 'root'));
    await succeeds(alice.key('rotate', '--yes', '--keep-all', gun, 'targets'));
    await succeeds(alice.add(gun, 'one'));
    expect(await names(someone(service()), gun)).toEqual(['one']);
    const { versions } = await onServer(service(), gun);
    expect(versions.root).toBe(8);
  }, 60_000);

  test('to keys of other kinds, with which both publish', async () => {
    const { alice, gun } = await owner('other-kinds', service());
    const kinds = { rsa: ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], ed25519: ['ED25519'] };
    for (const [kind, words] of Object.entries(kinds)) {
      await succeeds(run(['openssl', 'genpkey', '-out', `${kind}.pem`, '-algorithm', ...words], { cwd: alice.home }));
      await succeeds(alice.key('rotate', '--yes', '--keep-all', '--key', `${kind}.pem`, gun, 'targets'));
      await succeeds(alice.add(gun, kind));
      const { signatures } = JSON.parse(readFileSync(join(alice.trust, 'tuf', gun, 'metadata/targets.json'), 'utf8'));
      expect(signatures.map(({ method }: { method: string }) => method)).toEqual([kind === 'rsa' ? 'rsapss' : 'eddsa']);
    }
    const rotateRoot = (file: string) =>
      alice.key('rotate', '--yes', '--keep-all', '--yes', '--key', file, gun, 'root');
    expect((await rotateRoot('root.pem')).stderr).toBe('no key has the ID or the name "root.pem"\n');
    const genpkey = ['openssl', 'genpkey', '-out', 'root.pem', '-algorithm', ...kinds.rsa];
    await succeeds(run(genpkey, { cwd: alice.home }));
    await succeeds(rotateRoot('root.pem'));
    await succeeds(alice.add(gun, 'under-rsa'));
    expect(await names(someone(service()), gun)).toEqual(['ed25519', 'rsa', 'under-rsa']);
    const refused = await rotateRoot('ed25519.pem');
    expect([refused.exitCode, refused.stderr]).toEqual([1, 'a root key must be an ECDSA or RSA key\n']);
  }, 60_000);
});

describe('a certificate', () => {
  test('of a second root key, by signet, is one that notary takes', async () => {
    const { alice, gun } = await owner('second-root');
    const reader = someone();
    await succeeds(alice.add(gun, 'one'));
    await names(reader, gun);
    const bob = someone();
    await succeeds(bob.key('certificate', '--new', '-o', 'bob.crt', gun));
    copyFileSync(join(bob.home, 'bob.crt'), join(alice.home, 'bob.crt'));
    await alice.loggedIn();
    await succeeds(alice.signet('trust', 'role', '--add-key', 'bob.crt', gun, 'root'));
    expect((await onServer(signetServer, gun)).keysOf('root')).toHaveLength(2);
    expect(await names(reader, gun)).toEqual(['one']);
    // Bob's root key alone rotates with notary, as the threshold is 1.
    const [targets, snapshot] = [alice.keyOf('targets'), alice.keyOf('snapshot')];
    for (const id of [targets, snapshot]) {
      copyFileSync(join(alice.trust, 'private', `${id}.key`), join(bob.trust, 'private', `${id}.key`));
    }
    await succeeds(bob.notary('key', 'rotate', gun, 'targets'));
    await succeeds(bob.add(gun, 'two'));
    expect(await names(reader, gun)).toEqual(['one', 'two']);
  }, 60_000);

  test('founds a repository with notary', async () => {
    const [alice, gun] = [someone(), gunOf(signetServer, 'with-certificate')];
    await succeeds(alice.key('certificate', '--new', '-o', 'root.crt', gun));
    const printed = await succeeds(alice.key('certificate', gun));
    for (const text of [readFileSync(join(alice.home, 'root.crt'), 'utf8'), printed]) {
      expect(new X509Certificate(text).subject).toBe(`CN=${gun}`);
    }
    await succeeds(alice.notary('init', gun, '--rootcert', 'root.crt', '-p'));
    await succeeds(alice.add(gun, 'one'));
    const { roles, keys } = (await onServer(signetServer, gun)).payload('root');
    const [id = ''] = roles.root?.keyids ?? [];
    expect(Buffer.from(keys[id]?.keyval.public ?? '', 'base64').toString()).toBe(
      readFileSync(join(alice.home, 'root.crt'), 'utf8'),
    );
    expect(await names(someone(), gun)).toEqual(['one']);
  }, 30_000);
});

test('keys can be looked after where no trust server is known', async () => {
  const alice = someone();
  await succeeds(alice.notary('key', 'generate'));
  const command = [...signetCommand(), 'trust', 'key'];
  const env = { PATH: process.env.PATH ?? '', HOME: alice.home };
  const listed = await succeeds(run([...command, 'list', '-q', '--trust-dir', alice.trust], { env }));
  expect(listed).toBe(`${alice.keyOf('root')}\n`);
  const rotated = await run([...command, 'rotate', '-d', alice.trust, 'some/collection', 'targets'], { env });
  expect([rotated.exitCode, rotated.stderr]).toEqual([
    1,
    `no trust server is known for ${alice.trust}\n\nName it: --server URL, or remote_server.url in the config.json of that folder.\n`,
  ]);
}, 30_000);
