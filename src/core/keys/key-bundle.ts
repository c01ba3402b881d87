import { isSignetError, SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import { type Gun, parseGun } from '../names/gun.ts';
import { isKeyId, type KeyId } from '../names/key-id.ts';
import { formatKeyFile, holdsPrivateKey, type KeyFile, readKeyBlock } from './key-file.ts';
import { type PemBlock, parsePem } from './pem.ts';

/** What a key gets that does not say it itself. */
export interface KeyFallbacks {
  readonly role: string | undefined;
  readonly gun: Gun | undefined;
}

/** A key of a bundle, as it is to be stored. */
export interface BundledKey {
  readonly file: KeyFile;
  /** The canonical ID that an exported key says it has; no one has checked it. */
  readonly id: KeyId | undefined;
}

/** One private key of a bundle, or why it cannot be stored. */
export type BundleEntry = BundledKey | SignetError;

/** Notary's name for a key that no one has named. */
const UNNAMED = 'delegation';
/** Keys that belong to one repository. */
const REPOSITORY_ROLES: readonly string[] = ['targets', 'snapshot', 'timestamp'];
const [OLD_ROOTS, OLD_OTHERS] = ['root_keys', 'tuf_keys'];
const MAX_BLOCKS = 10_000;
/** A file's name in the former folders, without `.key`: the ID, and in the oldest the role. */
const OLD_NAME = /^([0-9a-f]{64})(?:_(.+))?$/;

/**
 * Reads every private key of a file of exported keys (protocol C.2.5); other blocks are passed over. Throws
 * `key-malformed` if the file as a whole is not PEM, `key-unsupported` if there is no private key in it, or
 * `too-large`.
 */
export function parseKeyBundle(bytes: Uint8Array, fallbacks: KeyFallbacks): readonly BundleEntry[] {
  const blocks = parsePem(bytes, { bytes: LIMITS.keyBundle, blocks: MAX_BLOCKS });
  const [first] = blocks;
  if (first === undefined) throw new SignetError('key-malformed', 'no private key found: the file is not PEM');
  const keys = blocks.filter(holdsPrivateKey);
  if (keys.length === 0) throw new SignetError('key-unsupported', `no private key found, only a PEM ${first.type}`);
  return keys.map((block) => entryOf(block, fallbacks));
}

/** Keys as Notary exports them, each with its ID as its path and still sealed, in the order of the IDs. */
export function formatKeyBundle(keys: ReadonlyMap<KeyId, KeyFile>): Buffer {
  const sorted = [...keys].sort(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.concat(sorted.map(([id, file]) => formatKeyFile({ ...file, path: id })));
}

function entryOf(block: PemBlock, fallbacks: KeyFallbacks): BundleEntry {
  try {
    return bundledKey(readKeyBlock(block), fallbacks);
  } catch (error) {
    if (isSignetError(error)) return error;
    throw error;
  }
}

function bundledKey(file: KeyFile, fallbacks: KeyFallbacks): BundledKey {
  const folders = file.path?.split('/') ?? [];
  const [, name = '', formerRole] = OLD_NAME.exec(folders.pop() ?? '') ?? [];
  const implied = formerRole ?? (folders[0] === OLD_ROOTS ? 'root' : undefined);
  const role = file.role || (implied ?? fallbacks.role ?? UNNAMED);
  const gun = REPOSITORY_ROLES.includes(role) ? (formerGun(folders) ?? file.gun ?? fallbacks.gun) : undefined;
  if (gun === undefined && REPOSITORY_ROLES.includes(role)) {
    throw new SignetError('key-malformed', `invalid key pem block: it does not say whose ${role} key it is`, {
      next: 'Say it: --gun GUN',
    });
  }
  return { file: { ...file, role, gun, path: undefined }, id: isKeyId(name) ? name : undefined };
}

/** The GUN that stands in a former path: `tuf_keys/<GUN>/<ID>`. */
function formerGun([top, ...names]: readonly string[]): Gun | undefined {
  return top === OLD_OTHERS && names.length > 0 ? parseGun(names.join('/')) : undefined;
}
