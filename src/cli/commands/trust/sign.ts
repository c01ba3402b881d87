import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { Signer } from '../../../core/keys/signer.ts';
import { digestHex } from '../../../core/names/digest.ts';
import { familiarReference, gunOf } from '../../../core/names/reference.ts';
import { isBaseRole, isDelegation, RELEASES } from '../../../core/names/role.ts';
import { allTargets, isUnanswered } from '../../../core/verify/lookup.ts';
import { digestsIn, type ImageDescription } from '../../../engine/api/image.ts';
import { serverFor } from '../../../remote/transport/server-address.ts';
import type { StoredKey } from '../../../store/key-store.ts';
import { addSigner, initializeWithImages, type SignedImage } from '../../../trust/changes/sign.ts';
import { targetDigest } from '../../../trust/decide/resolve.ts';
import { signableRoles } from '../../../trust/keys/signer-roles.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import { inspectCollection } from '../../../trust/report/inspect.ts';
import type { Collection } from '../../../trust/update/collection.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { wordedAs } from '../../wording/docker-texts.ts';
import { PENDING_EXIT } from '../../wording/pending.ts';
import { checkCreation, INIT_FLAG, isCreatedHere, isWatched } from './creation.ts';
import { failingToSign, nameOf, openKeys, pushImage, signAs, type TaggedReference } from './signing.ts';

interface Request {
  readonly typed: string;
  readonly reference: TaggedReference;
}

/** Names of keys that were never named (protocol C.2.5, D.11), which no signer can have. */
const UNNAMED: readonly string[] = ['', 'signer', 'delegation', 'releases'];

const LACKS_IT = 'lacks it';

/** Where the digest to sign may come from. Undefined means anywhere. */
type Origin = 'engine' | 'registry';

/** The options of the command, which apply to all its images. */
interface Wishes {
  readonly origin: Origin | undefined;
  /** Whether a new repository may be created even without a person watching. */
  readonly mayCreate: boolean;
}

/** Where the digest to sign was found. */
type Source =
  | { readonly kind: 'released'; readonly image: SignedImage; readonly collection: Collection }
  | { readonly kind: 'engine' }
  | RegistrySource;

interface RegistrySource {
  readonly kind: 'registry';
  readonly image: SignedImage;
}

/** Where an image is to be signed. */
interface Place {
  readonly repository: Repository;
  readonly collection: Collection | undefined;
  readonly origin: Origin | undefined;
}

interface Plan extends Request {
  readonly source: Source;
}

export const SIGN: Command<Session> = {
  path: 'trust sign',
  summary: 'Sign an image',
  args: [{ name: 'IMAGE:TAG[@DIGEST]', takes: 'image', isRepeated: true }],
  usage: 'IMAGE:TAG[@DIGEST] [IMAGE:TAG[@DIGEST]...]',
  flags: [
    INIT_FLAG,
    { name: 'local', type: 'switch', about: 'Sign a locally tagged image' },
    { name: 'remote', type: 'switch', about: 'Sign what the registry holds, without an engine' },
  ],
  examples: [
    { about: 'Sign a tag, and push the image if only the engine has it', line: 'trust sign alice/app:1.0' },
    { about: 'Sign what the registry holds, without an engine', line: 'trust sign --remote alice/app:1.0' },
    { about: 'Sign several tags in one publish', line: 'trust sign alice/app:1.0 alice/app:latest' },
  ],
  exitCodes: PENDING_EXIT,
  run: sign,
};

/**
 * `docker trust sign IMAGE:TAG` (protocol D.14), and beyond docker: several images at once, `IMAGE:TAG@DIGEST`, and
 * images that are only in the registry, for which no engine is needed. All tags of a repository are signed in one
 * publish.
 */
async function sign(session: Session, parsed: ParsedCommand): Promise<number> {
  const origin: Origin | undefined = parsed.has('local') ? 'engine' : parsed.has('remote') ? 'registry' : undefined;
  const requests = parsed.args.map((typed) => readRequest(session, typed));
  for (const group of Map.groupBy(requests, ({ reference }) => gunOf(reference)).values()) {
    await signGroup(session, group, { origin, mayCreate: parsed.has('init') });
  }
  return 0;
}

