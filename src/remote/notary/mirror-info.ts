import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Gun } from '../../core/names/gun.ts';
import { quoted } from '../../core/printable.ts';
import { type Instant, parseTime } from '../../core/time.ts';
import type { AuthorizedClient } from '../auth/authorized.ts';
import { sendTrustRequest } from './trust-request.ts';

/** What a mirror says of a collection that it serves. It is the mirror's word: only expiry in the files themselves binds. */
export interface MirrorInfo {
  /** Address of the trust server that the copy was read from, as a person is shown it; undefined if none is known. */
  readonly server: string | undefined;
  readonly read: Instant;
  /** The last moment at which clients accept the copy. */
  readonly until: Instant;
}

/**
 * Whether the trust server at `address` serves a collection as a mirror. Undefined for any other server, and for an answer
 * that cannot be read. Throws what the connection throws.
 */
export async function mirrorInfo(client: AuthorizedClient, address: URL, gun: Gun): Promise<MirrorInfo | undefined> {
  const request = { method: 'GET', gun, path: 'signet/mirror', actions: ['pull'], limit: LIMITS.errorBody } as const;
  const { status, body } = await sendTrustRequest(client, address, request);
  return status === 200 ? readInfo(body) : undefined;
}

function readInfo(body: Buffer): MirrorInfo | undefined {
  try {
    const fields = new Fields(parseJson(body), 'the mirror', ['server', 'read', 'until'], 'ignore');
    const server = fields.optionalString('server');
    return {
      server: server === undefined ? undefined : readServer(server),
      read: parseTime(fields.string('read')),
      until: parseTime(fields.string('until')),
    };
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

function readServer(text: string): string {
  if (URL.canParse(text)) return new URL(text).origin;
  throw new SignetError('response-invalid', `${quoted(text, 100)} is no address`);
}
