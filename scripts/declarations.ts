import { WORDS } from '../src/cli/commands/words.ts';
import { type Command, type Group, isGroup } from '../src/cli/line/declaration.ts';

/** A command of Signet's, whatever it works with. */
export type AnyCommand = Command<never, unknown>;

/** A group or a command, and the words that lead to it. */
interface Declaration {
  readonly words: string;
  readonly told: AnyCommand | Group<never>;
}

/** All groups and commands that Signet declares, a group before what is in it. */
export async function declarations(): Promise<readonly Declaration[]> {
  const all = await Promise.all(WORDS.map(async ({ name, load }) => below(name, await load())));
  return all.flat();
}

/** Those that are commands. */
export async function declaredCommands(): Promise<readonly AnyCommand[]> {
  return (await declarations()).flatMap(({ told }) => (isGroup(told) ? [] : [told]));
}

async function below(words: string, told: Declaration['told']): Promise<readonly Declaration[]> {
  const entries = isGroup(told) ? told.lists.flatMap(([, listed]) => listed) : (told.commands ?? []);
  const all = await Promise.all(entries.map(async ([name, load]) => below(`${words} ${name}`, await load())));
  return [{ words, told }, ...all.flat()];
}
