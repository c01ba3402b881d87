/**
 * Signet as a library: decide which images may be used, sign, renew, inspect (docs/library.md). Runs on Node 20 and
 * later, and on Bun.
 */
export { type ErrorCode, isSignetError, SignetError } from './core/errors/index.ts';
export { type Digest, digestOf, parseDigest } from './core/names/digest.ts';
export { formatReference, parseReference, type Reference } from './core/names/reference.ts';
export type { Manifest } from './remote/registry/manifest.ts';
export { type DueRole, planRenewal, type RenewalPlan, renew } from './trust/changes/renew.ts';
export { initializeWithImages, revokeTags, type SignedImage, signImages } from './trust/changes/sign.ts';
export type { TrustClient } from './trust/client.ts';
export { decide } from './trust/decide/decide.ts';
export { type AskedImage, type Decision, type ImageId, type Permitted, permitted } from './trust/decide/decision.ts';
export type { CollectionView, Evidence } from './trust/decide/evidence.ts';
export type { ImageRules } from './trust/decide/image-rules.ts';
export type { PassphraseOwner, PassphraseRequest, Passphrases } from './trust/keys/passphrases.ts';
export { type OpenClient, type OpenOptions, openTrust } from './trust/open.ts';
export type { Publication } from './trust/publish/publication.ts';
export type { Repository } from './trust/publish/repository.ts';
export type { WaitingProposal } from './trust/publish/waiting-proposal.ts';
export { type Inspection, inspectCollection } from './trust/report/inspect.ts';
export { type RoleStatus, type Status, statusOf } from './trust/report/status.ts';
export { type Configuration, resolveName } from './trust/settings/configuration.ts';
export type { ApproveFirstRoot, FirstRoot, FirstRootKey } from './trust/update/first-root.ts';
