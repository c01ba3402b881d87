import { carryOut, parseCommand } from '../../src/cli/line/command.ts';
import type { Command } from '../../src/cli/line/declaration.ts';

/** A command as a function of what it works with, and of the words after its own. */
export function calling<Context, Result>(
  command: Command<Context, Result>,
): (context: Context, words: readonly string[]) => Promise<Result> {
  return async (context, words) => carryOut(command, context, parseCommand(command, words));
}
