import { isSignetError } from '../../../core/errors/index.ts';
import { familiarName, familiarReference, type Reference, withDefaultTag } from '../../../core/names/reference.ts';
import type { FlagToken, PositionalToken } from '../../../engine/cli/flags.ts';
import { isResolvedTag, type Permitted } from '../../../trust/decide/decision.ts';
import { permitService } from './closed-world/existing.ts';
import { nameMounts } from './mounts.ts';
import { permit } from './permission.ts';
import { type DockerTask, passToDocker } from './task.ts';
import { wrongCount } from './usage.ts';

/** `docker service create` and `service update --image` (protocol D.7): the service gets `name:tag@digest`. */
export async function deployService(whole: DockerTask): Promise<number> {
  const mounts = await nameMounts(whole, whole.name === 'service create' ? 'mount' : 'mount-add');
  const task = { ...whole, args: mounts.args };
  const { session, args, name } = task;
  const image: PositionalToken | FlagToken | undefined =
    name === 'service create' ? args.positionals[0] : args.flags('image').at(-1);
  if (image?.value === undefined) {
    if (task.trust && name === 'service create') throw await wrongCount(task, 'at least 1');
    if (task.trust) await permitKept(task);
    return passToDocker(task, args);
  }
  const reference = resolveImage(task, image.value);
  if (!task.trust) {
    const isShort = session.configuration.defaultRegistry !== undefined;
    return passToDocker(task, isShort ? args.withValue(image, familiarReference(reference)) : args);
  }
  try {
    const unreleased = `No trust data for ${familiarReference(withDefaultTag(reference))}`;
    const permission = await permit(session, reference, unreleased);
    return await passToDocker(task, args.withValue(image, imageOfTasks(permission)));
  } catch (error) {
    if (!isSignetError(error)) throw error;
    throw error.reworded(`failed to resolve image digest using content trust: ${error.message}`);
  }
}

/**
 * An update without an image starts the service's current or previous one: left to docker, unless digests must be
 * signed.
 */
async function permitKept({ session, args }: DockerTask): Promise<void> {
  const service = args.positionals[0]?.value;
  if (session.evidence.rules.digests === 'docker' || service === undefined) return;
  await permitService(session, service, args.isOn('rollback') ? 'previous' : 'current');
}

/** Tasks show the tag next to the digest that they run. */
function imageOfTasks(permission: Permitted<Reference>): string {
  if (!isResolvedTag(permission)) return familiarReference(permission.use);
  const { asked, tag } = permission;
  return `${familiarName(asked)}:${tag.tag}@${tag.digest}`;
}

function resolveImage({ session, trust }: DockerTask, typed: string): Reference {
  try {
    return session.resolve(typed);
  } catch (cause) {
    if (!trust || !isSignetError(cause)) throw cause;
    throw cause.reworded(`invalid reference ${typed}: ${cause.message}`);
  }
}
