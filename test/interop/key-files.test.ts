import { beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustingClis } from '../support/clis.ts';
import { Person, type PersonOptions, succeeds } from '../support/notary-client.ts';
import { published } from '../support/published.ts';
import { type Outcome, run, runInTerminal } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

/** A command that keeps private keys in docker's trust folder. */
interface Tool {
  readonly name: string;
  /** Imports a key that lies open in a file, for the signer of that name. */
  load(person: Person, signer: string, file: string): Promise<Outcome>;
  /** Signs a tag that is released already, as the signer. */
  sign(person: Person, signer: string, tag: string): Promise<Outcome>;
}

/** A private key as OpenSSL makes it, and its public key: files. */
interface Pair {
  readonly type: 'ecdsa' | 'rsa';
  readonly file: string;
  readonly publicKey: string;
}

/** A key that `writer` has stored, in the home of `owner`. */
interface WrittenKey {
  readonly writer: string;
  readonly type: Pair['type'];
  /** The canonical key ID. */
  readonly id: string;
  /** The signer whose key it is. */
  readonly signer: string;
  readonly text: string;
}

const LOGIN = { name: 'alice', password: 'what alice has chosen' };
const PASSPHRASES = { root: 'the root of it all', other: 'what every other key has' };
const WRONG = { root: PASSPHRASES.root, other: 'something else' };
const TYPES = ['ecdsa', 'rsa'] as const;

const clis = await trustingClis();
const SIGNET = dockerLike('signet', signetCommand());
const DOCKERS = clis.map(({ path, major }) => dockerLike(`docker-${major}`, [path]));
const NOTARY: Tool = {
  name: 'notary',
  load: (person, signer, file) => person.notary('key', 'import', '--role', signer, file),
  sign: (person, signer, tag) => person.add(gun, tag, '-r', `targets/${signer}`),
};
const TOOLS = [SIGNET, ...DOCKERS, NOTARY];

let server: SignetServer;
let gun: string;
/** Founded the repository with Signet, and has its root key and its repository key. */
let founder: Person;
const written: WrittenKey[] = [];

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(LOGIN.name, LOGIN.password);
  gun = `${server.host}/alice/signed-by-all`;
  founder = someone();
  for (const tool of TOOLS) {
    for (const type of TYPES) {
      const pair = await makePair(type);
      const owner = someone();
      const signer = `${tool.name}-${type}`;
      await succeeds(tool.load(owner, signer, pair.file));
      const [name = '', ...others] = keyFiles(owner);
      expect(others).toEqual([]);
      const text = readFileSync(join(owner.trust, 'private', name), 'utf8');
      written.push({ writer: tool.name, type, id: name.replace('.key', ''), signer, text });
      await succeeds(founder.signet('trust', 'signer', 'add', '--init', '--key', pair.publicKey, signer, gun));
    }
  }
}, 120_000);

function dockerLike(name: string, command: readonly string[]): Tool {
  return {
    name,
    load: (person, signer, file) => person.run([...command, 'trust', 'key', 'load', '--name', signer, file]),
    sign: (person, _signer, tag) => person.run([...command, 'trust', 'sign', `${gun}:${tag}`]),
  };
}

/** Somebody in a new home, logged in as alice. */
function someone(options: PersonOptions = { passphrases: PASSPHRASES }): Person {
  const person = new Person(server, { login: LOGIN, ...options });
  mkdirSync(join(person.trust, 'private'), { recursive: true, mode: 0o700 });
  const auth = btoa(`${LOGIN.name}:${LOGIN.password}`);
  writeFileSync(join(person.home, '.docker/config.json'), JSON.stringify({ auths: { [server.host]: { auth } } }));
  return person;
}

/** Somebody who has this key and no other. */
function withKey({ id, text }: WrittenKey, options?: PersonOptions): Person {
  const person = someone(options);
  writeFileSync(join(person.trust, 'private', `${id}.key`), text, { mode: 0o600 });
  return person;
}

