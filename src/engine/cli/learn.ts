import { isSignetError, SignetError } from '../../core/errors/index.ts';
import type { JsonValue } from '../../core/json/parse.ts';
import { quoted } from '../../core/printable.ts';
import { cacheFolder, DiskCache } from '../../store/disk-cache.ts';
import type { DockerCli } from './cli.ts';
import { ParsedArgs } from './flags.ts';
import { type CommandSyntax, type DockerOption, parseHelp } from './help.ts';
import { type Captured, captureDocker } from './run.ts';

/** How many options docker may be asked about one by one. */
const ASKABLE = /^(?:--[A-Za-z0-9][A-Za-z0-9-]{0,60}|-[A-Za-z0-9])$/;
const MISSES_ARGUMENT = /\b(?:requires|accepts) [^\n]{0,40}\barg|invalid argument "--help" for /;

/** Docker's commands that need a plugin. */
const PLUGINS: ReadonlyMap<string, string> = new Map([
  ['compose', "Install docker's compose plugin (docker-compose-plugin, on Debian docker-compose)."],
]);

/**
 * The options of a docker command, learnt from the docker command at hand: from its help text, and for options that the
 * help does not list (`docker run --net`) from how the command handles `--option --help`. Cached on disk until the
 * program's file changes, except for builds, whose meaning depends on plugins.
 */
export class LearnedSyntax {
  private readonly cli: DockerCli;
  private readonly env: NodeJS.ProcessEnv;
  private readonly cache: DiskCache;
  private readonly known = new Map<string, CommandSyntax>();

  constructor(cli: DockerCli, env: NodeJS.ProcessEnv = process.env) {
    this.cli = cli;
    this.env = askingEnvironment(env);
    this.cache = new DiskCache(cacheFolder(env));
  }

  /**
   * Parses the arguments of `command` (none for docker's global options), which may contain `own` options besides
   * docker's. Throws `docker-flag-unknown` for an option that docker does not have or that it cannot be asked about
   * safely; `docker-flag-invalid` for an option without its value; `docker-help-unreadable`; `docker-command-missing`;
   * `buildx-missing`.
   */
  async parse(
    command: readonly string[],
    argv: readonly string[],
    own: readonly DockerOption[] = [],
  ): Promise<ParsedArgs> {
    for (let syntax = await this.syntaxOf(command); ; ) {
      try {
        return new ParsedArgs({ ...syntax, flags: [...syntax.flags, ...own] }, argv);
      } catch (error) {
        const flag = isSignetError(error, 'docker-flag-unknown') ? String(error.detail.flag) : undefined;
        const learnt = flag === undefined ? undefined : await this.askAbout(command, syntax, flag);
        if (learnt === undefined) throw error;
        syntax = { ...syntax, flags: [...syntax.flags, learnt] };
        this.keep(command, syntax);
      }
    }
  }

  /** The options of a command, none of which is asked about. Throws what `parse` throws of a command. */
  async optionsOf(command: readonly string[]): Promise<readonly DockerOption[]> {
    return (await this.syntaxOf(command)).flags;
  }

  private async syntaxOf(command: readonly string[]): Promise<CommandSyntax> {
    const syntax = this.known.get(command.join(' ')) ?? this.cached(command) ?? (await this.learn(command));
    this.known.set(command.join(' '), syntax);
    return syntax;
  }

  private async learn(command: readonly string[]): Promise<CommandSyntax> {
    const answer = await this.ask(...command, '--help');
    if (lacksBuildx(command, answer))
      throw new SignetError('buildx-missing', 'docker has no buildx, which builds with BuildKit');
    if (command.length > 0 && isHelp(answer.stdout, [])) throw commandMissing(command);
    const syntax = parseHelp(answer.stdout, command);
    this.keep(command, syntax);
    return syntax;
  }

