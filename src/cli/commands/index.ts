import type { Command, Group } from '../line/declaration.ts';
import { listText } from '../line/help.ts';

/** A word of Signet's: what `signet --help` says of it, and its declaration, loaded when it is needed. */
interface Word {
  readonly name: string;
  readonly about: string;
  readonly load: () => Promise<Command<never, unknown> | Group<never>>;
}

/** Signet's own words, and those of docker that it carries out itself. Everything else is docker's. */
export const WORDS: readonly Word[] = [
  {
    name: 'login',
    about: 'Log in to a registry and its trust server',
    load: async () => (await import('./login.ts')).LOGIN,
  },
  { name: 'logout', about: 'Log out', load: async () => (await import('./login.ts')).LOGOUT },
  {
    name: 'serve',
    about: 'Run a trust server and registry',
    load: async () => (await import('./serve/serve.ts')).SERVE,
  },
  {
    name: 'signer',
    about: 'Hold the online keys of trust servers',
    load: async () => (await import('./signer/signer.ts')).SIGNER,
  },
  {
    name: 'trust',
    about: 'Manage signers, keys and signatures',
    load: async () => (await import('./trust/index.ts')).TRUST,
  },
  {
    name: 'user',
    about: 'Manage the accounts of a server',
    load: async () => (await import('./user/user.ts')).USER,
  },
];

/** Docker's words that Signet enforces trust for, as `signet --help` shows them. */
const ENFORCED: readonly (readonly [name: string, about: string])[] = [
  ['build', 'Build an image on signed base images'],
  ['create', 'Create a container from a signed image'],
  ['pull', 'Download a signed image'],
  ['push', 'Upload an image and sign it'],
  ['run', 'Run a signed image'],
  ['service', 'Deploy signed images to a swarm (create, update)'],
];

/** What `signet --help` prints. */
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
