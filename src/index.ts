/** Signet as a library: resolve references to signed digests, sign, renew, inspect. Runs on Bun and on Node 22 and later. */
export { type ErrorCode, isSignetError, SignetError } from './core/errors/index.ts';
export { type Digest, digestOf, parseDigest } from './core/names/digest.ts';
export { formatReference, parseReference, type Reference } from './core/names/reference.ts';
export type { Manifest } from './remote/manifest.ts';
export { type DueRole, planRenewal, type RenewalPlan, renew } from './trust/changes/renew.ts';
export { initializeWithImages, revokeTags, type SignedImage, signImages } from './trust/changes/sign.ts';
export { TrustClient } from './trust/client.ts';
export { type TrustedImage, trustedImage } from './trust/enforce/enforce.ts';
export type { PassphraseOwner, PassphraseRequest, Passphrases } from './trust/keys/passphrases.ts';
export { type OpenClient, type OpenOptions, openTrust } from './trust/open.ts';
export type { Publication } from './trust/publish/publication.ts';
export { Repository } from './trust/publish/repository.ts';
export type { WaitingProposal } from './trust/publish/waiting-proposal.ts';
export { type Inspection, inspectCollection } from './trust/report/inspect.ts';
export { type RoleStatus, type Status, statusOf } from './trust/report/status.ts';
export { type Configuration, resolveName } from './trust/settings/configuration.ts';
export type { ApproveFirstRoot, FirstRoot, FirstRootKey } from './trust/update/first-root.ts';
