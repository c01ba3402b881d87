import { decodeBase64 } from '../base64.ts';
import { SignetError } from '../errors/index.ts';
import { canonicalText, escapeForFile } from '../json/canonical.ts';
import { Fields } from '../json/fields.ts';
import { type JsonValue, parseJson } from '../json/parse.ts';
import { LIMITS } from '../limits.ts';
import { isKeyId } from '../names/key-id.ts';
import type { RoleName } from '../names/role.ts';
import type { Signature } from '../signature.ts';

/** A metadata file as it was read: what was signed, and who claims to have signed it. Nothing in it is verified. */
export interface Envelope {
  readonly role: RoleName;
  /** The file, byte for byte: what checksums are over. */
  readonly bytes: Buffer;
  /** The payload as a JSON tree. */
  readonly signed: JsonValue;
  /** The canonical bytes of the payload: what signatures are over. */
  readonly message: Buffer;
  readonly signatures: readonly Signature[];
}

/** More signatures than any role can have use for; the rest of a file that carries more is not read. */
const MAX_SIGNATURES = 512;

/**
 * Parses the envelope of every metadata file (protocol A.1): exactly `signed` and `signatures`. Entries that cannot be
 * signatures are passed over, since one bad entry must not void a valid file; whether enough good ones remain is
 * for the role's threshold to say. Throws `json-*`, or `metadata-malformed` for too many signatures, or more than
 * such a large file may have.
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

/** The bytes of a metadata file in exactly Notary's form (protocol A.1.1, A.1.2). */
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
  // Only names of methods are kept: a retained signature is written back into files.
  if (bytes === undefined || !/^[A-Za-z0-9#. -]{1,32}$/.test(method)) return undefined;
  return { keyId, method: method.toLowerCase(), bytes };
}
