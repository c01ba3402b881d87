import { SignetError } from './errors/index.ts';
import { LIMITS } from './limits.ts';
import { isBaseRole, isDelegation } from './names/role.ts';

/**
 * Request header that asks for the chain along with the timestamp, and names the files the client already has (protocol
 * I.1).
 */
export const CHAIN_HEADER = 'Signet-Chain';
/** Media type of a chain. Any other media type means that the response is the timestamp alone. */
export const CHAIN_TYPE = 'application/vnd.signet.chain.v1';

/** Lower-case hexadecimal SHA-256 of the files a client already has: none, a root, or a root and a timestamp. */
export interface KnownFiles {
  readonly root?: string;
  readonly timestamp?: string;
}

/**
 * Files of a collection by name: `timestamp`, `root`, `2.root`, `snapshot`, `targets/releases`. None of them is
 * verified.
 */
export type Chain = ReadonlyMap<string, Buffer>;

const KNOWN = /^(?:none|root=([0-9a-f]{64})(?:, timestamp=([0-9a-f]{64}))?)$/;
const HEAD = /^([-a-z0-9_./]+) (0|[1-9]\d{0,8})$/;
const OLD_ROOT = /^[1-9]\d{0,9}\.root$/;
/** Longest header line of a file: a role name, a version or a length, and the separators. */
const MAX_HEAD = LIMITS.role + 32;
/** At most as many roots and delegations as a client follows, plus the three other files. */
const MAX_FILES = LIMITS.rootChain + LIMITS.delegations + 3;
const LINE_FEED = 0x0a;

/** Formats the header's value. */
export function formatKnown({ root, timestamp }: KnownFiles): string {
  if (root === undefined) return 'none';
  return timestamp === undefined ? `root=${root}` : `root=${root}, timestamp=${timestamp}`;
}

/**
 * Parses the header's value. Returns undefined if it is missing or malformed; the server then answers as Notary does.
 */
export function parseKnown(header: string | null): KnownFiles | undefined {
  const found = header === null ? null : KNOWN.exec(header);
  if (found === null) return undefined;
  const [, root, timestamp] = found;
  return { ...(root === undefined ? {} : { root }), ...(timestamp === undefined ? {} : { timestamp }) };
}

/** Writes a chain: for each file a line with its name and length in bytes, then its bytes and a line feed. */
export class ChainWriter {
  private readonly pieces: Uint8Array[] = [];
  private length = 0;
  private files = 0;

  /** Adds a file unless the chain would then be longer than readers accept. Returns whether it was added. */
  add(name: string, bytes: Uint8Array): boolean {
    const head = Buffer.from(`${name} ${bytes.length}\n`);
    const length = head.length + bytes.length + 1;
    if (this.length + length > LIMITS.chain || this.files === MAX_FILES) return false;
    this.pieces.push(head, bytes, Buffer.of(LINE_FEED));
    this.length += length;
    this.files++;
    return true;
  }

  finish(): Buffer {
    return Buffer.concat(this.pieces, this.length);
  }
}

/** Parses exactly what `ChainWriter` writes. Throws `response-invalid`. */
export function parseChain(body: Buffer): Chain {
  const files = new Map<string, Buffer>();
  for (let at = 0; at < body.length; ) {
    const end = body.subarray(at, at + MAX_HEAD).indexOf(LINE_FEED);
    const [, name = '', digits] = HEAD.exec(body.toString('latin1', at, at + Math.max(0, end))) ?? malformed();
    const start = at + end + 1;
    at = start + Number(digits) + 1;
    if (body[at - 1] !== LINE_FEED || !isFileName(name) || files.has(name) || files.size === MAX_FILES) malformed();
    files.set(name, body.subarray(start, at - 1));
  }
  return files;
}

function isFileName(name: string): boolean {
  return isBaseRole(name) || isDelegation(name) || OLD_ROOT.test(name);
}

function malformed(): never {
  throw new SignetError('response-invalid', "the trust server's chain of files is malformed");
}
