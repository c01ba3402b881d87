import type { ParsedArgs } from '../../engine/cli/flags.ts';
import { carryOut, parseCommand } from '../line/command.ts';
import type { Command, Group, ParsedCommand } from '../line/declaration.ts';
import { listText } from '../line/help.ts';
import type { Session } from '../session.ts';

/** A command line whose first word is one of Signet's. */
interface Call {
  /** The words after the first one. */
  readonly words: readonly string[];
  /** Docker's options before the word. */
  readonly globals: ParsedArgs | undefined;
  /** The whole command line, for docker if Signet does not handle it after all. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A command word of Signet's: its line in `signet --help`, and its declaration. Both are loaded when needed. */
interface Word {
  readonly name: string;
  readonly about: string;
  readonly load: () => Promise<Command<never, unknown> | Group<never>>;
  /** Runs a command line and returns the exit code. */
  readonly call: (call: Call) => Promise<number>;
}

/** Signet's own words, and docker's words that it handles itself. Everything else is passed to docker. */
export const WORDS: readonly Word[] = [
  {
    name: 'completion',
    about: 'Print the completion script of a shell',
    load: async () => (await import('./completion/completion.ts')).COMPLETION,
    call: async ({ words }) => (await import('./completion/completion.ts')).completionCommand(words),
  },
  {
    name: 'login',
    about: 'Log in to a registry and its trust server',
    load: async () => (await import('./login.ts')).LOGIN,
    call: async (call) => loginOrLogout((await import('./login.ts')).LOGIN, call),
  },
  {
    name: 'logout',
    about: 'Log out',
    load: async () => (await import('./login.ts')).LOGOUT,
    call: async (call) => loginOrLogout((await import('./login.ts')).LOGOUT, call),
  },
  {
    name: 'serve',
    about: 'Run a trust server and registry',
    load: async () => (await import('./serve/serve.ts')).SERVE,
    call: async ({ words }) => (await import('./serve/serve.ts')).serveCommand(words),
  },
  {
    name: 'signer',
    about: 'Hold the online keys of trust servers',
    load: async () => (await import('./signer/signer.ts')).SIGNER,
    call: async ({ words }) => (await import('./signer/signer.ts')).signerCommand(words),
  },
  {
    name: 'trust',
    about: 'Manage signers, keys and signatures',
    load: async () => (await import('./trust/index.ts')).TRUST,
    call: async (call) => (await import('./trust/index.ts')).trustCommand(call.words, () => openSession(call)),
  },
  {
    name: 'user',
    about: 'Manage the accounts of a server',
    load: async () => (await import('./user/user.ts')).USER,
    call: async ({ words }) => (await import('./user/user.ts')).userCommand(words),
  },
];

/** Docker's words that Signet enforces trust for, as listed in `signet --help`. */
const ENFORCED: readonly (readonly [name: string, about: string])[] = [
  ['build', 'Build an image on signed base images'],
  ['create', 'Create a container from a signed image'],
  ['pull', 'Download a signed image'],
  ['push', 'Upload an image and sign it'],
  ['run', 'Run a signed image'],
  ['service', 'Deploy signed images to a swarm (create, update)'],
];

/** Finds a command word of Signet by name. Undefined for any other word. */
export function findWord(name: string): Word | undefined {
  return WORDS.find((word) => word.name === name);
}

/** The text of `signet --help`. */
export function mainHelp(): string {
  return [
    'Usage:  signet COMMAND',
    'Docker Content Trust: sign images, and run only what people you trust have signed.\nEvery command of docker works here as it does there.',
    listText('Commands that enforce trust while DOCKER_CONTENT_TRUST=1', ENFORCED),
    listText(
      'Commands of Signet',
      WORDS.map(({ name, about }) => [name, about]),
    ),
    "Run 'signet COMMAND --help' for more information on a command.\nSet DOCKER_CONTENT_TRUST=1 to enforce. SIGNET_DOCKER names the docker command to use.\n",
  ].join('\n\n');
}

/** Docker Hub's login in a browser is left to docker. */
async function loginOrLogout(command: Command<Session, number | undefined>, call: Call): Promise<number> {
  const parsed: ParsedCommand = parseCommand(command, call.words);
  const session = await openSession(call);
  try {
    return (await carryOut(command, session, parsed)) ?? (await runDockersOwn(call));
  } finally {
    await session.close();
  }
}

async function openSession({ env, globals }: Call): Promise<Session> {
  return (await import('../session.ts')).openSession({ env, globals, cli: undefined });
}

async function runDockersOwn({ argv, env }: Call): Promise<number> {
  const [{ findDocker }, { execDocker }] = await Promise.all([
    import('../../engine/cli/cli.ts'),
    import('../../engine/cli/run.ts'),
  ]);
  return execDocker((await findDocker(env)).path, argv, env);
}
