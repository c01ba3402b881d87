import { SignetError } from '../errors/index.ts';
import { type Gun, parseGun } from '../names/gun.ts';
import { DEFAULT_ITERATIONS, decryptLegacy, decryptPbes2, encryptPbes2 } from './encryption.ts';
import { formatPem, type PemBlock, parsePem } from './pem.ts';
import { formatPkcs8, parsePkcs8 } from './pkcs8.ts';
import { type PrivateKey, privateKeyFromRaw } from './private-key.ts';

/** One private key as a PEM block: its headers are readable, the key itself is not yet. */
export interface KeyFile {
  /** `root`, `targets`, `snapshot`, or a free name; empty in foreign files. */
  readonly role: string;
  readonly gun: Gun | undefined;
  /** Only in exported bundles: a key ID, or a former path (protocol C.2.5). Not to be joined to a folder's path. */
  readonly path: string | undefined;
  readonly encrypted: boolean;
  readonly block: PemBlock;
}

/** How a new key file is written. */
export interface SealOptions {
  readonly role: string;
  /** Written for targets, snapshot and timestamp keys; other roles are not bound to a repository. */
  readonly gun?: Gun;
  /** An empty passphrase stores the key unencrypted. */
  readonly passphrase: Buffer;
  /** Rounds of PBKDF2. */
  readonly iterations?: number;
}

/** How to read the body of each PEM type, once it is decrypted (protocol C.2.1, C.2.2). */
const BODIES: ReadonlyMap<string, (body: Buffer) => PrivateKey> = new Map([
  ['ENCRYPTED PRIVATE KEY', parsePkcs8],
  ['PRIVATE KEY', parsePkcs8],
  ['EC PRIVATE KEY', (body: Buffer) => privateKeyFromRaw('ecdsa', body)],
  ['RSA PRIVATE KEY', (body: Buffer) => privateKeyFromRaw('rsa', body)],
  ['ED25519 PRIVATE KEY', (body: Buffer) => privateKeyFromRaw('ed25519', body)],
]);

/**
 * Reads the private keys of a PEM file, one after the other (protocol C.2); other blocks are passed over.
 * Throws `key-malformed`, `key-unsupported` if there is PEM but no private key, or `too-large`.
 */
export function parseKeyFile(file: Uint8Array): KeyFile[] {
  const blocks = parsePem(file);
  const [first] = blocks;
  if (first === undefined) throw new SignetError('key-malformed', 'no private key found: the file is not PEM');
  const keys = blocks.filter(holdsPrivateKey);
  if (keys.length === 0) throw new SignetError('key-unsupported', `no private key found, only a PEM ${first.type}`);
  return keys.map(readKeyBlock);
}

/** Whether a block is of a type that can hold a private key. */
export function holdsPrivateKey({ type }: PemBlock): boolean {
  return BODIES.has(type);
}

/** Reads the headers of a private key's block. Throws `key-malformed` if they name no possible repository. */
export function readKeyBlock(block: PemBlock): KeyFile {
  const gun = block.headers.get('gun');
  return {
    role: block.headers.get('role') ?? '',
    gun: gun === undefined ? undefined : readGun(gun),
    path: block.headers.get('path'),
    encrypted: block.type === 'ENCRYPTED PRIVATE KEY' || block.headers.has('DEK-Info'),
    block,
  };
}

/** The file of one key block, with the headers that `role`, `gun` and `path` say. The key in it stays as it is. */
export function formatKeyFile({ role, gun, path, block }: KeyFile): Buffer {
  const headers = new Map(block.headers);
  for (const [name, value] of Object.entries({ gun, path, role: role === '' ? undefined : role })) {
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  }
  return Buffer.from(formatPem(block.type, headers, block.bytes), 'utf8');
}

/**
 * Opens a key. Throws `key-passphrase-wrong` if it is encrypted and the passphrase is absent or does not fit (which
 * cannot be told from damage), `key-malformed`, `key-unsupported` or `key-too-short`.
 */
export function openKeyFile({ block, encrypted }: KeyFile, passphrase: Buffer | undefined): PrivateKey {
  const read = BODIES.get(block.type);
  if (read === undefined) throw new SignetError('key-unsupported', `unsupported PEM block type "${block.type}"`);
  if (!encrypted) return read(block.bytes);
  if (passphrase === undefined)
    throw new SignetError('key-passphrase-wrong', 'could not decrypt key: it needs a passphrase');
  const dekInfo = block.headers.get('DEK-Info');
  const body =
    dekInfo === undefined ? decryptPbes2(block.bytes, passphrase) : decryptLegacy(block.bytes, dekInfo, passphrase);
  try {
    return read(body);
  } catch (cause) {
    // One wrong passphrase in 256 leaves what looks like padding; the text under it is then noise.
    if (!(cause instanceof SignetError) || cause.code !== 'key-malformed') throw cause;
    throw new SignetError('key-passphrase-wrong', 'could not decrypt key: the passphrase is wrong', { cause });
  } finally {
    body.fill(0);
  }
}

/** Writes a key as Notary does (protocol C.2.1): `role` and `gun` headers, encrypted PKCS#8. Throws `key-malformed`. */
export function sealKey(key: PrivateKey, options: SealOptions): Buffer {
  const { role, gun, passphrase, iterations = DEFAULT_ITERATIONS } = options;
  const plain = formatPkcs8(key);
  const encrypted = passphrase.length > 0;
  const bytes = encrypted ? encryptPbes2(plain, passphrase, iterations) : plain;
  const type = encrypted ? 'ENCRYPTED PRIVATE KEY' : 'PRIVATE KEY';
  const file = formatKeyFile({ role, gun, path: undefined, encrypted, block: { type, headers: new Map(), bytes } });
  plain.fill(0);
  return file;
}

function readGun(text: string): Gun {
  try {
    return parseGun(text);
  } catch (cause) {
    throw new SignetError('key-malformed', 'malformed PEM: the gun header is not a repository name', { cause });
  }
}
