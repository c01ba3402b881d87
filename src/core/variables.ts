/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Prefix of Signet's environment variables. */
export const PREFIX = 'SIGNET_';

/** Variables that `signet` reads as a client; docs/configuration.md describes them. */
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

/**
 * Variables that `signet serve` and `signet user` read besides the settings, each of which has a variable of its own.
 */
export const SERVER_VARIABLES: readonly string[] = ['SIGNET_CONFIG', 'SIGNET_DATA', 'SIGNET_MASTER_KEY'];

/** Variables that Signet sets for the programs it starts; present if one of those starts Signet again. */
export const GIVEN_VARIABLES: readonly string[] = ['SIGNET_ASKED', 'SIGNET_KEY_ALIAS', 'SIGNET_KEY_ID'];
