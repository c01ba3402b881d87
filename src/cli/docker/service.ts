import { isSignetError } from '../../core/errors/index.ts';
import { familiarName, familiarReference, gunOf, type Reference, withDefaultTag } from '../../core/names/reference.ts';
import type { FlagToken, PositionalToken } from '../../engine/flags.ts';
import { trustedImage } from '../../trust/enforce/enforce.ts';
import { wordedAs } from '../docker-texts.ts';
import { type DockerTask, handOver } from './task.ts';
import { wrongCount } from './usage.ts';

/** `docker service create` and `service update --image` (protocol D.7): the service gets `name:tag@digest`. */
export async function deployService(task: DockerTask): Promise<number> {
  const { session, args, line } = task;
  const image: PositionalToken | FlagToken | undefined =
    line.name === 'service create' ? args.positionals[0] : args.flags('image').at(-1);
  if (image?.value === undefined) {
    if (task.trust && line.name === 'service create') throw await wrongCount(task, 'at least 1');
    return handOver(task, args);
  }
  const reference = resolveImage(task, image.value);
  if (!task.trust) {
    const isShort = session.configuration.defaultRegistry !== undefined;
    return handOver(task, isShort ? args.withValue(image, familiarReference(reference)) : args);
  }
  try {
    const trusted = await wordedAs(
      gunOf(reference),
      () => trustedImage(reference, (asked) => session.repository(asked, 'pull')),
      `No trust data for ${familiarReference(withDefaultTag(reference))}`,
    );
    if (trusted === undefined) return await handOver(task, args.withValue(image, familiarReference(reference)));
    const pinned = `${familiarName(reference)}:${trusted.tag.tag}@${trusted.tag.digest}`;
    return await handOver(task, args.withValue(image, pinned));
  } catch (error) {
    if (!isSignetError(error)) throw error;
    throw error.reworded(`failed to resolve image digest using content trust: ${error.message}`);
  }
}

function resolveImage({ session, trust }: DockerTask, typed: string): Reference {
  try {
    return session.resolve(typed);
  } catch (cause) {
    if (!trust || !isSignetError(cause)) throw cause;
    throw cause.reworded(`invalid reference ${typed}: ${cause.message}`);
  }
}
