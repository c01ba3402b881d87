import { decodeBase64 } from '../base64.ts';
import { SignetError } from '../errors/index.ts';
import { canonicalText, escapeForFile } from '../json/canonical.ts';
import { Fields } from '../json/fields.ts';
import { type JsonValue, parseJson } from '../json/parse.ts';
import { LIMITS } from '../limits.ts';
import { isKeyId } from '../names/key-id.ts';
import type { RoleName } from '../names/role.ts';
import type { Signature } from '../signature.ts';

/** A parsed metadata file: the payload that was signed, and the claimed signatures. Nothing is verified yet. */
export interface Envelope {
  readonly role: RoleName;
  /** The file as it is: what checksums are computed over. */
  readonly bytes: Buffer;
  /** The payload as a JSON tree. */
  readonly signed: JsonValue;
  /** The canonical bytes of the payload: what signatures are computed over. */
  readonly message: Buffer;
  readonly signatures: readonly Signature[];
}

/** More signatures than any role needs; a file with more is refused. */
const MAX_SIGNATURES = 512;

/**
 * Parses the envelope of every metadata file (protocol A.1): exactly `signed` and `signatures`. Entries that cannot be
 * signatures are skipped, because one bad entry must not invalidate the file; the role's threshold decides whether
 * enough good ones remain. Throws `json-*`, or `metadata-malformed` for too many signatures, in total or for a file of
 * this size.
 */
export function parseEnvelope(role: RoleName, bytes: Uint8Array): Envelope {
  const file = Buffer.from(bytes);
  const fields = new Fields(parseJson(file), `the ${role} file`, ['signed', 'signatures'], 'refuse');
  const signed = fields.raw('signed');
  if (!(signed instanceof Map)) throw new SignetError('json-unexpected', `the ${role} file: signed is not an object`);
  const entries = fields.array('signatures');
  if (entries.length > MAX_SIGNATURES) {
    throw new SignetError('metadata-malformed', `the ${role} file has more than ${MAX_SIGNATURES} signatures`);
  }
  if (entries.length > 1 && entries.length * file.length > LIMITS.hashed) {
    throw new SignetError('metadata-malformed', `the ${role} file is too large for its ${entries.length} signatures`);
  }
  return {
    role,
    bytes: file,
    signed,
    message: Buffer.from(canonicalText(signed), 'utf8'),
    signatures: entries.map(readSignature).filter((signature) => signature !== undefined),
  };
}

/** Writes a metadata file in exactly Notary's form (protocol A.1.1, A.1.2). */
export function writeEnvelope(signed: JsonValue, signatures: readonly Signature[]): Buffer {
  const entries = signatures.map(
    ({ keyId, method, bytes }) => `{"keyid":"${keyId}","method":"${method}","sig":"${bytes.toString('base64')}"}`,
  );
  return Buffer.from(`{"signed":${escapeForFile(canonicalText(signed))},"signatures":[${entries.join(',')}]}`, 'utf8');
}

function readSignature(entry: JsonValue): Signature | undefined {
  if (!(entry instanceof Map)) return undefined;
  const keyId = entry.get('keyid');
  const method = entry.get('method');
  const sig = entry.get('sig');
  if (typeof keyId !== 'string' || !isKeyId(keyId) || typeof method !== 'string' || typeof sig !== 'string')
    return undefined;
  const bytes = decodeBase64(sig);
  // Only method names are kept: a retained signature is written back to files.
  if (bytes === undefined || !/^[A-Za-z0-9#. -]{1,32}$/.test(method)) return undefined;
  return { keyId, method: method.toLowerCase(), bytes };
}
