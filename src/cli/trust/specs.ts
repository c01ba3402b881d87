import type { CommandSpec } from '../command.ts';

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
  flags: [{ name: 'key', kind: 'list' }],
  options: "      --key list   Path to the signer's public key file",
  minArguments: 2,
};

export const SIGNER_REMOVE: CommandSpec = {
  path: 'trust signer remove',
  usage: '[OPTIONS] NAME REPOSITORY [REPOSITORY...]',
  summary: 'Remove a signer',
  flags: [{ name: 'force', short: 'f', kind: 'switch' }],
  options: `  -f, --force   Do not prompt for confirmation before removing the most
                recent signer`,
  minArguments: 2,
};

export const SIGN: CommandSpec = {
  path: 'trust sign',
  usage: 'IMAGE:TAG[@DIGEST] [IMAGE:TAG[@DIGEST]...]',
  summary: 'Sign an image',
  flags: [
    { name: 'local', kind: 'switch' },
    { name: 'remote', kind: 'switch' },
  ],
  options: `      --local    Sign a locally tagged image
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

export const TRUST_HELP = `Usage:  docker trust COMMAND

Manage trust on Docker images

Management Commands:
  key         Manage keys for signing Docker images
  signer      Manage entities who can sign Docker images

Commands:
  inspect     Return low-level information about keys and signatures
  revoke      Remove trust for an image
  sign        Sign an image

Run 'docker trust COMMAND --help' for more information on a command.
`;

export const KEY_HELP = `Usage:  docker trust key COMMAND

Manage keys for signing Docker images

Commands:
  generate    Generate and load a signing key-pair
  load        Load a private key file for signing

Run 'docker trust key COMMAND --help' for more information on a command.
`;

export const SIGNER_HELP = `Usage:  docker trust signer COMMAND

Manage entities who can sign Docker images

Commands:
  add         Add a signer
  remove      Remove a signer

Run 'docker trust signer COMMAND --help' for more information on a command.
`;
