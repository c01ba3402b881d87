import type { ParsedArgs } from '../../engine/cli/flags.ts';

/** A command of docker's that Signet carries out itself, without asking docker what its options mean. */
interface ReplacedCommand {
  readonly word: string;
  /** What follows the word. */
  readonly words: readonly string[];
  /** Docker's options before the word. */
  readonly globals: ParsedArgs | undefined;
  /** The whole command line, for docker where it is docker's after all. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export function isReplaced(word: string): boolean {
  return word === 'trust' || word === 'login' || word === 'logout';
}

/** `trust`, `login` and `logout`. Docker Hub's login in a browser is left to docker. */
export async function replacedCommand({ word, words, globals, argv, env }: ReplacedCommand): Promise<number> {
  const open = async () => (await import('../session.ts')).openSession({ env, globals, cli: undefined });
  if (word === 'trust') return (await import('./trust/index.ts')).trustCommand(words, open);
  const [{ LOGIN, LOGOUT }, { parseCommand }] = await Promise.all([import('./login.ts'), import('../line/command.ts')]);
  const command = word === 'login' ? LOGIN : LOGOUT;
  const parsed = parseCommand(command, words);
  const session = await open();
  try {
    const exitCode = await command.run(session, parsed);
    return exitCode ?? (await runDockersOwn(argv, env));
  } finally {
    await session.close();
  }
}

async function runDockersOwn(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [{ findDocker }, { execDocker }] = await Promise.all([
    import('../../engine/cli/cli.ts'),
    import('../../engine/cli/run.ts'),
  ]);
  return execDocker((await findDocker(env)).path, argv, env);
}
