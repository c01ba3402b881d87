import { beforeEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignersPassphrases } from '../../../src/cli/passphrases/passphrases.ts';
import { parseJson } from '../../../src/core/json/parse.ts';
import { openKeyFile } from '../../../src/core/keys/key-file.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { FileVault } from '../../../src/trust/keys/file-vault.ts';
import { KeyRing } from '../../../src/trust/keys/key-ring.ts';
import { readPassphrasePlaces } from '../../../src/trust/settings/passphrase-places.ts';
import { failure } from '../../support/failure.ts';
import { fakeKeychain } from '../../support/fake-keychain.ts';
import { MemoryKeyStore } from '../../support/memory-key-store.ts';
import { fileOf } from '../../support/private-keys.ts';
import { temporaryFolder } from '../../support/temp.ts';

const ID = parseKeyId('0123456789abcdef'.repeat(4));
const ALIASES = ['root', 'targets', 'snapshot', 'alice', 'encrypted'] as const;

let printed = '';
beforeEach(() => {
  printed = '';
});

interface World {
  readonly env?: Readonly<Record<string, string>>;
  /** The member `passphrases` of the settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What the person types; whoever is asked for more fails. */
  readonly typed?: readonly string[];
}

function passphrases({ env = {}, settings = {}, typed = [] }: World): SignersPassphrases {
  const waiting = [...typed];
  return new SignersPassphrases({
    env,
    places: async () => {
      const members = parseJson(JSON.stringify(settings));
      if (!(members instanceof Map)) throw new Error('no object');
      return readPassphrasePlaces(members);
    },
    person: {
      print: (text) => {
        printed += text;
      },
      askHidden: async (prompt) => {
        printed += `${prompt}\n`;
        const next = waiting.shift();
        if (next === undefined) throw new Error('nobody is to be asked');
        return Buffer.from(next);
      },
    },
  });
}

const take = async (passphrase: Promise<Buffer>) => (await passphrase).toString();

/** What each alias gets, for an existing key and for a new one; `?` where a person is asked. */
async function given(world: World): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const alias of ALIASES) {
    const answer = await take(passphrases(world).existing({ id: ID, alias }, 0)).catch(() => '?');
    expect(await take(passphrases(world).fresh({ id: ID, alias })).catch(() => '?')).toBe(answer);
    answers[alias] = answer;
  }
  return answers;
}