function readRequest(session: Session, typed: string): Request {
  const { tag, ...reference } = session.resolve(typed);
  if (tag !== undefined) return { typed, reference: { ...reference, tag } };
  if (reference.digest === undefined)
    throw new SignetError('image-reference-unsupported', `no tag specified for ${typed}`);
  throw new SignetError('image-reference-unsupported', 'cannot use a digest reference for IMAGE:TAG', {
    next: 'Name the tag to sign it under as well: IMAGE:TAG@DIGEST',
  });
}

/** Creates, pushes and signs nothing before it has found every image of the group. */
async function signGroup(session: Session, group: readonly Request[], { origin, mayCreate }: Wishes): Promise<void> {
  const [first] = group;
  if (first === undefined) return;
  const repository = await session.repository(first.reference, 'push');
  await wordedAs(gunOf(first.reference), async () => {
    const collection = await repository.current();
    const plans: Plan[] = [];
    for (const request of group) {
      plans.push({ ...request, source: await sourceOf(session, request, { repository, collection, origin }) });
    }
    if (collection === undefined) checkCreation(session, repository.gun, mayCreate, '--init');
    const isCreated = collection !== undefined || (await initialize(session, repository, first));
    if (plans.some(({ source }) => source.kind === 'engine')) {
      await openKeys(repository, collection ?? (await repository.current()), first.reference);
    }
    const images: SignedImage[] = [];
    for (const plan of plans) images.push(await imageOf(session, repository, plan));
    const isSigned = !isCreated && (await isCreatedHere(() => initializeWithImages(repository, images)));
    if (!isSigned) await signAs(repository, first.reference, images);
  });
  for (const { reference } of group) session.print(`Successfully signed ${nameOf(reference)}\n`);
}

/**
 * Creates the repository, with the logged-in user as its first signer. Returns false if no one is logged in (protocol
 * D.14 step 3).
 */
async function initialize(session: Session, repository: Repository, { reference, typed }: Request): Promise<boolean> {
  const user = await session.username(reference);
  if (user === undefined) return false;
  if (!isDelegation(`targets/${user}`)) {
    throw new SignetError('role-invalid', `the user name ${user} cannot be a signer's name`, {
      next: 'Make a key and add it under another name first: signet trust key generate NAME, signet trust signer add --key NAME.pub NAME REPOSITORY',
    });
  }
  const found = () =>
    repository.initialize(async (editor) => {
      const { name, key } = await firstSigner(session, user);
      addSigner(editor, name, [key.publicKey]);
      session.print(`Created signer: ${name}\n`);
    });
  if (await isCreatedHere(found)) session.print(`Finished initializing signed repository for ${typed}\n`);
  return true;
}

/**
 * The first signer gets the user's name and the key of that name, generated if there is none, as in docker. But if a
 * script has imported the key to sign with, the owner of that key becomes the first signer: a generated key would be
 * lost when the script ends.
 */
async function firstSigner(session: Session, user: string): Promise<{ readonly name: string; readonly key: Signer }> {
  const { keys } = session;
  const signers = (await keys.list()).filter(({ role }) => !isBaseRole(role));
  const own = signers.find(({ role }) => role === user);
  const imported = own === undefined && !isWatched(session) ? onlyOne(signers, user) : undefined;
  const chosen = own ?? imported;
  const key = chosen === undefined ? await keys.create(user) : await keys.find(chosen.id, RELEASES);
  if (key === undefined) throw new SignetError('signing-key-missing', `signing key not found: ${chosen?.id}`);
  const hasName =
    imported !== undefined && !UNNAMED.includes(imported.role) && isDelegation(`targets/${imported.role}`);
  return { name: hasName ? imported.role : user, key };
}

function onlyOne(signers: readonly StoredKey[], user: string): StoredKey | undefined {
  if (signers.length <= 1) return signers[0];
  throw new SignetError('key-ambiguous', `no key here is called ${user}, and ${signers.length} others are here`, {
    next: 'Say who is to sign: signet trust signer add --init --key NAME.pub NAME REPOSITORY',
  });
}

