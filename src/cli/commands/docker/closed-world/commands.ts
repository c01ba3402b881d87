import type { DockerCli } from '../../../../engine/cli/cli.ts';
import type { DockerOption } from '../../../../engine/cli/help.ts';
import { type CommandEntry, DOCKER_COMMANDS, PODMANS_FLAGS } from './table.ts';

export interface KnownCommand extends CommandEntry {
  /** Its name in the table. */
  readonly name: string;
}

const NAMES = namesOf(DOCKER_COMMANDS);
const GROUPS = new Set([...NAMES.keys()].flatMap((name) => beginnings(name.split(' '))));

/** The command with these words, by any of its names; undefined for one that Signet does not know. */
export function findCommand(words: readonly string[]): KnownCommand | undefined {
  const name = NAMES.get(spelling(words));
  const entry = name === undefined ? undefined : DOCKER_COMMANDS[name];
  return name === undefined || entry === undefined ? undefined : { ...entry, name };
}

/**
 * Whether `next` is another word of the command: below a group, every word is, if the group takes no arguments itself.
 */
export function isCommandWord(words: readonly string[], next: string): boolean {
  if (words.length === 0) return true;
  const group = spelling(words);
  if (!GROUPS.has(group)) return false;
  return group !== 'buildx history inspect' || next === '' || NAMES.has(spelling([...words, next]));
}

/** The first words of docker's commands. */
export function firstWords(): readonly string[] {
  return [...new Set([...NAMES.keys()].map((name) => name.split(' ')[0] ?? ''))].filter((word) => word !== '');
}

/** The words that lead on from those of a group; none if they are a command's, or no one's. */
export function nextWords(words: readonly string[]): readonly string[] {
  const start = `${spelling(words)} `;
  const further = [...NAMES.keys()].filter((name) => name.startsWith(start));
  return [...new Set(further.map((name) => name.slice(start.length).split(' ')[0] ?? ''))];
}

/** Whether one of docker's commands begins with the word. */
export function isFirstWord(word: string): boolean {
  return firstWords().includes(spelling([word]));
}

/** Whether the word is an enforced command, or the beginning of one. */
export function leadsToEnforced(word: string): boolean {
  const start = spelling([word]);
  return [...NAMES].some(
    ([typed, name]) => (typed === start || typed.startsWith(`${start} `)) && DOCKER_COMMANDS[name]?.kind === 'enforced',
  );
}

/** The known options of a command; undefined if the command itself checks each of them. */
export function knownFlags({ name, flags }: KnownCommand, cli: DockerCli['kind']): readonly DockerOption[] | undefined {
  if (flags === undefined) return undefined;
  const podmans = cli === 'podman' ? (PODMANS_FLAGS[name] ?? '') : '';
  const words = `${flags} ${podmans}`.split(' ').filter((word) => word !== '');
  return words.map((word) => {
    const takesValue = word.endsWith('=');
    const names = (takesValue ? word.slice(0, -1) : word).split(',');
    return { long: names.at(-1), short: names.length > 1 ? names[0] : undefined, takesValue };
  });
}

function spelling(words: readonly string[]): string {
  const [first, ...others] = words;
  return [first === 'builder' ? 'buildx' : first, ...others].join(' ');
}

function namesOf(table: Readonly<Record<string, CommandEntry>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(table).flatMap(([name, { aliases = [] }]) =>
      [name, ...aliases].map((each) => [each, name] as const),
    ),
  );
}

function beginnings(words: readonly string[]): readonly string[] {
  return words.slice(1).map((_, index) => words.slice(0, index + 1).join(' '));
}
