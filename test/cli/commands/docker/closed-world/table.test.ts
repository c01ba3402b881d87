import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  findCommand,
  isCommandWord,
  knownFlags,
} from '../../../../../src/cli/commands/docker/closed-world/commands.ts';
import { DOCKER_COMMANDS } from '../../../../../src/cli/commands/docker/closed-world/table.ts';
import type { DockerOption } from '../../../../../src/engine/cli/help.ts';
import { parseHelp } from '../../../../../src/engine/cli/help.ts';
import { type RecordedCli, readTree, spellings } from '../../../../engine/command-tree.ts';

const CLIS: readonly RecordedCli[] = ['docker-20.10', 'docker-28', 'docker-29'];
/** Signet carries these out itself. */
const REPLACED: readonly string[] = ['trust', 'login', 'logout'];
/** Options that make a harmless command start something, each with the reason why it is not in the table. */
const NOT_HARMLESS: Readonly<Record<string, readonly string[]>> = {
  // Starts the builder.
  'buildx create': ['bootstrap'],
  'buildx inspect': ['bootstrap'],
  // Starts the services of the swarm that the host was in before.
  'swarm init': ['force-new-cluster'],
};
/** Options that no help lists, from the sources of docker and compose. */
const HIDDEN: Readonly<Record<string, readonly string[]>> = {
  'buildx create': ['config'],
  compose: ['insecure-registry', 'no-ansi', 'verbose', 'version', 'workdir'],
  'compose exec': ['interactive', 'tty'],
  'compose rm': ['all'],
  create: ['dns-opt', 'net', 'net-alias'],
  run: ['dns-opt', 'net', 'net-alias'],
};
/** Names that no help gives: the words of plugins under which docker also finds them. */
const UNLISTED: readonly string[] = ['buildx dap b', 'buildx debug b'];

const recorded = CLIS.flatMap((cli) =>
  readTree(cli)
    .filter(({ words: [first = ''] }) => !REPLACED.includes(first))
    .map((command) => ({ cli, ...command })),
);

/** The table's options of a command; undefined if the command looks at each of its options itself. */
function flagsOf(name: string): readonly DockerOption[] | undefined {
  const command = findCommand(name.split(' ').filter(Boolean));
  return command && knownFlags(command, 'docker');
}

describe('the closed world', () => {
  test('has a place for every command of docker 20.10, 28 and 29, buildx and compose, by every name', () => {
    expect(recorded.length).toBeGreaterThan(600);
    const homeless = recorded
      .flatMap(({ cli, ...command }) => spellings(command).map((words) => ({ cli, words })))
      .filter(({ words }) => findCommand(words) === undefined);
    expect(homeless).toEqual([]);
  });

  test('gives all names of one command the same place', () => {
    for (const command of recorded) {
      // buildx lists the aliases of its build in the helps of its debuggers too.
      if (command.words.at(-2) === 'debug' || command.words.at(-2) === 'dap') continue;
      const names = new Set(spellings(command).map((words) => findCommand(words)?.name));
      expect([command.words, names.size]).toEqual([command.words, 1]);
    }
  });

  test('finds every command by its words, and none in its arguments', () => {
    for (const { words } of recorded) {
      for (const [index, word] of words.entries()) expect(isCommandWord(words.slice(0, index), word)).toBe(true);
      const isGroup = recorded.some(
        (other) => other.words.length > words.length && words.every((w, i) => other.words[i] === w),
      );
      const takesArguments = words.join(' ').endsWith('history inspect');
      if (words.length > 0) expect([words, isCommandWord(words, 'x')]).toEqual([words, isGroup && !takesArguments]);
    }
  });

  test('knows each option of what it lets through as docker reads it, but for those that start something', () => {
    const wrong: unknown[] = [];
    for (const { cli, words, help } of recorded) {
      const command = findCommand(words);
      const known = command && knownFlags(command, 'docker');
      if (command === undefined || command.kind === 'refused' || known === undefined) continue;
      for (const { long, short, takesValue } of parseHelp(help, words).flags) {
        if (long === 'help' || NOT_HARMLESS[command.name]?.includes(long ?? '')) continue;
        const isKnown = known.some((flag) => flag.long === long && flag.takesValue === takesValue);
        const isShort = short === undefined || known.some((flag) => flag.short === short && flag.long === long);
        if (!isKnown || !isShort) wrong.push([cli, words.join(' '), long, short, takesValue]);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('knows no option that does not exist', () => {
    const unknown: unknown[] = [];
    for (const name of Object.keys(DOCKER_COMMANDS)) {
      const helps = recorded.filter(({ words }) => findCommand(words)?.name === name);
      const flags = new Set(helps.flatMap(({ words, help }) => parseHelp(help, words).flags.map(({ long }) => long)));
      for (const { long = '' } of flagsOf(name) ?? []) {
        if (!flags.has(long) && !HIDDEN[name]?.includes(long)) unknown.push([name, long]);
      }
    }
    expect(unknown).toEqual([]);
  });

  test('knows no command that does not exist', () => {
    const names = new Set(recorded.flatMap((command) => spellings(command).map((words) => words.join(' '))));
    const spelled = Object.entries(DOCKER_COMMANDS).flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
    expect(spelled.filter((name) => !names.has(name) && !UNLISTED.includes(name))).toEqual([]);
    expect(new Set(spelled).size).toBe(spelled.length);
  });

  test('reads the options of commands with a command of their own as docker does', () => {
    for (const { words, help } of recorded) {
      const command = findCommand(words);
      if (command === undefined || command.kind === 'refused' || command.kind === 'enforced') continue;
      // The help of `top` names its arguments in a way of its own.
      const expected = command.name === 'top' ? false : parseHelp(help, words).interspersed;
      const isGroup = isCommandWord(words, '');
      if (!isGroup && words.length > 0) expect([words, command.interspersed ?? true]).toEqual([words, expected]);
    }
  });

  test('has no place for any other plugin of Docker’s', () => {
    const lines = readFileSync(
      join(import.meta.dir, '../../../../engine/fixtures/docker-29/plugins.txt'),
      'utf8',
    ).split('\n');
    const plugins = lines.flatMap((line) => /^[a-z]\S*/.exec(line)?.[0] ?? []);
    expect(plugins.length).toBeGreaterThan(15);
    const covered = ['buildx', 'compose', 'trust'];
    expect(plugins.filter((name) => findCommand([name]) !== undefined)).toEqual(
      covered.filter((name) => name !== 'trust'),
    );
  });

  test('gives a reason for each refusal', () => {
    for (const [name, { kind, why }] of Object.entries(DOCKER_COMMANDS))
      expect([name, why !== undefined && why.length > 10]).toEqual([name, kind === 'refused']);
  });
});
