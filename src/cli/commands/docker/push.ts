import { SignetError } from '../../../core/errors/index.ts';
import { DEFAULT_TAG, familiarReference, formatReference, gunOf } from '../../../core/names/reference.ts';
import { pushAndSign } from '../trust/signing.ts';
import { type DockerTask, passToDocker, runInDocker } from './task.ts';
import { wrongCount } from './usage.ts';

/** `docker push` (protocol D.8): pushes the image, then signs the digest that the engine pushed. */
export async function runPush(task: DockerTask): Promise<number> {
  const { session, args } = task;
  const [image] = args.positionals;
  if (image === undefined || args.positionals.length > 1) {
    if (task.trust) throw await wrongCount(task, 'exactly 1');
    return passToDocker(task, args);
  }
  const reference = session.resolve(image.value);
  const named = args.withValue(image, familiarReference(reference));
  if (!task.trust) return passToDocker(task, named);
  if (reference.digest !== undefined)
    throw new SignetError('image-reference-unsupported', 'cannot push a digest reference');
  if (args.isOn('all-tags')) {
    const exitCode = await runInDocker(task, named);
    if (exitCode === 0) session.printError('No tag specified, skipping trust metadata push\n');
    return exitCode;
  }
  const isQuiet = args.isOn('quiet');
  if (reference.tag === undefined && !isQuiet) session.print(`Using default tag: ${DEFAULT_TAG}\n`);
  const tagged = { ...reference, tag: reference.tag ?? DEFAULT_TAG };
  await pushAndSign(session, tagged, { about: gunOf(tagged), platform: args.lastValue('platform'), isQuiet });
  if (isQuiet) session.print(`${formatReference(tagged)}\n`);
  return 0;
}
