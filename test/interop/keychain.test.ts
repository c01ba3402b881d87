import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { Keychain } from '../../src/cli/passphrases/keychain.ts';
import { parseKeyId } from '../../src/core/names/key-id.ts';
import { atEnd } from '../support/cleanup.ts';
import { succeeds } from '../support/notary-client.ts';
import { published } from '../support/published.ts';
import { type Answer, type Outcome, run, runInTerminal } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

/** Not installed but unpacked: docker takes up a credential helper that is on PATH by itself. */
const PROGRAMS = join(ROOT, 'node_modules/.peers/golang-docker-credential-helpers/usr/bin');
const LOGIN = { name: 'alice', password: 'what alice has chosen' };
const PASSPHRASE = 'typed once and never again';

let server: SignetServer;
let env: Record<string, string>;

/** Alice, whose keychain is `pass`, with a GnuPG key of its own that nobody has to unlock. */
beforeAll(async () => {
  if (!existsSync(join(PROGRAMS, 'docker-credential-pass'))) {
    throw new Error('docker-credential-pass is not there; npm test unpacks it on Debian');
  }
  server = await startSignet();
  await server.addUser(LOGIN.name, LOGIN.password);
  const home = temporaryFolder();
  const gnupg = join(home, '.gnupg');
  mkdirSync(gnupg, { mode: 0o700 });
  mkdirSync(join(home, '.docker'));
  const settings = { passphrases: { root: { keychain: 'pass' }, repository: { keychain: 'pass' } } };
  writeFileSync(join(home, '.docker/signet.json'), JSON.stringify(settings));
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ credsStore: 'pass' }));
  env = { PATH: [PROGRAMS, process.env.PATH].join(delimiter), HOME: home, GNUPGHOME: gnupg };
  atEnd(async () => {
    await run(['gpgconf', '--kill', 'all'], { env });
  });
  const make = ['--batch', '--passphrase', '', '--quick-gen-key', 'alice@example.com', 'default', 'default', 'never'];
  await succeeds(run(['gpg', ...make], { env }));
  await succeeds(run(['pass', 'init', 'alice@example.com'], { env }));
  const login = ['login', '--username', LOGIN.name, '--password-stdin', server.host];
  await succeeds(run([...signetCommand(), ...login], { env, cwd: home, stdin: LOGIN.password }));
}, 60_000);

function signet(...words: readonly string[]): Promise<Outcome> {
  return run([...signetCommand(), ...words], { env, cwd: env.HOME ?? '' });
}

function signetInTerminal(words: readonly string[], answers: readonly Answer[]): Promise<Outcome> {
  return runInTerminal([...signetCommand(), ...words], answers, { env, cwd: env.HOME ?? '' });
}

const entered = (text: string, send = PASSPHRASE): Answer => ({
  expect: new RegExp(`${text} key with ID [0-9a-f]{7}: $`),
  send,
  isSecret: true,
});
const chosen = (name: string) => [
  entered(`Enter passphrase for new ${name}`),
  entered(`Repeat passphrase for new ${name}`),
];

/** Everything that the keychain has: users by address. */
async function entries(): Promise<Record<string, string>> {
  const stdout = await succeeds(run(['docker-credential-pass', 'list'], { env, stdin: 'unused' }));
  return JSON.parse(stdout) as Record<string, string>;
}

function keyIds(): string[] {
  const names = readdirSync(join(env.HOME ?? '', '.docker/trust/private'));
  return names.map((name) => name.replace('.key', '')).sort();
}

describe('with docker-credential-pass', () => {
  let repository: string;

  test('passphrases are typed once, and kept beside the login', async () => {
    repository = `${server.host}/alice/kept`;
    const generated = await signetInTerminal(['trust', 'key', 'generate', 'alice'], chosen('alice'));
    expect(generated).toMatchObject({ exitCode: 0 });
    expect(generated.stdout).toContain('The keychain keeps this passphrase from now on.\n');
    expect(generated.stdout).not.toContain(PASSPHRASE);
    const add = ['trust', 'signer', 'add', '--key', 'alice.pub', 'alice', repository];
    const added = await signetInTerminal(add, [...chosen('root'), ...chosen('repository')]);
    expect(added).toMatchObject({ exitCode: 0 });

    const ids = keyIds();
    expect(ids).toHaveLength(3);
    expect(await entries()).toEqual({
      ...Object.fromEntries(ids.map((id) => [`https://signet.key/${id}`, 'signet'])),
      [server.host]: '<token>',
    });
  }, 60_000);

  test('from then on no one is asked', async () => {
    const versions = async () => (await published(server, repository, LOGIN))?.versions.targets ?? 0;
    const before = await versions();
    await succeeds(signet('trust', 'signer', 'add', '--key', 'alice.pub', 'bob', repository));
    expect(await versions()).toBe(before + 1);
  }, 60_000);

  test('a wrong entry is called wrong; the next step takes it out, and the right one is kept again', async () => {
    const [root] = keyIds();
    if (root === undefined) throw new Error('no key');
    const keychain = new Keychain('pass', env);
    const right = [];
    for (const id of keyIds()) {
      right.push((await keychain.find(parseKeyId(id)))?.toString());
      await keychain.remember(parseKeyId(id), Buffer.from('somebody changed it'));
    }
    expect(new Set(right)).toEqual(new Set([PASSPHRASE]));

    const add = ['trust', 'signer', 'add', '--key', 'alice.pub', 'carol', repository];
    const failed = await signet(...add);
    expect(failed).toMatchObject({ exitCode: 1 });
    expect(failed.stderr).toMatch(/the passphrase that docker-credential-pass keeps does not open the targets key /);
    const told = await signetInTerminal(add, []);
    const [, next = ''] = /^Take it out of the keychain to be asked: (.*)$/m.exec(told.stdout) ?? [];
    expect(next).toMatch(/^echo https:\/\/signet\.key\/[0-9a-f]{64} \| docker-credential-pass erase$/);
    await succeeds(run(['sh', '-c', next], { env }));

    const again = await signetInTerminal(add, [entered('Enter passphrase for repository')]);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toContain('The keychain keeps this passphrase from now on.\n');
    await succeeds(signet('trust', 'signer', 'add', '--key', 'alice.pub', 'dave', repository));
  }, 60_000);

  test('a keychain that is not open is told, and no one is asked instead', async () => {
    const closed = { ...env, GNUPGHOME: temporaryFolder() };
    const add = [...signetCommand(), 'trust', 'signer', 'add', '--key', 'alice.pub', 'erin', repository];
    // The login would be in the same keychain.
    const config = {
      ...closed,
      DOCKER_AUTH_CONFIG: JSON.stringify({
        auths: { [server.host]: { auth: btoa(`${LOGIN.name}:${LOGIN.password}`) } },
      }),
    };
    const { exitCode, stdout } = await runInTerminal(add, [], { env: config, cwd: env.HOME ?? '' });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('error getting credentials - err: exit status 1');
    expect(stdout).toContain('Check that docker-credential-pass is installed, and that the keychain is open.');
  }, 60_000);
});
