import { isSignetError } from '../../core/errors/index.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { RepositorySource } from './repository-source.ts';

/** The server has said no: no key that was made for the change is in force. */
const REFUSALS = ['publish-conflict', 'publish-rejected', 'forbidden', 'unauthorized', 'credentials-missing'] as const;

/**
 * Sends files to be published. Unless the server says no, the keys that were made for them stay: without its answer no
 * one knows whether they are in force. Throws as `TrustServer.publish`.
 */
export async function send(
  { gun, server, whileSending = (_, sending) => sending() }: Pick<RepositorySource, 'gun' | 'server' | 'whileSending'>,
  keys: Pick<KeyRing, 'keepMade'>,
  files: ReadonlyMap<RoleName, Buffer>,
): Promise<void> {
  try {
    await whileSending(gun, () => server.publish(gun, files));
  } catch (error) {
    if (!isSignetError(error, ...REFUSALS)) keys.keepMade();
    throw error;
  }
  keys.keepMade();
}