function keyFiles(person: Person, role?: string): string[] {
  const folder = join(person.trust, 'private');
  const names = readdirSync(folder).sort();
  return role === undefined
    ? names
    : names.filter((name) => readFileSync(join(folder, name), 'utf8').includes(`\nrole: ${role}\n`));
}

async function makePair(type: Pair['type']): Promise<Pair> {
  const folder = temporaryFolder();
  const [file, publicKey] = [join(folder, 'key.pem'), join(folder, 'key.pub')];
  const options =
    type === 'rsa' ? ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] : ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await succeeds(run(['openssl', 'genpkey', '-out', file, '-algorithm', ...options]));
  await succeeds(run(['openssl', 'pkey', '-in', file, '-pubout', '-out', publicKey]));
  chmodSync(file, 0o600);
  return { type, file, publicKey };
}

async function state(repository = gun) {
  const collection = await published(server, repository, LOGIN);
  if (collection === undefined) throw new Error(`${repository} has no trust data`);
  return collection;
}

/** The body of a key file. */
function bodyOf(text: string): Buffer {
  return Buffer.from(text.replace(/-----[^\n]*\n/g, '').replace(/^[a-z]+: .*$/gm, ''), 'base64');
}

let tags = 0;

/** A new tag in `targets/releases`, which no signer has signed. */
async function releasedTag(): Promise<string> {
  const [key] = written;
  if (key === undefined) throw new Error('no key was written');
  const tag = `v${++tags}`;
  await succeeds(withKey(key).add(gun, tag, '-r', 'targets/releases'));
  return tag;
}

/** Whether the signer's role has the tag, under a signature by the signer's key. */
async function isSigned({ signer, id }: WrittenKey, tag: string): Promise<boolean> {
  const collection = await state();
  const role = `targets/${signer}`;
  if (collection.versions[role] === undefined || !(tag in collection.sizes(role))) return false;
  expect(collection.signersOf(role)).toEqual([id]);
  return true;
}

/** DER of the number of rounds. */
const ROUNDS = { signet: '0203030d40', others: '02020800' };

describe('what each has written', () => {
  test.each(TOOLS.map(({ name }) => name))('%s: encrypted, with the signer’s name', (writer) => {
    const keys = written.filter((key) => key.writer === writer);
    expect(keys.map(({ type }) => type)).toEqual([...TYPES]);
    for (const { text, signer } of keys) {
      expect(text).toStartWith(`-----BEGIN ENCRYPTED PRIVATE KEY-----\nrole: ${signer}\n\n`);
      const [expected, other] = writer === 'signet' ? [ROUNDS.signet, ROUNDS.others] : [ROUNDS.others, ROUNDS.signet];
      const head = bodyOf(text).subarray(0, 64).toString('hex');
      expect(head).toContain(expected);
      expect(head).not.toContain(other);
    }
  });
});

describe.each(TOOLS.map((tool) => [tool.name, tool] as const))('%s signs', (_, reader) => {
  test.each(TOOLS.map(({ name }) => name))(
    'with the keys of %s',
    async (writer) => {
      for (const key of written.filter((each) => each.writer === writer)) {
        const tag = await releasedTag();
        await succeeds(reader.sign(withKey(key), key.signer, tag));
        expect(await isSigned(key, tag)).toBe(true);
      }
    },
    60_000,
  );

  test('nothing without the passphrase', async () => {
    for (const key of written) {
      const tag = await releasedTag();
      // docker says that it has signed.
      await reader.sign(withKey(key, { passphrases: WRONG }), key.signer, tag);
      expect(await isSigned(key, tag)).toBe(false);
    }
  }, 60_000);
});

