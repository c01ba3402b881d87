import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { classOf } from '../../src/cli/commands/docker/build/option-list.ts';
import { findCommand, knownFlags, leadsOn } from '../../src/cli/commands/docker/closed-world/commands.ts';
import { DOCKER_COMMANDS } from '../../src/cli/commands/docker/closed-world/table.ts';
import { LOGIN, LOGOUT } from '../../src/cli/commands/login.ts';
import * as dockersTrust from '../../src/cli/commands/trust/specs.ts';
import { userCommand } from '../../src/cli/commands/user/user.ts';
import { type CommandSpec, CommandText, parseCommand } from '../../src/cli/line/command.ts';
import { ParsedArgs } from '../../src/engine/cli/flags.ts';
import { serveHelp } from '../../src/serve/settings/settings-help.ts';
import { ownSpecs } from '../cli/commands/trust/own-specs.ts';

const SPECS: readonly CommandSpec[] = [
  ...(await Promise.all(['', 'key', 'delegation'].map(ownSpecs))).flat(),
  ...Object.values(dockersTrust).filter(isSpec),
  LOGIN,
  LOGOUT,
];
const GROUPS: readonly string[] = ['trust', 'trust key', 'trust signer', 'trust delegation'];
const WITHOUT_COMMAND: readonly string[] = ['--version', '-v', '--help', '-h'];

/** The error that a command reports for a command line in a document; undefined if there is none. */
export async function wrongIn(command: string): Promise<string | undefined> {
  const [program = '', ...words] = wordsOf(command);
  switch (program) {
    case 'signet':
    case 'docker':
      return wrongForSignet(words);
    case 'npm':
      return isScript(words[0] === 'run' ? words[1] : words[0]) ? undefined : 'package.json has no such script';
    case 'bun':
      return words.filter((word) => /\.ts$/.test(word) && !existsSync(join(ROOT, word))).at(0);
    default:
      return existsSync(join(ROOT, program)) ? undefined : `${program} is not there`;
  }
}

/** Whether any command of Signet or docker has an option of this name. */
export async function isOption(name: string): Promise<boolean> {
  const own = SPECS.some(({ flags }) => flags.some((flag) => flag.name === name));
  if (own || serveHelp().includes(`--${name} `)) return true;
  for (const command of (await userHelp([])).matchAll(/^ {2}([a-z]+) /gm)) {
    if ((await userHelp(command.slice(1))).includes(`--${name} `)) return true;
  }
  const flags = Object.keys(DOCKER_COMMANDS).flatMap((key) => {
    const known = findCommand(key.split(' ').filter((word) => word !== ''));
    return known === undefined ? [] : (knownFlags(known, 'docker') ?? []);
  });
  return flags.some(({ long }) => long === name) || classOf('docker', name) !== undefined;
}

async function wrongForSignet(words: readonly string[]): Promise<string | undefined> {
  const [word = '', ...rest] = words;
  if (rest.length === 0 && (word === '' || WITHOUT_COMMAND.includes(word))) return undefined;
  if (word === 'user') return wrongForUser(rest);
  if (word === 'serve') return wrongByHelp(rest, serveHelp());
  const spec = longest(words);
  if (spec !== undefined) return wrongBySpec(spec, words.slice(spec.path.split(' ').length));
  if (word === 'trust') return GROUPS.includes(words.join(' ')) ? undefined : 'trust has no such command';
  return wrongForDocker(words);
}

function longest(words: readonly string[]): CommandSpec | undefined {
  const line = `${words.join(' ')} `;
  return SPECS.filter(({ path }) => line.startsWith(`${path} `)).sort((a, b) => b.path.length - a.path.length)[0];
}

function wrongBySpec(spec: CommandSpec, words: readonly string[]): string | undefined {
  try {
    // Arguments may be missing where a document only names a command.
    parseCommand({ ...spec, minArguments: 0 }, words);
    return undefined;
  } catch (error) {
    if (error instanceof CommandText) return error.exitCode === 0 ? undefined : error.message;
    throw error;
  }
}

async function wrongForUser(words: readonly string[]): Promise<string | undefined> {
  try {
    return wrongByHelp(words, await userHelp(words));
  } catch (error) {
    return String(error);
  }
}

function wrongByHelp(words: readonly string[], help: string): string | undefined {
  return words.find((word) => word.startsWith('--') && !help.includes(`${word.split('=')[0]} `));
}

async function userHelp(words: readonly string[]): Promise<string> {
  const written: string[] = [];
  const terminal = { write: (text: string) => void written.push(text) };
  await userCommand([...words.slice(0, 1), '--help'], terminal as Parameters<typeof userCommand>[1]);
  return written.join('').replaceAll(/(--[a-z-]+)\n/g, '$1 \n');
}

/** Checked against the table of all docker commands and options, which another test compares with docker's own help. */
function wrongForDocker(words: readonly string[]): string | undefined {
  const globals = findCommand([]);
  const before = words.findIndex((word) => !word.startsWith('-'));
  const rest = words.slice(before < 0 ? words.length : before);
  let length = 0;
  while (length < rest.length && leadsOn(rest.slice(0, length), rest[length] ?? '')) length++;
  const command = findCommand(rest.slice(0, length));
  if (command === undefined || globals === undefined) return 'docker has no such command';
  const known = knownFlags(command, 'docker');
  const flags = known === undefined ? undefined : [...known, ...(knownFlags(globals, 'docker') ?? [])];
  const args = [...words.slice(0, before < 0 ? words.length : before), ...rest.slice(length)];
  if (flags === undefined) {
    return args.find(
      (word) => word.startsWith('--') && classOf('docker', word.slice(2).split('=')[0] ?? '') === undefined,
    );
  }
  try {
    new ParsedArgs({ flags, interspersed: command.interspersed ?? true, needsArgument: false }, args);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Without shell syntax (variable assignments, a comment, the next command) and the optional parts of a usage line. */
function wordsOf(command: string): readonly string[] {
  const [line = ''] = command.replaceAll(/\[[^\]]*\](?:\.\.\.)?/g, '').split(/\s+#|\s+(?:[|<>]|&&)\s|;\s/);
  const words = (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ''));
  const first = words.findIndex((word) => word !== 'sudo' && !/^[A-Z_]+=/.test(word));
  const named = words.slice(Math.max(first, 0)).filter((word) => word !== '…');
  // An option without its value: `signer add --key`.
  return /^--[a-z-]+$/.test(named.at(-1) ?? '') ? [...named.slice(0, -1), `${named.at(-1)}=true`] : named;
}

function isScript(name: string | undefined): boolean {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  return name !== undefined && Object.hasOwn(scripts, name);
}

function isSpec(value: unknown): value is CommandSpec {
  return typeof value === 'object' && value !== null && 'path' in value && 'minArguments' in value;
}