function file(text: string): string {
  const path = join(temporaryFolder(), 'passphrase');
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

const DOCKER = {
  DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'docker root',
  DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: ' docker other ',
};
const NOTARY = {
  NOTARY_ROOT_PASSPHRASE: 'notary root',
  NOTARY_TARGETS_PASSPHRASE: 'notary targets',
  NOTARY_SNAPSHOT_PASSPHRASE: 'notary snapshot',
  NOTARY_DELEGATION_PASSPHRASE: 'notary delegation',
};

describe('the first source that is configured answers', () => {
  const files = {
    SIGNET_ROOT_PASSPHRASE_FILE: file('file root'),
    SIGNET_REPOSITORY_PASSPHRASE_FILE: file('file other'),
  };
  const settings = {
    root: { file: file('settings root') },
    repository: { command: ['echo', 'settings other'] },
    alice: { file: file('settings alice') },
  };
  const env = { PATH: process.env.PATH ?? '' };

  test("docker's variables", async () => {
    expect(await given({ env: { ...env, ...files, ...NOTARY, ...DOCKER }, settings })).toEqual({
      root: 'docker root',
      targets: ' docker other ',
      snapshot: ' docker other ',
      alice: ' docker other ',
      encrypted: ' docker other ',
    });
  });

  test("then notary's", async () => {
    expect(await given({ env: { ...env, ...files, ...NOTARY }, settings })).toEqual({
      root: 'notary root',
      targets: 'notary targets',
      snapshot: 'notary snapshot',
      alice: 'notary delegation',
      encrypted: 'notary delegation',
    });
  });

  test('then the files that variables name', async () => {
    expect(await given({ env: { ...env, ...files }, settings })).toEqual({
      root: 'file root',
      targets: 'file other',
      snapshot: 'file other',
      alice: 'file other',
      encrypted: 'file other',
    });
  });

  test('then the settings, where a name goes before "repository", which is not for root keys', async () => {
    expect(await given({ env, settings })).toEqual({
      root: 'settings root',
      targets: 'settings other',
      snapshot: 'settings other',
      alice: 'settings alice',
      encrypted: 'settings other',
    });
    const { root: _, ...withoutRoot } = settings;
    expect((await given({ env, settings: withoutRoot })).root).toBe('?');
  });

  test('then the person', async () => {
    expect(new Set(Object.values(await given({ env })))).toEqual(new Set(['?']));
    expect(await take(passphrases({ typed: ['typed'] }).existing({ id: ID, alias: 'alice' }, 0))).toBe('typed');
  });

  test('each variable for its own keys, and an empty one is none', async () => {
    const some = { DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'x', DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: '' };
    const empty = { SIGNET_REPOSITORY_PASSPHRASE_FILE: '', NOTARY_TARGETS_PASSPHRASE: '' };
    expect(await given({ env: { ...some, ...empty, NOTARY_SNAPSHOT_PASSPHRASE: 'y' } })).toEqual({
      root: 'x',
      targets: '?',
      snapshot: 'y',
      alice: '?',
      encrypted: '?',
    });
  });

  test('a source that is configured and fails does not lead on to the next', async () => {
    const broken = { SIGNET_REPOSITORY_PASSPHRASE_FILE: join(temporaryFolder(), 'none') };
    const world = { env: { ...env, ...broken }, settings, typed: ['typed'] };
    await failure(passphrases(world).existing({ id: ID, alias: 'alice' }, 0), 'file-missing');
    await failure(passphrases(world).fresh({ id: ID, alias: 'alice' }), 'file-missing');
    const missing = { settings: { alice: { command: ['/no/such/program'] } }, typed: ['typed'] };
    await failure(passphrases(missing).existing({ id: ID, alias: 'alice' }, 0), 'passphrase-command-failed');
    const keychain = { settings: { alice: { keychain: 'missing' } }, env: { PATH: '/nowhere' }, typed: ['typed'] };
    await failure(passphrases(keychain).existing({ id: ID, alias: 'alice' }, 0), 'credential-helper-failed');
    expect(printed).toBe('');
  });
});

describe('a wrong passphrase', () => {
  async function refusal(world: World, alias = 'alice') {
    const source = passphrases({ ...world, typed: ['typed'] });
    await source.existing({ id: ID, alias }, 0);
    const error = await failure(source.existing({ id: ID, alias }, 1), 'key-passphrase-wrong');
    expect(error.detail).toEqual({ alias, id: ID });
    expect(printed).toBe('');
    return [error.message, error.next];
  }

  test("of docker's and notary's variables is final, in docker's words; the next step says where it came from", async () => {
    const [message, next] = await refusal({ env: DOCKER });
    expect(message).toBe('password invalid, operation has failed.');
    expect(next).toBe(
      'It came from DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE and does not open the alice key 0123456: correct it there, or unset it to be asked.',
    );
    expect((await refusal({ env: DOCKER }, 'root'))[1]).toContain('DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE');
    expect(await refusal({ env: NOTARY })).toEqual([message, expect.stringContaining('NOTARY_DELEGATION_PASSPHRASE')]);
  });

  test('of any other source is final too, and the source is named, but not the passphrase', async () => {
    const path = file('secret');
    expect(await refusal({ env: { SIGNET_REPOSITORY_PASSPHRASE_FILE: path } })).toEqual([
      `the passphrase in ${path} does not open the alice key 0123456`,
      'Correct the file, or take it out of the settings to be asked.',
    ]);
    const env = { PATH: process.env.PATH ?? '' };
    expect(await refusal({ env, settings: { alice: { command: ['echo', 'secret'] } } })).toEqual([
      'the passphrase that the command "echo" printed does not open the alice key 0123456',
      'Correct what the command prints, or take it out of the settings to be asked.',
    ]);
    const keychain = fakeKeychain();
    keychain.put(ID, 'secret');
    expect(await refusal({ env: keychain.env, settings: { alice: { keychain: keychain.helper } } })).toEqual([
      `the passphrase that docker-credential-${keychain.helper} keeps does not open the alice key 0123456`,
      `Take it out of the keychain to be asked: echo https://signet.key/${ID} | docker-credential-${keychain.helper} erase`,
    ]);
  });

  test('that was typed is asked for again', async () => {
    const source = passphrases({ typed: ['one', 'two'] });
    expect(await take(source.existing({ id: ID, alias: 'alice' }, 0))).toBe('one');
    expect(await take(source.existing({ id: ID, alias: 'alice' }, 1))).toBe('two');
    expect(printed).toContain('Passphrase incorrect. Please retry.\n');
  });

  test('of a source does not make the next key of the prompt final', async () => {
    const source = passphrases({ env: { DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'x' }, typed: ['one', 'two'] });
    await source.existing({ id: ID, alias: 'root' }, 0);
    await failure(source.existing({ id: ID, alias: 'root' }, 1), 'key-passphrase-wrong');
    await source.existing({ id: ID, alias: 'alice' }, 0);
    expect(await take(source.existing({ id: ID, alias: 'alice' }, 1))).toBe('two');
  });
});

describe('with a keychain', () => {
  const KEPT = 'The keychain keeps this passphrase from now on.\n';

  test('what is typed for a new key is kept under its ID, and opens it from then on', async () => {
    const keychain = fakeKeychain();
    const world = { env: keychain.env, settings: { repository: { keychain: keychain.helper } } };
    const store = new MemoryKeyStore();
    const first = new KeyRing(new FileVault(store, passphrases({ ...world, typed: ['long enough', 'long enough'] })));
    const key = await first.create('alice');
    // The second key of an alias has the passphrase of the first; both are kept.
    const second = await first.create('alice');
    first.close();
    expect(printed).toEndWith(KEPT.repeat(2));
    expect(keychain.all()).toEqual({ [key.id]: 'long enough', [second.id]: 'long enough' });

    printed = '';
    const later = new KeyRing(new FileVault(store, passphrases(world)));
    for (const id of [key.id, second.id]) expect((await later.find(id, 'targets'))?.id).toBe(id);
    expect(printed).toBe('');
  });

  test('a key that was there before is asked for once, until the right passphrase is kept', async () => {
    const keychain = fakeKeychain();
    const world = { env: keychain.env, settings: { alice: { keychain: keychain.helper } } };
    const store = new MemoryKeyStore();
    const { id } = await new KeyRing(
      new FileVault(store, passphrases({ typed: ['long enough', 'long enough'] })),
    ).create('alice');
    printed = '';
    const ring = new KeyRing(new FileVault(store, passphrases({ ...world, typed: ['a mistake', 'long enough'] })));
    expect((await ring.find(id, 'targets'))?.id).toBe(id);
    const asked = `Enter passphrase for alice key with ID ${id.slice(0, 7)}: \n`;
    expect(printed).toBe(`${asked}Passphrase incorrect. Please retry.\n${asked}${KEPT}`);
    expect(keychain.all()).toEqual({ [id]: 'long enough' });
    expect((await new KeyRing(new FileVault(store, passphrases(world))).find(id, 'targets'))?.id).toBe(id);
  });

  test('an imported key is kept under the name and ID that it gets', async () => {
    const keychain = fakeKeychain();
    const world = { env: keychain.env, settings: { signer: { keychain: keychain.helper } } };
    const key = generatePrivateKey('ecdsa');
    const fileWith = (passphrase: string) => fileOf(key, '', { passphrase });
    const store = new MemoryKeyStore();
    await new KeyRing(new FileVault(store, passphrases({ ...world, typed: ['its own'] }))).import(fileWith('its own'), {
      name: 'signer',
    });
    expect(keychain.all()).toEqual({ [key.id]: 'its own' });
    // A key that is here already keeps its passphrase, and so does the keychain.
    await new KeyRing(new FileVault(store, passphrases({ ...world, typed: ['another'] }))).import(fileWith('another'), {
      name: 'signer',
    });
    expect(keychain.all()).toEqual({ [key.id]: 'its own' });
    const stored = await store.load(key.id);
    if (stored === undefined) throw new Error('not stored');
    expect(openKeyFile(stored, Buffer.from('its own')).id).toBe(key.id);
  });

  test('a keychain that fails to keep stops no one', async () => {
    const keychain = fakeKeychain();
    keychain.lock();
    const world = { env: keychain.env, settings: { alice: { keychain: keychain.helper } } };
    const store = new MemoryKeyStore();
    const ring = new KeyRing(new FileVault(store, passphrases({ ...world, typed: ['long enough', 'long enough'] })));
    const { id } = await ring.create('alice');
    expect(await ring.has(id)).toBe(true);
    expect(printed).toEndWith(
      'The keychain does not keep this passphrase: error storing credentials - err: exit status 1, out: `locked`\n',
    );
  });

  test('what came from elsewhere is not kept', async () => {
    const keychain = fakeKeychain();
    const settings = { repository: { keychain: keychain.helper }, alice: { file: file('from a file') } };
    const ring = new KeyRing(new FileVault(new MemoryKeyStore(), passphrases({ env: keychain.env, settings })));
    await ring.create('alice');
    expect(keychain.all()).toEqual({});
  });
});

test('the settings are not read where the environment has everything', async () => {
  let reads = 0;
  const source = new SignersPassphrases({
    env: DOCKER,
    places: async () => {
      reads++;
      return new Map();
    },
    person: { print: () => undefined, askHidden: async () => Buffer.of() },
  });
  for (const alias of ALIASES) await source.existing({ id: ID, alias }, 0);
  expect(reads).toBe(0);
});