describe('the keys of a repository', () => {
  const addSigner = (tool: Tool, person: Person, name: string, repository: string, key: string) =>
    tool === NOTARY
      ? person.notary('delegation', 'add', repository, `targets/${name}`, key, '--all-paths', '-p')
      : person.run([
          ...commandOf(tool),
          'trust',
          'signer',
          'add',
          ...(tool === SIGNET ? ['--init'] : []),
          '--key',
          key,
          name,
          repository,
        ]);
  const found = (tool: Tool, person: Person, repository: string, key: string) =>
    tool === NOTARY ? person.notary('init', repository, '-p') : addSigner(tool, person, 'founder', repository, key);
  const commandOf = (tool: Tool) => (tool === SIGNET ? signetCommand() : [clis[DOCKERS.indexOf(tool)]?.path ?? '']);

  test.each(TOOLS.filter((tool) => tool !== SIGNET).map((tool) => [tool.name, tool] as const))(
    '%s and signet use each other’s root and repository keys',
    async (name, tool) => {
      const { publicKey } = await makePair('ecdsa');
      const pairs = [
        [SIGNET, tool],
        [tool, SIGNET],
      ] as const;
      for (const [first, second] of pairs) {
        const person = someone();
        const [one, two] = ['one', 'two'].map(
          (repository) => `${server.host}/alice/${first.name}-first-${name}-${repository}`,
        );
        await succeeds(found(first, person, `${one}`, publicKey));
        const roots = keyFiles(person, 'root');
        expect(roots).toHaveLength(1);
        // The repository key of the one, for a change by the other.
        const before = (await state(one)).versions.targets ?? 0;
        await succeeds(addSigner(second, person, 'later', `${one}`, publicKey));
        expect((await state(one)).versions.targets).toBe(before + 1);
        // The root key of the one, for another repository by the other.
        await succeeds(found(second, person, `${two}`, publicKey));
        expect(keyFiles(person, 'root')).toEqual(roots);
        expect((await state(two)).signersOf('root')).toHaveLength(1);
      }
    },
    60_000,
  );
});

describe('a passphrase that notary changes', () => {
  const CHANGED = { root: PASSPHRASES.root, other: 'the one after it' };

  test.each(TOOLS.map((tool) => [tool.name, tool] as const))(
    'of a key that signet has written counts for %s, and the old one does not',
    async (_, reader) => {
      for (const key of written.filter(({ writer }) => writer === 'signet')) {
        const person = withKey(key, { passphrases: CHANGED });
        const enter = (send: string) => ({ expect: /[Pp]assphrase for [^\n]*: ?$/, send, isSecret: true });
        const answers = [enter(PASSPHRASES.other), enter(CHANGED.other), enter(CHANGED.other)];
        await succeeds(person.notaryInTerminal(['key', 'passwd', key.id], answers));
        const [first, second] = [await releasedTag(), await releasedTag()];
        await succeeds(reader.sign(person, key.signer, first));
        expect(await isSigned(key, first)).toBe(true);

        const late = someone().takeKeysOf(person);
        await reader.sign(late, key.signer, second);
        expect(await isSigned(key, second)).toBe(false);
      }
    },
    60_000,
  );
});

test('docker and signet ask for a passphrase equally often', async () => {
  const { file } = await makePair('ecdsa');
  const sealed = join(temporaryFolder(), 'sealed.pem');
  await succeeds(run(['openssl', 'ec', '-in', file, '-aes256', '-passout', 'pass:right', '-out', sealed]));
  chmodSync(sealed, 0o600);
  const wrong = { expect: /Enter passphrase for encrypted key: $/, send: 'wrong', isSecret: true };
  const load = ['trust', 'key', 'load', sealed];
  const seen = [];
  for (const command of [...clis.map(({ path }) => [path]), signetCommand()]) {
    const env = { PATH: process.env.PATH ?? '', HOME: temporaryFolder() };
    const { exitCode, stdout } = await runInTerminal([...command, ...load], Array(4).fill(wrong), { env });
    expect(exitCode).toBe(1);
    seen.push(stdout.slice(0, stdout.indexOf('error importing')));
  }
  expect(new Set(seen).size).toBe(1);
  expect(seen[0]?.match(/Enter passphrase/g)).toHaveLength(4);
}, 60_000);
