import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { familiarReference } from '../../../core/names/reference.ts';
import { type BuildSettings, findImageUses, type ImageUse, rewriteImages, SYNTAX } from '../../../dockerfile/index.ts';
import { runDocker } from '../../../engine/cli/run.ts';
import type { ResolvedTag } from '../../../trust/decide/decision.ts';
import { findBuilder } from './build/builder.ts';
import { ImageNames, syntaxStep } from './build/image-names.ts';
import { nameOptions, nameResults, readBuildSettings, refuseReplacedBases } from './build/options.ts';
import { PrivateFolder } from './build/private-folder.ts';
import { reachRegistries } from './build/registries.ts';
import { type BuildSource, findSource } from './build/source.ts';
import { withPlace } from './errors.ts';
import { tagAs } from './fetch.ts';
import { type DockerTask, passToDocker } from './task.ts';

/**
 * `docker build` with any builder (protocol D.6): every image named in the Dockerfile or an option is resolved to its
 * signed digest before anything is built, and docker builds from a copy of the Dockerfile with the digests. Without
 * trust, a default registry is inserted in the same places.
 *
 * Throws the errors of parsing the Dockerfile and of resolving its images, with the place in the message.
 */
export async function buildImage(task: DockerTask): Promise<number> {
  const { args, session, trust } = task;
  const isDockers = !trust && session.configuration.defaultRegistry === undefined;
  if (isDockers || args.asksHelp) return passToDocker(task, args);
  const folder = new PrivateFolder(task.env);
  try {
    const source = await findSource(task, folder);
    if (source === undefined) return await passToDocker(task, await nameResults(task, args));
    return await buildNamed(task, source, folder);
  } finally {
    folder.remove();
  }
}

async function buildNamed(task: DockerTask, source: BuildSource, folder: PrivateFolder): Promise<number> {
  const names = new ImageNames(task);
  const choice = await findBuilder(task, source.text);
  const settings = readBuildSettings(task, source.name, choice);
  const uses = findImageUses(source.text, settings);
  if (task.trust) await refuseReplacedBases(task, uses);
  const dockerfile = await nameImages(names, source, uses, settings);
  const [images, written] = [names.trusted, names.written];
  const named = await nameOptions(task, names, choice);
  const { args, env, advice } = await reachRegistries({ ...task, env: choice.env }, named, written);
  const { args: replaced, stdin } = source.replace(args, dockerfile);
  folder.leaveSignals();
  const options = { env, ...(stdin === undefined ? {} : { stdin }) };
  const exitCode = await runDocker(task.cli.path, [...task.line.head, ...replaced.argv], options);
  if (exitCode !== 0) task.session.printError(advice);
  if (exitCode === 0 && task.cli.kind === 'docker') await tagImages(task, images);
  return exitCode;
}

/** Resolves the images in sequence, so that the first failure is the first in the file. */
async function nameImages(
  names: ImageNames,
  { text }: BuildSource,
  uses: readonly ImageUse[],
  settings: BuildSettings,
): Promise<string> {
  const texts = new Map<string, string>();
  for (const { place, by, name, isImage } of uses) {
    const next = by === SYNTAX ? syntaxStep(name) : undefined;
    if (isImage) texts.set(name, await withPlace(`${place}: ${by} ${name}`, () => names.textOf(name), next));
  }
  return rewriteImages(text, uses, settings, ({ name, place }) => {
    const written = texts.get(name);
    if (written === undefined) throw new SignetError('dockerfile-uncertain', `${place}: ${name} was not resolved`);
    return written;
  });
}

/**
 * Tags the images as docker does after the build. BuildKit keeps base images to itself, and a remote builder may not
 * need an engine here, so images that the engine does not have are not tagged.
 */
async function tagImages({ session }: DockerTask, images: readonly ResolvedTag[]): Promise<void> {
  try {
    const engine = await session.engine();
    for (const { asked, use } of images) {
      const isThere = (await engine.inspectImage(familiarReference(use))) !== undefined;
      if (isThere) await tagAs(session, use, { ...asked, digest: undefined });
    }
  } catch (error) {
    if (!isSignetError(error, 'engine-unreachable')) throw error;
  }
}
