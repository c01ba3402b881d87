import { SignetError } from '../core/errors/index.ts';
import { VERSION } from '../version.ts';
import { CommandText } from './line/command.ts';
import { printErr, printOut } from './terminal/output.ts';
import { debugIsOn, debugLines } from './wording/debug.ts';

/** The command that completion scripts call. It is in no list. */
const COMPLETE = '__complete';
const STDERR = 2;
const VERSION_WORDS: readonly string[] = ['--version', '-v'];
const HELP_WORDS: readonly string[] = ['--help', '-h'];

/** Runs one command line (without the program's name) and returns its exit code. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    // Printing the error may fail too; that failure is then reported.
    return await report(error).catch(report);
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const [word, ...rest] = argv;
  if (VERSION_WORDS.includes(word ?? '') && rest.length === 0) throw new CommandText(`Signet version ${VERSION}\n`, 0);
  const { findWord, mainHelp } = await import('./commands/words.ts');
  if (word === undefined || ([...HELP_WORDS, 'help'].includes(word) && rest.length === 0))
    throw new CommandText(mainHelp(), 0);
  if (word === COMPLETE) return (await import('./commands/completion/complete.ts')).completeCommand(rest, process.env);
  const [asked = '', words] = word === 'help' ? [rest[0], [...rest.slice(1), '--help']] : [word, rest];
  const own = findWord(asked);
  if (own !== undefined) return own.call({ words, globals: undefined, argv, env: process.env });
  const { dockerCommand } = await import('./commands/docker/command.ts');
  return dockerCommand(argv, process.env);
}

/**
 * Prints an error, with the next step if a person reads it or the error is Signet's own. For docker's errors, scripts
 * get exactly docker's own text.
 */
async function report(error: unknown): Promise<number> {
  if (error instanceof CommandText) {
    (error.stream === 'stdout' ? printOut : printErr)(error.message);
    return error.exitCode;
  }
  if (!(error instanceof SignetError)) {
    const text = error instanceof Error ? (debugIsOn() ? error.stack : error.message) : String(error);
    printErr(`signet: unexpected error: ${text}\n`);
    return 1;
  }
  if (error.message !== '') printErr(`${error.message}\n`);
  const { isatty } = await import('node:tty');
  if (error.next !== undefined && (error.isOwn || isatty(STDERR))) printErr(`\n${error.next}\n`);
  for (const line of debugLines(error)) printErr(`${line}\n`);
  return error.exitCode;
}

// Exit at once: everything is printed, and waiting for idle connections and the garbage collector takes 3 ms.
main(process.argv.slice(2)).then((exitCode) => process.exit(exitCode));
