import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { claimedRootVersion, type TrustedRoot, trustFirstRoot, trustNextRoot } from '../../core/verify/root-trust.ts';
import type { FileSource } from './collection-source.ts';
import { describeFirstRoot } from './first-root.ts';

/**
 * The root of a repository that was never trusted before: by pin, or on first use, possibly after asking a person.
 * Throws `trust-data-missing`, or what `trustFirstRoot` throws.
 */
export async function firstRoot(source: FileSource): Promise<TrustedRoot> {
  const { gun, host, pinning, now, approveFirstRoot } = source;
  const bytes = await firstRootFile(source);
  try {
    return trustFirstRoot(gun, bytes, pinning, now);
  } catch (error) {
    if (pinning.tofu !== 'ask' || !isSignetError(error, 'root-unpinned')) throw error;
    const root = trustFirstRoot(gun, bytes, { ...pinning, tofu: 'on' }, now);
    const isApproved = await approveFirstRoot?.(describeFirstRoot(root, host, now));
    if (isApproved !== true) throw error;
    return root;
  }
}

async function firstRootFile({ gun, host, server }: FileSource): Promise<Buffer> {
  try {
    return await server.read(gun, { role: 'root' }, LIMITS.metadata);
  } catch (cause) {
    if (!isSignetError(cause, 'trust-data-missing')) throw cause;
    throw new SignetError('trust-data-missing', `${host} does not have trust data for ${gun}`, {
      cause,
      detail: cause.detail,
    });
  }
}

/**
 * Updates from the trusted root to the server's newest, one version at a time (protocol A.13.3). Throws `why` if there
 * is no newer one, and the error of the first step that fails.
 */
export async function newestRoot(
  { gun, server, pinning, now }: FileSource,
  trusted: TrustedRoot,
  why: SignetError,
): Promise<TrustedRoot> {
  const newest = await server.read(gun, { role: 'root' }, LIMITS.metadata);
  if (newest.equals(trusted.envelope.bytes)) throw why;
  const last = claimedRootVersion(newest);
  if (last - trusted.root.version > LIMITS.rootChain) {
    throw new SignetError('version-jump', `root version ${last} is too far from version ${trusted.root.version}`);
  }
  let root = trusted;
  for (let version = trusted.root.version + 1; version < last; version++) {
    const bytes = await server.read(gun, { role: 'root', version }, LIMITS.metadata);
    root = trustNextRoot(root, bytes, pinning, now, 'intermediate');
  }
  return trustNextRoot(root, newest, pinning, now, 'last');
}
