/** Variables of a process by their names: its environment, or a part of it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the environment that begin with this are Signet's. */
export const PREFIX = 'SIGNET_';

/** What `signet` reads as a client; docs/configuration.md says what each is for. */
export const CLIENT_VARIABLES: readonly string[] = [
  'SIGNET_CLIENT_CONFIG',
  'SIGNET_DEBUG',
  'SIGNET_DEFAULT_REGISTRY',
  'SIGNET_DOCKER',
  'SIGNET_NEW_PASSPHRASE_FILE',
  'SIGNET_REPOSITORY_PASSPHRASE_FILE',
  'SIGNET_ROOT_PASSPHRASE_FILE',
  'SIGNET_TOFU',
];

/** What `signet serve` and `signet user` read beside the settings, of which each has a variable of its name. */
export const SERVER_VARIABLES: readonly string[] = ['SIGNET_CONFIG', 'SIGNET_DATA', 'SIGNET_MASTER_KEY'];

/** What Signet gives to programs that it starts; they are there if one of those starts Signet in turn. */
export const GIVEN_VARIABLES: readonly string[] = ['SIGNET_ASKED', 'SIGNET_KEY_ALIAS', 'SIGNET_KEY_ID'];
