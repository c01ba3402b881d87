import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyCommand, declarations } from '../../scripts/declarations.ts';
import { ROOT } from '../../scripts/paths.ts';
import { classOf } from '../../src/cli/commands/docker/build/option-list.ts';
import { findCommand, isCommandWord, knownFlags } from '../../src/cli/commands/docker/closed-world/commands.ts';
import { DOCKER_COMMANDS } from '../../src/cli/commands/docker/closed-world/table.ts';
import { CommandText, parseCommand } from '../../src/cli/line/command.ts';
import { type Group, isGroup } from '../../src/cli/line/declaration.ts';
import { ParsedArgs } from '../../src/engine/cli/flags.ts';

const DECLARED = await declarations();
const WITHOUT_COMMAND: readonly string[] = ['--version', '-v', '--help', '-h'];

/** What is wrong with a command line that a document names, as the command itself reads it; undefined if nothing is. */
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

/** Whether any command of Signet's or docker's has an option of this name. */
export async function isOption(name: string): Promise<boolean> {
  if (DECLARED.some(({ told }) => !isGroup(told) && told.flags.some((flag) => flag.name === name))) return true;
  const flags = Object.keys(DOCKER_COMMANDS).flatMap((key) => {
    const known = findCommand(key.split(' ').filter((word) => word !== ''));
    return known === undefined ? [] : (knownFlags(known, 'docker') ?? []);
  });
  return flags.some(({ long }) => long === name) || classOf('docker', name) !== undefined;
}

async function wrongForSignet(words: readonly string[]): Promise<string | undefined> {
  const [word = '', ...rest] = words;
  if (rest.length === 0 && (word === '' || WITHOUT_COMMAND.includes(word))) return undefined;
  const told = longest(words);
  if (told === undefined) return wrongForDocker(words);
  const following = words.slice(told.path.split(' ').length);
  if (!isGroup(told)) return wrongByDeclaration(told, following);
  return following.every((each) => each === '--help') ? undefined : `${told.path} has no such command`;
}

function longest(words: readonly string[]): AnyCommand | Group<never> | undefined {
  const line = `${words.join(' ')} `;
  return DECLARED.map(({ told }) => told)
    .filter(({ path }) => line.startsWith(`${path} `))
    .sort((a, b) => b.path.length - a.path.length)[0];
}

function wrongByDeclaration(command: AnyCommand, words: readonly string[]): string | undefined {
  try {
    // Arguments may be left out if a command is only named.
    parseCommand({ ...command, args: command.args.map((arg) => ({ ...arg, isOptional: true })) }, words);
    return undefined;
  } catch (error) {
    if (error instanceof CommandText) return error.exitCode === 0 ? undefined : error.message;
    throw error;
  }
}

/** By the table of all of docker's commands and options, which a test holds against docker's own helps. */
function wrongForDocker(words: readonly string[]): string | undefined {
  const globals = findCommand([]);
  const before = words.findIndex((word) => !word.startsWith('-'));
  const rest = words.slice(before < 0 ? words.length : before);
  let length = 0;
  while (length < rest.length && isCommandWord(rest.slice(0, length), rest[length] ?? '')) length++;
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

/** Without what a shell takes out (variables in front, a comment, the next command), and what a usage line marks as optional. */
function wordsOf(command: string): readonly string[] {
  const [line = ''] = command.replaceAll(/\[[^\]]*\](?:\.\.\.)?/g, '').split(/\s+#|\s+(?:[|<>]|&&)\s|;\s/);
  const words = (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ''));
  const first = words.findIndex((word) => word !== 'sudo' && !/^[A-Z_]+=/.test(word));
  const named = words.slice(Math.max(first, 0)).filter((word) => word !== '…');
  // An option that is named without its value: `signer add --key`.
  return /^--[a-z-]+$/.test(named.at(-1) ?? '') ? [...named.slice(0, -1), `${named.at(-1)}=true`] : named;
}

function isScript(name: string | undefined): boolean {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  return name !== undefined && Object.hasOwn(scripts, name);
}
