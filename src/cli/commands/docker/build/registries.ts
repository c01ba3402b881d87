import { isSignetError } from '../../../../core/errors/index.ts';
import { wipe } from '../../../../core/login.ts';
import { familiarReference, type Reference } from '../../../../core/names/reference.ts';
import { printable } from '../../../../core/printable.ts';
import { type BuildxBuilder, inspectBuilder, namedBuilder } from '../../../../engine/cli/builder.ts';
import type { ParsedArgs } from '../../../../engine/cli/flags.ts';
import { ENGINE_CERTIFICATES, ownAuthorities } from '../../../../remote/tls/docker-connections.ts';
import { hostnameOf, isLoopback } from '../../../../remote/transport/loopback.ts';
import { progressOutput } from '../../../terminal/streams.ts';
import { withoutTrust } from '../content-trust.ts';
import type { DockerTask } from '../task.ts';
import { isEngines } from './builder.ts';

/** A build that can reach the registries it needs. */
interface PreparedBuild {
  readonly args: ParsedArgs;
  readonly env: NodeJS.ProcessEnv;
  /** Printed if the build fails: what the builder may lack, and how to provide it; empty if nothing is known. */
  readonly advice: string;
}

/** buildx's name for the builder that is the engine of the current context. */
const DEFAULT_BUILDER = 'default';
/** The engine itself. */
const ENGINE = 'engine';
/** Makes BuildKit fetch a registry's token, by its own rules for the registry, instead of buildx. */
const BY_BUILDER = { BUILDKIT_NO_CLIENT_TOKEN: '1' } as const;
/** BuildKits on the engine's machine: they may receive the login, as the engine does for a pull. */
const NEAR: ReadonlySet<string> = new Set(['docker', 'docker-container']);
const MAX_NAME = 128;

/**
 * Helps the builder reach images of registries whose authority only docker knows: the engine trusts it for that
 * registry (`certs.d`), or does not verify a registry on its own machine, while buildx knows only the system's
 * authorities. So BuildKit fetches the tokens; and because older ones use plain HTTP for `localhost`, the engine pulls
 * images from there.
 *
 * Throws the engine's errors if it cannot be asked, and `tls-files-invalid`.
 */
export async function reachRegistries(
  task: DockerTask,
  args: ParsedArgs,
  images: readonly Reference[],
): Promise<PreparedBuild> {
  const env = withoutTrust(task.env);
  const registries = ownRegistries(task, images);
  if (task.cli.kind !== 'docker' || registries.length === 0) return { args, env, advice: '' };
  const builder = await lookAtBuilder(task);
  const advice = registries.map((registry) => adviceFor(builder, registry)).join('');
  if (builder !== ENGINE && !NEAR.has(builder?.driver ?? '')) return { args, env, advice };
  const isComplete = builder === ENGINE && (await pullLocal(task, images));
  return { args: isComplete ? args.without('pull') : args, env: { ...BY_BUILDER, ...env }, advice };
}

function ownRegistries({ session, args }: DockerTask, images: readonly Reference[]): readonly string[] {
  const { defaultRegistry } = session.configuration;
  const tagged = args.values('tag').flatMap((name) => readRegistry(session, name));
  const all = [...images.map(({ registry }) => registry), ...tagged];
  const folders = [`${session.folder}/tls`, ENGINE_CERTIFICATES];
  const named = new Set(defaultRegistry === undefined ? all : [...all, defaultRegistry]);
  return [...named].filter((name) => isHere(name) || ownAuthorities(folders, name).length > 0);
}

function readRegistry(session: DockerTask['session'], name: string): readonly string[] {
  try {
    return [session.resolve(name).registry];
  } catch (error) {
    // Docker itself reports an invalid tag.
    if (isSignetError(error)) return [];
    throw error;
  }
}

/** Undefined for a builder that cannot be inspected. */
async function lookAtBuilder(task: DockerTask): Promise<BuildxBuilder | typeof ENGINE | undefined> {
  if (isEngines(task)) return ENGINE;
  const { cli, line, args, env } = task;
  const builder = await inspectBuilder(cli, line.globals, namedBuilder(line, args), withoutTrust(env));
  return builder?.driver === 'docker' && builder.name === DEFAULT_BUILDER ? ENGINE : builder;
}

/**
 * Has the engine pull the build's images from registries on its own machine; returns whether these are all images of
 * the build. Images for several platforms at once are left to BuildKit, because an older engine can hold only one of
 * them.
 */
async function pullLocal({ session, args, env }: DockerTask, images: readonly Reference[]): Promise<boolean> {
  const platforms = args.values('platform').flatMap((value) => value.split(','));
  if (platforms.length > 1) return false;
  const local = images.filter(({ registry }) => isHere(registry));
  let isComplete = local.length === images.length && local.length > 0;
  const platform = (platforms[0] ?? env.DOCKER_DEFAULT_PLATFORM) || undefined;
  const show = args.isOn('quiet') ? undefined : progressOutput('stderr');
  for (const image of local) {
    const engine = await session.engine();
    const name = familiarReference(image);
    const isNew = args.isOn('pull') && image.digest === undefined;
    if (!isNew && (await engine.inspectImage(name)) !== undefined) continue;
    const auth = await session.engineAuth(image);
    try {
      await engine.pull(name, { auth, platform, show });
    } catch (error) {
      // The image may belong to a stage that is not built; otherwise BuildKit reports the failure again.
      if (!isSignetError(error, 'engine-refused')) throw error;
      isComplete = false;
    } finally {
      if (auth !== undefined) wipe(auth);
    }
  }
  return isComplete;
}

function adviceFor(builder: BuildxBuilder | typeof ENGINE | undefined, registry: string): string {
  const certificate = `${ENGINE_CERTIFICATES}/${registry}/ca.crt`;
  if (builder === ENGINE || builder?.driver === 'docker') {
    const isKnown = isHere(registry) || ownAuthorities([ENGINE_CERTIFICATES], registry).length > 0;
    return isKnown
      ? ''
      : `If the engine does not know the authority of ${registry}, put it on its machine: ${certificate}\n`;
  }
  if (builder?.text.includes(`[registry.'${registry}']`)) return '';
  const shown = builder === undefined ? 'that was chosen' : printable(`${builder.name} (${builder.driver})`, MAX_NAME);
  if (isHere(registry)) {
    return `To the builder ${shown}, ${registry} may be another machine. Build with the engine: --builder default\n`;
  }
  return (
    `If the builder ${shown} does not know the authority of ${registry}, build with the engine (--builder default),\n` +
    `or make a builder that knows it: docker buildx create --buildkitd-config FILE, with FILE\n` +
    `  [registry."${registry}"]\n    ca=["${certificate}"]\n`
  );
}

/** Whether the engine considers the registry to be on its own machine, by its name. */
function isHere(registry: string): boolean {
  return isLoopback(hostnameOf(registry));
}
