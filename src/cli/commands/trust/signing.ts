import { type ErrorCode, isSignetError } from '../../../core/errors/index.ts';
import { wipe } from '../../../core/login.ts';
import { atDigest, familiarReference, gunOf, type Reference } from '../../../core/names/reference.ts';
import { initializeWithImages, openSigningKeys, type SignedImage, signImages } from '../../../trust/changes/sign.ts';
import { openCreationKeys } from '../../../trust/publish/create.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import type { Collection } from '../../../trust/update/collection.ts';
import type { Session } from '../../session.ts';
import { progressOutput } from '../../terminal/streams.ts';
import { wordedAs } from '../../wording/docker-texts.ts';
import { inForce } from '../../wording/pending.ts';
import { checkCreation, isCreatedHere } from './creation.ts';

/** Errors that are not failures to sign, or that the caller handles. */
const KEPT: readonly ErrorCode[] = ['cancelled', 'signatures-pending', 'proposal-unseen', 'trust-data-exists'];

/** A reference that has a tag. */
export type TaggedReference = Reference & { readonly tag: string };

interface PushOptions {
  /** Push and sign this one platform of the image. */
  readonly platform?: string | undefined;
  /** Whether to print neither progress nor results. */
  readonly isQuiet?: boolean;
}

/**
 * Pushes an image from the engine and signs the digest that the engine pushed. Pushes nothing that the available keys
 * cannot sign. `about` names the repository in errors.
 */
export async function pushAndSign(
  session: Session,
  reference: TaggedReference,
  options: PushOptions & { readonly about: string },
): Promise<void> {
  const tell = (text: string) => (options.isQuiet ? undefined : session.print(text));
  const repository = await session.repository(reference, 'push');
  const isNew = await wordedAs(options.about, async () => {
    const collection = await repository.current();
    if (collection === undefined) checkCreation(session, repository.gun, false);
    await openKeys(repository, collection, reference);
    return collection === undefined;
  });
  const image = await pushImage(session, reference, options);
  tell('Signing and pushing trust metadata\n');
  await wordedAs(options.about, async () => {
    const found = () => failingToSign(reference, () => initializeWithImages(repository, [image]));
    if (isNew && (await isCreatedHere(found))) tell(`Finished initializing "${repository.gun}"\n`);
    else await signAs(repository, reference, [image]);
  });
  tell(`Successfully signed ${nameOf(reference)}\n`);
}

/** Opens the keys that will sign the image, or for a new repository those that are available. */
export async function openKeys(
  repository: Repository,
  collection: Collection | undefined,
  reference: TaggedReference,
): Promise<void> {
  await failingToSign(reference, () =>
    collection === undefined
      ? openCreationKeys(repository.keys, repository.gun)
      : openSigningKeys(repository, collection, reference.tag),
  );
}

/**
 * Pushes an image and returns what the engine pushed. If only one platform is pushed, prints that the others are not
 * signed.
 */
export async function pushImage(
  session: Session,
  reference: TaggedReference,
  { platform, isQuiet }: PushOptions = {},
): Promise<SignedImage> {
  const engine = await session.engine();
  const auth = await session.engineAuth(reference);
  const pushed = await engine
    .push(familiarReference(reference), { auth, show: isQuiet ? undefined : progressOutput('stdout'), platform })
    .finally(() => auth && wipe(auth));
  if (pushed.insteadOf !== undefined) {
    session.printError(
      `Only the platform that the engine has was pushed, ${pushed.digest}, and not the index ${pushed.insteadOf}\n`,
    );
  }
  if (pushed.insteadOf !== undefined || platform) {
    session.printError(
      `What is signed is ${pushed.digest} alone; other platforms are not covered by ${nameOf(reference)}\n`,
    );
  }
  // An engine with the containerd image store does not report the size, so it is taken from the manifest of that
  // digest.
  const size = pushed.size ?? (await session.manifest(atDigest(reference, pushed.digest))).size;
  return { tag: reference.tag, digest: pushed.digest, size };
}

/** Signs images of one repository. An error names the image as docker does. */
export function signAs(
  repository: Repository,
  reference: TaggedReference,
  images: readonly SignedImage[],
): Promise<void> {
  return failingToSign(reference, async () => inForce(repository, await signImages(repository, images)));
}

/** GUN and tag, as docker names the signed image. */
export function nameOf(reference: TaggedReference): string {
  return `${gunOf(reference)}:${reference.tag}`;
}

/** Runs `work` and makes its error name the image as docker does. */
export async function failingToSign<T>(reference: TaggedReference, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSignetError(error) || KEPT.includes(error.code)) throw error;
    // Docker does not reword the error after "failed to sign" (protocol D.8 step 7). A code without docker's wording
    // keeps it so.
    throw error.within('signing-failed', `failed to sign ${nameOf(reference)}: ${error.message}`, {
      ...(error.next === undefined ? {} : { next: error.next }),
    });
  }
}