/** Throws `image-missing` if neither the engine nor the registry has the image. */
async function sourceOf(
  session: Session,
  request: Request,
  { repository, collection, origin }: Place,
): Promise<Source> {
  const { reference } = request;
  if (reference.digest !== undefined) return inRegistry(session, reference);
  const released =
    origin === undefined && collection !== undefined ? releasedImage(collection, reference.tag) : undefined;
  if (released !== undefined && collection !== undefined) return { kind: 'released', image: released, collection };
  if (origin === 'registry') return inRegistry(session, reference);
  const shown = familiarReference(reference);
  const engine = await askEngine(session, shown, origin === 'engine');
  if (typeof engine !== 'string') {
    const isOurs = origin === 'engine' || !speaksForOthers(repository, reference);
    return (isOurs ? undefined : await sameInRegistry(session, reference, engine)) ?? { kind: 'engine' };
  }
  if (origin === 'engine')
    throw new SignetError('image-missing', `Error response from daemon: No such image: ${shown}`);
  return inRegistry(session, reference).catch((cause: unknown) => {
    if (!isSignetError(cause, 'not-found')) throw cause;
    const why =
      engine === LACKS_IT ? 'neither the engine nor the registry has it' : `not in the registry, and ${engine}`;
    throw new SignetError('image-missing', `No such image: ${shown}: ${why}`, { cause });
  });
}

/** The image to sign. Pushes it if only the engine has it. */
async function imageOf(session: Session, repository: Repository, plan: Plan): Promise<SignedImage> {
  const { reference, typed, source } = plan;
  if (source.kind === 'engine') {
    session.printError(`Signing and pushing trust data for local image ${typed}, may overwrite remote trust data\n`);
    const image = await pushImage(session, reference);
    session.print('Signing and pushing trust metadata\n');
    return image;
  }
  if (source.kind === 'registry') {
    session.printError(`Signing what the registry holds as ${familiarReference(reference)}: ${source.image.digest}\n`);
    return source.image;
  }
  session.print(`Signing and pushing trust metadata for ${typed}\n`);
  await failingToSign(reference, () => signableRoles(source.collection.set, reference.tag, repository.keys));
  session.print(existingSignatures(source.collection, reference.tag, source.image));
  return source.image;
}

/**
 * The digest that is already released under the tag, the first in tree order as in docker. Undefined if there is
 * none, or if `targets/releases`, which decides on it, must not be used.
 */
function releasedImage({ set }: Collection, tag: string): SignedImage | undefined {
  if (isUnanswered(set, tag)) return undefined;
  const found = allTargets(set, tag).find(({ role }) => role === 'targets' || role === RELEASES);
  return found === undefined ? undefined : { tag, digest: targetDigest(found.target), size: found.target.length };
}

function existingSignatures({ set }: Collection, tag: string, image: SignedImage): string {
  const row = inspectCollection(set, tag).tags.find(({ digest }) => digest === digestHex(image.digest));
  return `Existing signatures for tag ${tag} digest ${digestHex(image.digest)} from:\n${row?.signers.toSorted().join(', ') ?? ''}\n`;
}

async function inRegistry(session: Session, reference: TaggedReference): Promise<RegistrySource> {
  const { digest, size } = await session.manifest(reference);
  return { kind: 'registry', image: { tag: reference.tag, digest, size } };
}

/** Whether the trust server is not the registry's own, so that signers vouch for images that others may have pushed. */
function speaksForOthers({ source }: Repository, { registry }: TaggedReference): boolean {
  return source.host !== serverFor(registry, { environment: undefined }).host;
}

/** The registry's image, if the engine pulled or pushed that very digest, so that a push would change nothing. */
async function sameInRegistry(
  session: Session,
  reference: TaggedReference,
  image: ImageDescription,
): Promise<Source | undefined> {
  const digests = digestsIn(reference, image);
  if (digests.length === 0) return undefined;
  try {
    const source = await inRegistry(session, reference);
    return digests.includes(source.image.digest) ? source : undefined;
  } catch (error) {
    // The push will report what is wrong.
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

/**
 * The engine's image, or the reason why it has none. A missing engine is an error only if the image must come from it.
 */
async function askEngine(session: Session, name: string, isRequired: boolean): Promise<ImageDescription | string> {
  try {
    return (await (await session.engine()).inspectImage(name)) ?? LACKS_IT;
  } catch (error) {
    if (isRequired || !isSignetError(error, 'engine-unreachable', 'docker-missing')) throw error;
    return `no engine: ${error.message}`;
  }
}
