import { describe, expect, test } from 'bun:test';
import { SignetError } from '../../../src/core/errors/index.ts';
import { type BundledKey, formatKeyBundle, parseKeyBundle } from '../../../src/core/keys/key-bundle.ts';
import { formatKeyFile, openKeyFile, parseKeyFile, sealKey } from '../../../src/core/keys/key-file.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { formatPublicKeyFile } from '../../../src/core/keys/public-key-file.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import type { KeyId } from '../../../src/core/names/key-id.ts';
import { failure } from '../../support/failure.ts';

const GUN = parseGun('registry.example.com/acme/app');
const OTHER = parseGun('registry.example.com/acme/other');
const NOTHING = { role: undefined, gun: undefined };
const key = generatePrivateKey('ecdsa');

/** A sealed key with these headers, and with a path where one is given. */
function block(headers: { role?: string; gun?: string; path?: string }, passphrase = 'x'): Buffer {
  const [file] = parseKeyFile(sealKey(key, { role: '', passphrase: Buffer.from(passphrase), iterations: 1 }));
  if (file === undefined) throw new Error('no key');
  const all = new Map(Object.entries(headers));
  return formatKeyFile({
    ...file,
    role: headers.role ?? '',
    path: headers.path,
    gun: headers.gun as never,
    block: { ...file.block, headers: all },
  });
}

function only(bytes: Buffer, fallbacks = NOTHING as Parameters<typeof parseKeyBundle>[1]): BundledKey {
  const [entry, ...others] = parseKeyBundle(bytes, fallbacks);
  if (entry === undefined || others.length > 0) throw new Error('not one key');
  if (entry instanceof SignetError) throw entry;
  return entry;
}

describe('what a key gets (protocol C.2.5)', () => {
  test.each([
    ['its own role and GUN', { role: 'targets', gun: GUN }, { role: 'x', gun: OTHER }, 'targets', GUN],
    ['the GUN that is given', { role: 'snapshot' }, { role: undefined, gun: OTHER }, 'snapshot', OTHER],
    ['the role that is given', { gun: GUN }, { role: 'timestamp', gun: undefined }, 'timestamp', GUN],
    ['Notary’s name for a key without one, and no GUN', { gun: GUN }, NOTHING, 'delegation', undefined],
    ['no GUN for a root key', { role: 'root', gun: GUN }, { role: undefined, gun: OTHER }, 'root', undefined],
    ['no GUN for a signer’s key', { role: 'alice' }, { role: undefined, gun: OTHER }, 'alice', undefined],
    ['the GUN of a path of old', { role: 'targets', path: `tuf_keys/${GUN}/${key.id}` }, NOTHING, 'targets', GUN],
    [
      'the GUN of a path of old before all others',
      { role: 'targets', gun: OTHER, path: `tuf_keys/${GUN}/${key.id}` },
      { role: undefined, gun: OTHER },
      'targets',
      GUN,
    ],
    ['the role of a name of old', { path: `tuf_keys/${GUN}/${key.id}_snapshot` }, NOTHING, 'snapshot', GUN],
    ['the role of a folder of old', { path: `root_keys/${key.id}` }, { role: 'alice', gun: OTHER }, 'root', undefined],
    [
      'what is given, where the folder of old says nothing',
      { path: `tuf_keys/${key.id}` },
      NOTHING,
      'delegation',
      undefined,
    ],
  ] as const)('%s', (_, headers, fallbacks, role, gun) => {
    const { file } = only(block(headers), fallbacks);
    expect({ role: file.role, gun: file.gun, path: file.path }).toEqual({ role, gun, path: undefined });
    expect(openKeyFile(file, Buffer.from('x')).id).toBe(key.id);
  });

  test.each([
    ['an exported one', { path: key.id }, key.id],
    ['one of old', { path: `tuf_keys/${GUN}/${key.id}_targets` }, key.id],
    ['one whose path is no ID', { path: 'my key' }, undefined],
    ['one whose path leads out', { path: `../../${'f'.repeat(63)}` }, undefined],
    ['one without a path', {}, undefined],
  ])('the ID of %s', (_, headers, id) => {
    expect(only(block({ role: 'alice', ...headers })).id).toBe(id as KeyId | undefined);
  });

  test.each(['targets', 'snapshot', 'timestamp'])('a %s key of no one’s is refused', async (role) => {
    const error = await failure(() => only(block({ role })), 'key-malformed');
    expect([error.message, error.next]).toEqual([
      `invalid key pem block: it does not say whose ${role} key it is`,
      'Say it: --gun GUN',
    ]);
  });
});

describe('a file', () => {
  test('of several keys: what is wrong with one is not wrong with the others', () => {
    const bytes = Buffer.concat([
      Buffer.from('exported on Friday\n'),
      block({ role: 'alice' }),
      block({ role: 'targets' }),
      Buffer.from(formatPublicKeyFile(key.publicKey, 'alice')),
      block({ role: 'targets', gun: 'no repository' }),
      block({ role: 'targets', path: `tuf_keys/../../etc/${key.id}` }),
      block({ role: 'root' }),
    ]);
    const found = parseKeyBundle(bytes, NOTHING).map((entry) =>
      entry instanceof SignetError ? entry.code : entry.file.role,
    );
    expect(found).toEqual(['alice', 'key-malformed', 'key-malformed', 'name-invalid', 'root']);
  });

  test('of more keys than a person has, but no more than that', async () => {
    const many = Buffer.concat(Array(300).fill(block({ role: 'alice' })));
    expect(parseKeyBundle(many, NOTHING)).toHaveLength(300);
    await failure(() => parseKeyBundle(Buffer.alloc(LIMITS.keyBundle + 1, 0x0a), NOTHING), 'too-large');
    const empty = '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n';
    await failure(() => parseKeyBundle(Buffer.from(empty.repeat(10_001)), NOTHING), 'key-malformed');
  });

  test.each([
    ['text', 'no key', 'key-malformed'],
    ['a public key', formatPublicKeyFile(key.publicKey, 'alice'), 'key-unsupported'],
    ['a block without end', '-----BEGIN PRIVATE KEY-----\nAAAA\n', 'key-malformed'],
  ] as const)('%s has no keys', async (_, text, code) => {
    await failure(() => parseKeyBundle(Buffer.from(text), NOTHING), code);
  });
});

test('keys are written in the order of their IDs, still sealed, and read back', () => {
  const keys = Array.from({ length: 5 }, () => generatePrivateKey('ecdsa'));
  const files = keys.map((each, index) => {
    const options = { role: index === 0 ? 'root' : 'targets', passphrase: Buffer.from('x'), iterations: 1 };
    const [file] = parseKeyFile(sealKey(each, index === 0 ? options : { ...options, gun: GUN }));
    if (file === undefined) throw new Error('no key');
    return [each.id, file] as const;
  });
  const bundle = formatKeyBundle(new Map(files));
  const ids = keys.map(({ id }) => id).sort();
  expect([...bundle.toString().matchAll(/^path: (.*)$/gm)].map(([, id]) => id)).toEqual(ids);
  const read = parseKeyBundle(bundle, NOTHING) as readonly BundledKey[];
  expect(read.map(({ id }) => id)).toEqual(ids);
  for (const { id, file } of read) {
    const original = new Map(files).get(id as KeyId);
    expect(formatKeyFile(file).equals(formatKeyFile(original as NonNullable<typeof original>))).toBe(true);
  }
});