  /**
   * Asks about an option that the help does not list. Asking has no effect: if it is a switch, docker prints its help;
   * if it takes a value, that is `--help`, and the command fails because its argument is missing.
   */
  private async askAbout(
    command: readonly string[],
    syntax: CommandSyntax,
    flag: string,
  ): Promise<DockerOption | undefined> {
    if (!syntax.needsArgument || !ASKABLE.test(flag)) return undefined;
    const takesValue = await this.takesValue(command, flag);
    if (takesValue === undefined) return undefined;
    return flag.startsWith('--')
      ? { long: flag.slice(2), short: undefined, takesValue }
      : { long: undefined, short: flag.slice(1), takesValue };
  }

  /** Undefined if docker does not know the option, or gives an unexpected answer. */
  private async takesValue(command: readonly string[], flag: string): Promise<boolean | undefined> {
    const { exitCode, stdout, stderr } = await this.ask(...command, flag, '--help');
    if (exitCode === 0) return isHelp(stdout, command) ? false : undefined;
    return MISSES_ARGUMENT.test(stdout + stderr) ? true : undefined;
  }

  private ask(...args: readonly string[]) {
    return captureDocker(this.cli.path, args, this.env);
  }

  private cached(command: readonly string[]): CommandSyntax | undefined {
    const stored = isBuild(command) ? undefined : this.cache.read(this.cacheName(command), this.cli.stamp);
    return stored === undefined ? undefined : decode(stored);
  }

  private keep(command: readonly string[], syntax: CommandSyntax): void {
    this.known.set(command.join(' '), syntax);
    if (!isBuild(command)) this.cache.write(this.cacheName(command), this.cli.stamp, encode(syntax));
  }

  private cacheName(command: readonly string[]): string {
    return `${this.cli.path} ${command.join(' ')}`;
  }
}

/** Builds are run by docker itself or by a plugin, depending on the environment and docker's configuration. */
function isBuild(command: readonly string[]): boolean {
  return command.at(-1) === 'build' || command[0] === 'builder' || command[0] === 'buildx';
}

/**
 * The environment for asking docker for help without contacting an engine, which would delay the help and hide parts of
 * it.
 */
export function askingEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { DOCKER_CONTEXT, DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, ...others } = env;
  return { ...others, DOCKER_HOST: 'unix:///dev/null/docker.sock' };
}

/** If BuildKit is enabled, docker says so; for the plugin's commands it prints its own help. */
function lacksBuildx(command: readonly string[], { stdout, stderr }: Captured): boolean {
  const isBuildx = command[0] === 'buildx' || command[0] === 'bake';
  return /buildx component .{0,40}missing or broken/.test(stderr) || (isBuildx && isHelp(stdout, []));
}

/** For words that neither docker nor a plugin knows, docker prints its own help, without a command. */
function commandMissing(command: readonly string[]): SignetError {
  const [word = ''] = command;
  const next = PLUGINS.get(word);
  return new SignetError(
    'docker-command-missing',
    `docker has no ${quoted(word, 100)}`,
    next === undefined ? {} : { next },
  );
}

function isHelp(text: string, command: readonly string[]): boolean {
  try {
    parseHelp(text, command);
    return true;
  } catch {
    return false;
  }
}

function encode({ flags, interspersed, needsArgument }: CommandSyntax): JsonValue {
  const rows = flags.map(({ long, short, takesValue }) => [long ?? null, short ?? null, takesValue]);
  return [rows, interspersed, needsArgument];
}

/** Undefined unless the stored value is one that `encode` made. */
function decode(stored: JsonValue): CommandSyntax | undefined {
  const [rows, interspersed, needsArgument] = isList(stored) ? stored : [];
  if (!isList(rows) || typeof interspersed !== 'boolean' || typeof needsArgument !== 'boolean') return undefined;
  const flags = rows.map(decodeFlag);
  return flags.every((flag) => flag !== undefined) ? { flags, interspersed, needsArgument } : undefined;
}

function decodeFlag(row: JsonValue): DockerOption | undefined {
  const [long, short, takesValue] = isList(row) ? row : [];
  const named = (typeof long === 'string' || long === null) && (typeof short === 'string' || short === null);
  if (!named || typeof takesValue !== 'boolean') return undefined;
  return { long: long ?? undefined, short: short ?? undefined, takesValue };
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
