import { isSignetError } from '../../../core/errors/index.ts';
import { familiarReference } from '../../../core/names/reference.ts';
import type { ParsedArgs, PositionalToken } from '../../../engine/cli/flags.ts';
import { isResolvedTag, type ResolvedTag } from '../../../trust/decide/decision.ts';
import { progressOutput } from '../../terminal/streams.ts';
import { runError } from './errors.ts';
import { fetchTrusted } from './fetch.ts';
import { nameMounts } from './mounts.ts';
import { permitId, permitTag, readImageId } from './permission.ts';
import { type DockerTask, passToDocker, platformOf } from './task.ts';
import { wrongCount } from './usage.ts';

/**
 * `docker run` and `docker create` (protocol D.5): resolves the image to its signed digest, pulls and tags it if the
 * engine does not have it, and runs it by that digest.
 */
export async function runImage(task: DockerTask): Promise<number> {
  const [image] = task.args.positionals;
  if (image === undefined && task.trust) throw await wrongCount(task, 'at least 1');
  if (image === undefined) return passToDocker(task, task.args);
  const id = readImageId(image.value);
  if (!task.trust) {
    const args = id === undefined ? withFullName(task, image) : task.args;
    return passToDocker(task, (await nameMounts(task, 'mount', args)).args);
  }
  try {
    if (id === undefined) return await runTrusted(task, image);
    await permitId(task.session, id);
    return await passToDocker(task, await provideMounts(task, task.args));
  } catch (error) {
    throw task.name === 'run' && isSignetError(error) ? runError(error) : error;
  }
}

async function runTrusted(task: DockerTask, image: PositionalToken): Promise<number> {
  const { session, args } = task;
  const permission = await permitTag(session, session.resolve(image.value));
  const named = args.withValue(image, familiarReference(permission.use));
  const mounted = await provideMounts(task, named);
  const isPulled = isResolvedTag(permission) && (await provide(task, permission));
  // docker would repeat `--pull always`.
  return passToDocker(task, isPulled ? mounted.without('pull') : mounted);
}

/** Resolves the mounted images; the engine must have them. */
async function provideMounts(task: DockerTask, args: ParsedArgs): Promise<ParsedArgs> {
  const mounts = await nameMounts(task, 'mount', args);
  for (const image of mounts.images) await provide(task, image);
  return mounts.args;
}

/** Makes sure that the engine has the image, according to `--pull`; returns whether it was pulled. */
async function provide(task: DockerTask, trusted: ResolvedTag): Promise<boolean> {
  const { session, args } = task;
  const policy = args.lastValue('pull') ?? 'missing';
  // Docker itself handles `never` and invalid policies.
  if (policy !== 'missing' && policy !== 'always') return false;
  const isThere = (await (await session.engine()).inspectImage(familiarReference(trusted.use))) !== undefined;
  if (isThere && policy !== 'always') return false;
  const isQuiet = args.isOn('quiet');
  if (!isThere && !isQuiet)
    session.printError(
      `Unable to find image '${familiarReference({ ...trusted.asked, digest: undefined })}' locally\n`,
    );
  await fetchTrusted(session, trusted, {
    platform: platformOf(task),
    show: isQuiet ? undefined : progressOutput('stderr'),
  });
  return true;
}

/** Includes the registry if a default registry gives short names another meaning than docker's. */
function withFullName({ session, args }: DockerTask, image: PositionalToken): DockerTask['args'] {
  return session.configuration.defaultRegistry === undefined
    ? args
    : args.withValue(image, familiarReference(session.resolve(image.value)));
}
