import { isSignetError, type SignetError } from '../../core/errors/index.ts';
import type { Metadata } from '../../core/metadata/common.ts';
import type { Envelope } from '../../core/metadata/envelope.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { canonicalKeyIds } from '../../core/verify/signers.ts';
import type { Trusted } from '../../core/verify/trusted-set.ts';
import { validSigners } from '../../core/verify/verify.ts';
import type { MirrorInfo } from '../../remote/notary/mirror-info.ts';
import { type Signatory, signatoryOf } from '../keys/signatories.ts';
import { countHere } from '../keys/signer-roles.ts';
import type { Repository } from '../publish/repository.ts';
import type { WaitingProposal } from '../publish/waiting-proposal.ts';
import type { Collection } from '../update/collection.ts';
import { askMirror } from '../update/stale-mirror.ts';

/**
 * The state of one published file of a collection: version, expiry, signatures and keys.
 *
 * @example
 * ```ts
 * import { type RoleStatus, statusOf } from 'signet';
 *
 * const isDue = ({ expires }: RoleStatus) => expires < Date.now() + 30 * 24 * 3600 * 1000;
 * const { roles } = await statusOf(repository);
 * assert.deepEqual(roles.filter(isDue).map(({ role }) => role), ['timestamp']); // the server renews it
 * ```
 */
export interface RoleStatus {
  readonly role: RoleName;
  readonly version: number;
  readonly expires: Instant;
  /** Whose keys signed the file as it stands, and how many must. */
  readonly signed: readonly Signatory[];
  readonly threshold: number;
  /** How many keys the role has, and how many of them are here. */
  readonly keys: number;
  readonly here: number;
}

/**
 * The state of a collection, and the proposal that waits for signatures.
 *
 * @example
 * ```ts
 * import { type Status, statusOf } from 'signet';
 *
 * const status: Status = await statusOf(repository);
 * assert.equal(status.waiting, undefined);
 * ```
 */
export interface Status {
  readonly collection: Collection;
  readonly roles: readonly RoleStatus[];
  /** The proposal that waits; the error if it is of no use; `hidden` from those whom the server does not let see it. */
  readonly waiting: WaitingProposal | SignetError | 'hidden' | undefined;
  /** Where the collection comes from, if the server is a mirror. */
  readonly mirror: MirrorInfo | undefined;
}

/**
 * The state of a collection, expired or not, and what waits for signatures. Throws `trust-data-missing`.
 *
 * @example
 * ```ts
 * import { statusOf } from 'signet';
 *
 * for (const { role, version, expires, signed, threshold } of (await statusOf(repository)).roles) {
 *   console.log(role, version, new Date(expires), `${signed.length} of ${threshold}`);
 * }
 * ```
 */
export async function statusOf(repository: Repository): Promise<Status> {
  const collection = await repository.inspect();
  const roles: RoleStatus[] = [];
  for (const { role, version, expires, envelope } of filesOf(collection)) {
    const signers = collection.set.signersOf(role);
    roles.push({
      role,
      version,
      expires,
      signed: [...validSigners(envelope, signers)].map((id) => signatoryOf(collection.set, id)),
      threshold: signers.threshold,
      keys: signers.keyIds.length,
      here: await countHere(repository.keys, canonicalKeyIds(signers)),
    });
  }
  const waiting = await waitingIn(repository, collection);
  return { collection, roles, waiting, mirror: await askMirror(repository.source) };
}

interface File extends Pick<RoleStatus, 'role' | 'version' | 'expires'> {
  readonly envelope: Envelope;
}

function filesOf({ set, unusable }: Collection): readonly File[] {
  const { root, envelope } = set.root;
  return [
    { role: 'root', version: root.version, expires: root.expires.at, envelope },
    ...[...set.targets, ...unusable].map(([role, file]) => describe(role, file)),
    describe('snapshot', set.snapshot),
    describe('timestamp', set.timestamp),
  ];
}

function describe(role: RoleName, { payload, envelope }: Trusted<Metadata>): File {
  return { role, version: payload.version, expires: payload.expires.at, envelope };
}

async function waitingIn(repository: Repository, collection: Collection): Promise<Status['waiting']> {
  try {
    return await repository.waiting(collection);
  } catch (error) {
    if (isSignetError(error, 'unauthorized')) return 'hidden';
    if (isSignetError(error, 'proposal-stale', 'proposal-invalid', 'role-unknown')) return error;
    throw error;
  }
}
