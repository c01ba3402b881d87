import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ParsedArgs } from '../../src/engine/cli/flags.ts';
import { parseHelp } from '../../src/engine/cli/help.ts';
import type { LearnedSyntax } from '../../src/engine/cli/learn.ts';

/** A docker CLI whose help was recorded, `docker-29` with buildx and compose. */
export type RecordedCli = 'docker-20.10' | 'docker-28' | 'docker-29';

export const RECORDED_CLIS: readonly RecordedCli[] = ['docker-20.10', 'docker-28', 'docker-29'];

/** One command of a docker CLI. */
export interface RecordedCommand {
  /** The words after `docker`; none for docker itself. */
  readonly words: readonly string[];
  /** What `--help` prints. */
  readonly help: string;
}

const HEADER = /^== docker ?(.*)$/m;
/** A heading of help over commands: `Management Commands:`. */
const COMMANDS = /^(?:[A-Z][A-Za-z ]* )?Commands:?\s*$/;

/** Every command of a docker CLI and of the plugins that were recorded with it, aliases left out. */
export function readTree(cli: RecordedCli): readonly RecordedCommand[] {
  const [, ...parts] = readFileSync(join(import.meta.dir, 'fixtures', cli, 'tree.txt'), 'utf8').split(HEADER);
  return parts.flatMap((name, index) =>
    index % 2 === 0 ? [{ words: name.split(' ').filter(Boolean), help: (parts[index + 1] ?? '').trim() }] : [],
  );
}

/** The commands that a help text lists below its own. */
export function listedCommands(help: string): readonly string[] {
  let inside = false;
  return help.split('\n').flatMap((line) => {
    if (/^\S/.test(line)) inside = COMMANDS.test(line);
    const [, word] = /^ {2}([a-z][a-z0-9_-]*)\*? /.exec(line) ?? [];
    return inside && word !== undefined ? [word] : [];
  });
}

/** The words of a help text's usage up to the first that stands for something else: `docker image ls`. */
export function usageWords(help: string): readonly string[] {
  const [, usage = ''] = /^Usage:\s+(\S.*)$/m.exec(help) ?? [];
  const words = usage.split(/\s+/);
  const end = words.findIndex((word) => !/^[a-z][a-z0-9_-]*$/.test(word));
  return words.slice(0, end < 0 ? undefined : end);
}

/**
 * Every way to type the command: its own and the aliases of its help, which docker up to 20.10 lists as single words
 * (`ls, list`) and later ones in full (`docker image ls, docker images`).
 */
export function spellings({ words, help }: RecordedCommand): readonly (readonly string[])[] {
  const [, aliases] = /^Aliases:\n +(.*)$/m.exec(help) ?? [];
  if (aliases === undefined) return [words];
  const typed = aliases.split(', ').map((alias) => alias.trim().split(' '));
  const all = [
    words,
    ...typed.map((alias) => (alias[0] === 'docker' ? alias.slice(1) : [...words.slice(0, -1), ...alias])),
  ];
  return [...new Map(all.map((each) => [each.join(' '), each])).values()];
}

/** The meaning of options as the recorded help has it, without a docker command at hand. */
export function recordedBook(cli: RecordedCli): LearnedSyntax {
  const helps = new Map(
    readTree(cli).flatMap((command) => spellings(command).map((words) => [words.join(' '), command.help] as const)),
  );
  const parse: LearnedSyntax['parse'] = async (command, argv, own = []) => {
    const syntax = parseHelp(helps.get(command.join(' ')) ?? '', command);
    return new ParsedArgs({ ...syntax, flags: [...syntax.flags, ...own] }, argv);
  };
  return { parse } as LearnedSyntax;
}
