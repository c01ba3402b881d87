import { INIT_FLAG } from '../../creation.ts';
import type { CommandSpec } from '../../line/command.ts';
import { KEEPING, KEEPING_OPTIONS } from './keeping.ts';

export const KEY_GENERATE: CommandSpec = {
  path: 'trust key generate',
  usage: 'NAME',
  summary: 'Generate and load a signing key-pair',
  flags: [{ name: 'dir', kind: 'value' }],
  options: `      --dir string   Directory to generate key in, defaults to current
                     directory`,
  minArguments: 1,
  maxArguments: 1,
};

export const KEY_LOAD: CommandSpec = {
  path: 'trust key load',
  usage: '[OPTIONS] KEYFILE',
  summary: 'Load a private key file for signing',
  flags: [{ name: 'name', kind: 'value' }],
  options: '      --name string   Name for the loaded key (default "signer")',
  minArguments: 1,
  maxArguments: 1,
};

export const SIGNER_ADD: CommandSpec = {
  path: 'trust signer add',
  usage: 'OPTIONS NAME REPOSITORY [REPOSITORY...] ',
  summary: 'Add a signer',
  flags: [INIT_FLAG, { name: 'key', kind: 'list' }],
  options: `      --init       Found a repository that is new, also in a script
      --key list   Path to the signer's public key file`,
  minArguments: 2,
};

export const SIGNER_REMOVE: CommandSpec = {
  path: 'trust signer remove',
  usage: '[OPTIONS] NAME REPOSITORY [REPOSITORY...]',
  summary: 'Remove a signer',
  flags: [...KEEPING, { name: 'force', short: 'f', kind: 'switch' }],
  options: `${KEEPING_OPTIONS}
  -f, --force              Do not prompt for confirmation before removing the
                           most recent signer`,
  minArguments: 2,
};

export const SIGN: CommandSpec = {
  path: 'trust sign',
  usage: 'IMAGE:TAG[@DIGEST] [IMAGE:TAG[@DIGEST]...]',
  summary: 'Sign an image',
  flags: [INIT_FLAG, { name: 'local', kind: 'switch' }, { name: 'remote', kind: 'switch' }],
  options: `      --init     Found a repository that is new, also in a script
      --local    Sign a locally tagged image
      --remote   Sign what the registry holds, without an engine`,
  minArguments: 1,
};

export const REVOKE: CommandSpec = {
  path: 'trust revoke',
  usage: '[OPTIONS] IMAGE[:TAG]',
  summary: 'Remove trust for an image',
  flags: [{ name: 'yes', short: 'y', kind: 'switch' }],
  options: '  -y, --yes   Do not prompt for confirmation',
  minArguments: 1,
  maxArguments: 1,
};

export const INSPECT: CommandSpec = {
  path: 'trust inspect',
  usage: 'IMAGE[:TAG] [IMAGE[:TAG]...]',
  summary: 'Return low-level information about keys and signatures',
  flags: [{ name: 'pretty', kind: 'switch' }],
  options: '      --pretty   Print the information in a human friendly format',
  minArguments: 1,
};

/** The commands of `trust` that docker does not have, with what their helps say of them. */
export const SIGNET_TRUST: readonly (readonly [name: string, summary: string])[] = [
  ['add', 'Sign a file, or what has a digest, as a target'],
  ['adopt', 'Vouch for what others have signed, where their trust server goes away'],
  ['approve', 'Sign a change that waits for more signatures'],
  ['delegation', 'Manage who may sign targets of a repository'],
  ['delete', 'Forget the trust data of a repository here, or delete it for everybody'],
  ['discard', 'Drop a change that waits for more signatures'],
  ['export', 'Write whole repositories of trust data, without keys, into one file'],
  ['import', 'Take trust data that was exported, for use without a server or for a mirror'],
  ['init', 'Found a repository: publish its keys, and nothing signed yet'],
  ['list', 'List the targets of a repository'],
  ['lookup', 'Show the digest and the size of a target'],
  ['publish', 'Publish all staged changes, and a repository that was only prepared'],
  ['remove', 'Take a target back'],
  ['renew', 'Sign anew what has expired or expires within half a year'],
  ['reset', 'Drop staged changes, or found a repository anew whose root key is lost'],
  ['role', 'Change which keys sign for a role, and how many of them must'],
  ['status', 'Show who signed what until when, what waits for signatures, and what is staged'],
  ['verify', 'Pass content on only where it is what was signed as a target'],
  ['witness', 'Sign roles anew as they are, whoever signed them before'],
];

/** Those of `trust key`. */
export const SIGNET_KEY: readonly (readonly [name: string, summary: string])[] = [
  ['certificate', 'Make the certificate by which a root key becomes one of a repository'],
  ['export', 'Write private keys, encrypted as they are, for a copy or another machine'],
  ['import', 'Import private keys that were exported, or come from elsewhere'],
  ['list', 'List the private keys that are here'],
  ['passwd', 'Change the passphrase of a private key'],
  ['remove', 'Remove a private key'],
  ['rotate', 'Replace the keys of root, targets, snapshot or timestamp'],
];

export const TRUST_HELP = `Usage:  docker trust COMMAND

Manage trust on Docker images

Management Commands:
  key         Manage keys for signing Docker images
  signer      Manage entities who can sign Docker images

Commands:
  inspect     Return low-level information about keys and signatures
  revoke      Remove trust for an image
  sign        Sign an image

${ownCommands(SIGNET_TRUST)}
Run 'docker trust COMMAND --help' for more information on a command.
`;

export const KEY_HELP = `Usage:  docker trust key COMMAND

Manage keys for signing Docker images

Commands:
  generate    Generate and load a signing key-pair
  load        Load a private key file for signing

${ownCommands(SIGNET_KEY)}
Run 'docker trust key COMMAND --help' for more information on a command.
`;

export const SIGNER_HELP = `Usage:  docker trust signer COMMAND

Manage entities who can sign Docker images

Commands:
  add         Add a signer
  remove      Remove a signer

Run 'docker trust signer COMMAND --help' for more information on a command.
`;

function ownCommands(commands: typeof SIGNET_TRUST): string {
  return `Commands of Signet:\n${commands.map(([name, summary]) => `  ${name.padEnd(11)} ${summary}\n`).join('')}`;
}
