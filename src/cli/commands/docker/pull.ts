import { SignetError } from '../../../core/errors/index.ts';
import {
  DEFAULT_TAG,
  familiarName,
  familiarReference,
  formatReference,
  gunOf,
  type Reference,
} from '../../../core/names/reference.ts';
import { isResolvedTag, type ResolvedTag } from '../../../trust/decide/decision.ts';
import { progressOutput } from '../../terminal/streams.ts';
import { fetchTrusted } from './fetch.ts';
import { permit, permitEveryTag } from './permission.ts';
import { type DockerTask, passToDocker, platformOf } from './task.ts';
import { wrongCount } from './usage.ts';

/** `docker pull` (protocol D.4): pulls each tag by its signed digest, then tags it. */
export async function pullImage(task: DockerTask): Promise<number> {
  const { session, args } = task;
  const [image] = args.positionals;
  if (image === undefined || args.positionals.length > 1) {
    if (task.trust) throw await wrongCount(task, 'exactly 1');
    return passToDocker(task, args);
  }
  const reference = session.resolve(image.value);
  if (!task.trust) return passToDocker(task, args.withValue(image, familiarReference(reference)));
  const isQuiet = args.isOn('quiet');
  const all = args.isOn('all-tags');
  if (all && (reference.tag ?? reference.digest) !== undefined) {
    throw new SignetError('usage', "tag can't be used with --all-tags/-a");
  }
  const isPlain = !all && reference.tag === undefined && reference.digest === undefined;
  if (isPlain && !isQuiet) session.print(`Using default tag: ${DEFAULT_TAG}\n`);
  const images = await (all ? everyTag(task, reference) : oneTag(task, reference));
  if (images === undefined) return passToDocker(task, args.withValue(image, familiarReference(reference)));
  const options = { platform: platformOf(task), show: isQuiet ? undefined : progressOutput('stdout') };
  for (const [index, trusted] of images.entries()) {
    const name = `${familiarName(trusted.asked)}:${trusted.tag.tag}@${trusted.tag.digest}`;
    session.print(`Pull (${index + 1} of ${images.length}): ${name}\n`);
    await fetchTrusted(session, trusted, options);
  }
  session.print(
    `${all ? gunOf(reference) : formatReference({ ...reference, tag: reference.tag ?? DEFAULT_TAG, digest: undefined })}\n`,
  );
  return 0;
}

/** Undefined for an image that may be pulled as requested. */
async function oneTag({ session }: DockerTask, reference: Reference): Promise<readonly ResolvedTag[] | undefined> {
  const permission = await permit(session, reference);
  return isResolvedTag(permission) ? [permission] : undefined;
}

async function everyTag({ session }: DockerTask, reference: Reference): Promise<readonly ResolvedTag[] | undefined> {
  const permission = await permitEveryTag(session, reference);
  if (permission.verdict === 'exempt') return undefined;
  const { images, skipped } = permission;
  for (const tag of skipped) session.printError(`Skipping target for "${familiarName(reference)}:${tag}"\n`);
  if (images.length === 0) throw new SignetError('target-not-found', `No trusted tags for ${gunOf(reference)}`);
  return images;
}
