import { isSignetError } from '../../core/errors/index.ts';
import { isDigest } from '../../core/names/digest.ts';
import { DEFAULT_TAG, familiarReference, gunOf } from '../../core/names/reference.ts';
import type { PositionalToken } from '../../engine/flags.ts';
import { type TrustedImage, trustedImage } from '../../trust/enforce/enforce.ts';
import { wordedAs } from '../docker-texts.ts';
import { progressOutput } from '../progress-output.ts';
import { fetchTrusted } from './fetch.ts';
import { runError } from './run-error.ts';
import { type DockerTask, handOver } from './task.ts';
import { wrongCount } from './usage.ts';

/**
 * `docker run` and `docker create` (protocol D.5): the image is resolved to its signed digest, pulled and tagged if the
 * engine does not have it, and run by that digest.
 */
export async function runImage(task: DockerTask): Promise<number> {
  const [image] = task.args.positionals;
  if (image === undefined && task.trust) throw await wrongCount(task, 'at least 1');
  if (image === undefined || isImageId(image.value)) return handOver(task, task.args);
  if (!task.trust) return handOver(task, withFullName(task, image));
  try {
    return await runTrusted(task, image);
  } catch (error) {
    throw task.line.name === 'run' && isSignetError(error) ? runError(error) : error;
  }
}

async function runTrusted(task: DockerTask, image: PositionalToken): Promise<number> {
  const { session, args } = task;
  const reference = session.resolve(image.value);
  const trusted = await wordedAs(
    gunOf(reference),
    () => trustedImage(reference, (asked) => session.repository(asked, 'pull')),
    `No valid trust data for ${reference.tag ?? DEFAULT_TAG}`,
  );
  const pinned = args.withValue(image, familiarReference(trusted?.pinned ?? reference));
  const isPulled = trusted !== undefined && (await provide(task, trusted));
  // docker would pull `--pull always` once more.
  return handOver(task, isPulled ? pinned.without('pull') : pinned);
}

/** Makes sure that the engine has the image, as `--pull` asks for; returns whether it was pulled. */
async function provide({ session, args }: DockerTask, trusted: TrustedImage): Promise<boolean> {
  const policy = args.lastValue('pull') ?? 'missing';
  // For `never`, and for what is no policy, docker itself has the words.
  if (policy !== 'missing' && policy !== 'always') return false;
  const isThere = (await (await session.engine()).inspectImage(familiarReference(trusted.pinned))) !== undefined;
  if (isThere && policy !== 'always') return false;
  const isQuiet = args.isOn('quiet');
  if (!isThere && !isQuiet)
    session.printError(
      `Unable to find image '${familiarReference({ ...trusted.asked, digest: undefined })}' locally\n`,
    );
  await fetchTrusted(session, trusted, {
    platform: args.lastValue('platform'),
    show: isQuiet ? undefined : progressOutput('stderr'),
  });
  return true;
}

/** With the registry written out, where a default registry gives short names another meaning than docker's. */
function withFullName({ session, args }: DockerTask, image: PositionalToken): DockerTask['args'] {
  return session.configuration.defaultRegistry === undefined
    ? args
    : args.withValue(image, familiarReference(session.resolve(image.value)));
}

/** An image ID is content itself; docker asks no signature for it (protocol D.5). */
function isImageId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text) || isDigest(text);
}
