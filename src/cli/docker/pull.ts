import { SignetError } from '../../core/errors/index.ts';
import {
  DEFAULT_TAG,
  familiarName,
  familiarReference,
  formatReference,
  gunOf,
  type Reference,
} from '../../core/names/reference.ts';
import type { TrustedImage } from '../../trust/enforce/enforce.ts';
import { trustedImage } from '../../trust/enforce/enforce.ts';
import { resolveAllTags } from '../../trust/enforce/resolve.ts';
import { wordedAs } from '../docker-texts.ts';
import { progressOutput } from '../progress-output.ts';
import { fetchTrusted } from './fetch.ts';
import { type DockerTask, handOver } from './task.ts';
import { wrongCount } from './usage.ts';

/** `docker pull` (protocol D.4): each tag is pulled by the digest that it is signed with, then tagged. */
export async function pullImage(task: DockerTask): Promise<number> {
  const { session, args } = task;
  const [image] = args.positionals;
  if (image === undefined || args.positionals.length > 1) {
    if (task.trust) throw await wrongCount(task, 'exactly 1');
    return handOver(task, args);
  }
  const reference = session.resolve(image.value);
  const isPinnedAlone = reference.digest !== undefined && reference.tag === undefined;
  if (!task.trust || isPinnedAlone) return handOver(task, args.withValue(image, familiarReference(reference)));
  const isQuiet = args.isOn('quiet');
  const all = args.isOn('all-tags');
  if (all && (reference.tag ?? reference.digest) !== undefined) {
    throw new SignetError('usage', "tag can't be used with --all-tags/-a");
  }
  if (!all && reference.tag === undefined && !isQuiet) session.print(`Using default tag: ${DEFAULT_TAG}\n`);
  const images = await wordedAs(gunOf(reference), () => (all ? everyTag(task, reference) : oneTag(task, reference)));
  const options = { platform: args.lastValue('platform'), show: isQuiet ? undefined : progressOutput('stdout') };
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

async function oneTag({ session }: DockerTask, reference: Reference): Promise<readonly TrustedImage[]> {
  const trusted = await trustedImage(reference, (asked) => session.repository(asked, 'pull'));
  return trusted === undefined ? [] : [trusted];
}

async function everyTag({ session }: DockerTask, reference: Reference): Promise<readonly TrustedImage[]> {
  const { set } = await (await session.repository(reference, 'pull')).read();
  const { tags, skipped } = resolveAllTags(set);
  for (const tag of skipped) session.printError(`Skipping target for "${familiarName(reference)}:${tag}"\n`);
  if (tags.length === 0) throw new SignetError('target-not-found', `No trusted tags for ${gunOf(reference)}`);
  return tags.map((tag) => ({
    asked: { ...reference, tag: tag.tag },
    pinned: { ...reference, tag: undefined, digest: tag.digest },
    tag,
  }));
}
