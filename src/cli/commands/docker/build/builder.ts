import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { quoted } from '../../../../core/printable.ts';
import { type Builder, platformsOfEngine } from '../../../../dockerfile/index.ts';
import type { EngineDescription } from '../../../../engine/api/description.ts';
import { isBuilderRunning, namedBuilder } from '../../../../engine/cli/builder.ts';
import { DockerConfig } from '../../../../store/docker-config.ts';
import { withoutTrust } from '../content-trust.ts';
import type { DockerTask } from '../task.ts';

/** The builder, and the environment that selects it. */
export interface BuilderChoice {
  readonly builder: Builder;
  /** The platforms it may run on; undefined if only it knows. */
  readonly platforms: readonly string[] | undefined;
  /** The environment in which docker selects this builder. */
  readonly env: NodeJS.ProcessEnv;
}

const SWITCH = 'DOCKER_BUILDKIT';
/** Go's spellings of a boolean. */
const TRUE: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
/** The first docker CLI that builds with buildx, if installed, whatever the engine. */
const BUILDX_SINCE = 23;
/** The first engine whose BuildKit supports here-documents. */
const HEREDOCS_SINCE_ENGINE = 23;
const HEREDOCS_SINCE_PODMAN = 5;

/** Another engine makes a difference only for here-documents and variables. */
const DEPENDS_ON_ENGINE = /<<|\$/;

const CLASSIC: Builder = {
  name: 'the classic builder',
  obeysSyntax: false,
  knowsHeredocs: false,
  setsPlatforms: false,
};
const UNKNOWN: Builder = { name: 'the builder', obeysSyntax: true, knowsHeredocs: true, setsPlatforms: undefined };

/**
 * The builder that docker uses for this command line, by docker's own rules: buildx, if the command's help is buildx's;
 * otherwise BuildKit or the engine's classic builder, according to `DOCKER_BUILDKIT` or the engine. If the engine
 * cannot be asked, what depends on it stays unknown. Throws `build-option-unsafe` for a builder that would have to be
 * started while trust is on.
 */
export async function findBuilder(task: DockerTask, dockerfile: string): Promise<BuilderChoice> {
  const { args, cli, env } = task;
  if (cli.kind === 'podman') return { builder: podmanBuilder(cli.version), platforms: undefined, env };
  if (args.syntax.flags.some(({ long }) => long === 'load')) return buildxChoice(task, dockerfile);
  const isOld = majorOf(cli.version) < BUILDX_SINCE;
  const isOff = !isOld && switchIn(env) === false;
  if (!isOff && hasPlugin(task.session)) return { builder: UNKNOWN, platforms: undefined, env };
  if (!isOld) return { builder: CLASSIC, platforms: undefined, env };
  const engine = await describeEngine(task);
  const wantsBuildKit = switchIn(env) ?? engine?.prefersBuildKit;
  if (wantsBuildKit === undefined) return { builder: UNKNOWN, platforms: undefined, env };
  const pinned = { ...env, [SWITCH]: wantsBuildKit ? '1' : '0' };
  if (!wantsBuildKit) return { builder: CLASSIC, platforms: undefined, env: pinned };
  return { ...engineBuildKit(engine), env: pinned };
}

async function buildxChoice(task: DockerTask, dockerfile: string): Promise<BuilderChoice> {
  const { env, trust } = task;
  const inEngine = isEngines(task);
  if (trust && !inEngine) await demandRunning(task);
  const matters = inEngine && DEPENDS_ON_ENGINE.test(dockerfile);
  const choice = engineBuildKit(matters ? await describeEngine(task) : undefined);
  return { ...choice, env: isTypedBuildx(task) ? env : { ...env, [SWITCH]: '1' } };
}

/** Whether the engine certainly builds: `docker build` uses it unless another builder is selected. */
export function isEngines(task: DockerTask): boolean {
  const { args, line, env, session } = task;
  const isChosen = namedBuilder(line, args) !== undefined || Boolean(env.BUILDX_BUILDER) || isTypedBuildx(task);
  return !isChosen && !hasPlugin(session);
}

/** Whether docker's configuration selects a plugin for builds, as `docker buildx install` does. */
function hasPlugin({ folder }: DockerTask['session']): boolean {
  return DockerConfig.read(folder).member('aliases') !== undefined;
}

/** buildx would start the builder from an image of unknown origin. */
async function demandRunning({ cli, line, args, env }: DockerTask): Promise<void> {
  const name = namedBuilder(line, args);
  if (await isBuilderRunning(cli, line.globals, name, withoutTrust(env))) return;
  const which = name === undefined ? 'the chosen builder' : `the builder ${quoted(name)}`;
  const message = `${which} does not run, and would be started from an image that no one signed`;
  const next =
    'Build with the engine, --builder default, or start the builder yourself: DOCKER_CONTENT_TRUST=0 signet buildx inspect --bootstrap NAME';
  throw new SignetError('build-option-unsafe', message, { next });
}

function isTypedBuildx({ line }: DockerTask): boolean {
  return line.words[0] === 'buildx';
}

function engineBuildKit(engine: EngineDescription | undefined): Omit<BuilderChoice, 'env'> {
  const name = engine === undefined ? 'BuildKit' : `BuildKit of Docker Engine ${engine.version}`;
  const isOld = engine !== undefined && majorOf(engine.version) < HEREDOCS_SINCE_ENGINE;
  return {
    builder: { name, obeysSyntax: true, knowsHeredocs: !isOld, setsPlatforms: true },
    platforms: engine && platformsOfEngine(engine.platform),
  };
}

function podmanBuilder(version: string): Builder {
  const knowsHeredocs = majorOf(version) >= HEREDOCS_SINCE_PODMAN;
  return { name: `podman ${version}`, obeysSyntax: false, knowsHeredocs, setsPlatforms: true };
}

async function describeEngine({ session }: DockerTask): Promise<EngineDescription | undefined> {
  try {
    return await (await session.engine()).describe();
  } catch (error) {
    if (isSignetError(error, 'engine-unreachable')) return undefined;
    throw error;
  }
}

/** Undefined if it is not set, or not to a value that docker accepts. */
function switchIn(env: NodeJS.ProcessEnv): boolean | undefined {
  const value = env[SWITCH] ?? '';
  if (TRUE.includes(value)) return true;
  return FALSE.includes(value) ? false : undefined;
}

/** NaN for versions without a number, as in builds from source. */
function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
