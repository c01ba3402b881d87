import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { printable } from '../../../../core/printable.ts';
import { isBuilderRunning, namedBuilder } from '../../../../engine/cli/builder.ts';
import type { DockerCli } from '../../../../engine/cli/cli.ts';
import type { CommandLine } from '../../../../engine/cli/command.ts';
import { ParsedArgs } from '../../../../engine/cli/flags.ts';
import type { Configuration } from '../../../../trust/settings/configuration.ts';
import type { Session } from '../../../session.ts';
import { printErr } from '../../../terminal/output.ts';
import { findCommand, type KnownCommand, knownFlags } from './commands.ts';
import type { Condition } from './table.ts';

/** A command line without enforcement, while trust is on. */
interface UnenforcedCall {
  readonly cli: DockerCli;
  readonly line: CommandLine;
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly configuration: Configuration;
  /** Opened only if something has to be looked up in the engine. */
  readonly openSession: () => Promise<Session>;
}

const MAX_SHOWN = 200;
const MAX_WAY_OUT = 1000;
const HELP: readonly string[] = ['--help', '-h'];

/**
 * Passes a command to docker only if it cannot start, fetch or build anything unsigned: it is harmless, with options
 * known to be harmless, or what it starts exists already. With `"uncovered": "warn"` in `signet.json`, all others pass
 * too, with a warning.
 *
 * Throws `command-uncovered`, `command-unknown` or `flag-uncovered`; and what `permit` throws, if the configuration
 * requires existing images to be signed.
 */
export async function admit(call: UnenforcedCall): Promise<void> {
  const { line, configuration } = call;
  if (line.rest.length === 1 && HELP.includes(line.rest[0] ?? '')) return;
  try {
    const command = findCommand(line.words);
    if (command === undefined) throw refusal(call, 'command-unknown', 'it is not known what that may start');
    if (command.kind === 'refused') throw refusal(call, 'command-uncovered', command.why ?? '');
    await admitKnown(call, command);
  } catch (error) {
    const isUncovered = isSignetError(error, 'command-uncovered', 'command-unknown', 'flag-uncovered');
    if (!isUncovered || configuration.uncovered !== 'warn') throw error;
    const [reason = ''] = error.message.split('\n');
    printErr(`WARNING: content trust is on, and this command goes to docker unchecked. ${reason}\n`);
  }
}

/** Throws `flag-uncovered` for an option of an enforced command that docker knows but Signet does not. */
export function refuseUnknownFlags(call: Pick<UnenforcedCall, 'cli' | 'line' | 'argv'>, args: ParsedArgs): void {
  for (const { words, options } of [...call.line.levels, { words: call.line.words, options: args }]) {
    const command = findCommand(words);
    const known = command && knownFlags(command, call.cli.kind);
    if (known === undefined) continue;
    for (const token of options.tokens) {
      if (token.kind !== 'flag' || token.flag.long === 'help' || isKnown(token.flag, known)) continue;
      throw unknownFlag(call, token.flag.long === undefined ? `-${token.flag.short}` : `--${token.flag.long}`);
    }
  }
}

async function admitKnown(call: UnenforcedCall, command: KnownCommand): Promise<void> {
  const args = readKnown(call, command);
  refuseUnknownFlags(call, args);
  if (command.unless !== undefined) await refuseIf(command.unless, call, args);
  if (command.kind === 'existing') await admitExisting(call, command, args);
}

/** Parses what follows the command with the options known to Signet: others that docker knows are refused. */
function readKnown(call: UnenforcedCall, command: KnownCommand): ParsedArgs {
  const flags = knownFlags(command, call.cli.kind) ?? [];
  try {
    return new ParsedArgs({ flags, interspersed: command.interspersed ?? true, needsArgument: false }, call.line.rest);
  } catch (error) {
    if (!isSignetError(error, 'docker-flag-unknown')) throw error;
    throw unknownFlag(call, String(error.detail.flag));
  }
}

async function refuseIf(condition: Condition, call: UnenforcedCall, args: ParsedArgs): Promise<void> {
  const refuse = (why: string) => refusal(call, 'command-uncovered', why);
  switch (condition) {
    case 'source is a URL':
      if (/^[a-z][a-z0-9+.-]*:\/\//i.test(args.positionals[0]?.value ?? '')) throw refuse('it fetches an image');
      return;
    case 'driver is image':
      if (args.values('driver').includes('image')) throw refuse('the volume is an image, which it may fetch');
      return;
    case 'no remote driver':
      if (args.lastValue('driver') !== 'remote') throw refuse('the builder runs an image that no one signed');
      return;
    case 'builder stopped': {
      const { cli, env, line } = call;
      if (!(await isBuilderRunning(cli, line.globals, namedBuilder(line, args), env)))
        throw refuse('the builder does not run, and would be started from an image that no one signed');
    }
  }
}

/** Docker may start what exists already, unless the configuration requires digests to be signed. */
async function admitExisting(call: UnenforcedCall, command: KnownCommand, args: ParsedArgs): Promise<void> {
  if (call.configuration.images.digests === 'docker') return;
  if (command.starts === undefined) {
    throw refusal(
      call,
      'command-uncovered',
      'signet.json demands signed digests, and what it starts cannot be looked at',
    );
  }
  const { permitContainer, permitService } = await import('./existing.ts');
  const session = await call.openSession();
  try {
    for (const { value } of args.positionals) {
      if (command.starts === 'containers') await permitContainer(session, value);
      else await permitService(session, value, command.name === 'service rollback' ? 'previous' : 'current');
    }
  } finally {
    await session.close();
  }
}

function isKnown(
  flag: { readonly long: string | undefined; readonly short: string | undefined },
  known: readonly (typeof flag)[],
): boolean {
  return known.some(({ long, short }) => (flag.long === undefined ? short === flag.short : long === flag.long));
}

function unknownFlag(call: Pick<UnenforcedCall, 'line' | 'argv'>, flag: string): SignetError {
  return refusal(call, 'flag-uncovered', `it is not known what its option ${printable(flag, MAX_SHOWN)} does`);
}

/** The message itself contains the reason and how to run the command anyway, because scripts need both. */
function refusal(
  { line, argv }: Pick<UnenforcedCall, 'line' | 'argv'>,
  code: 'command-uncovered' | 'command-unknown' | 'flag-uncovered',
  why: string,
): SignetError {
  const command = printable(['docker', ...line.words].join(' '), MAX_SHOWN);
  const wayOut = printable(`DOCKER_CONTENT_TRUST=0 signet ${argv.map(quotedWord).join(' ')}`, MAX_WAY_OUT);
  return new SignetError(
    code,
    `signet refuses '${command}' while content trust is on: ${why}.\nTo run it without trust, this once: ${wayOut}`,
    { detail: { command } },
  );
}

/** A word quoted for a shell. */
function quotedWord(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
