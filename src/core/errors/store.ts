import type { Catalogue } from './catalogue.ts';

/** Errors of the disk: the trust folder, keys, docker's configuration, credential helpers. */
export const STORE_ERRORS = {
  'file-unreadable': {
    own: true,
    next: "Check who owns the file and its folder, and their permissions. If it is below docker's configuration folder, another can be named: DOCKER_CONFIG=FOLDER",
  },
  'file-unwritable': {
    own: true,
    next: "Check who owns the folder, its permissions, and the space left on the disk. If it is below docker's configuration folder, another can be named: DOCKER_CONFIG=FOLDER",
  },
  'file-unsafe': {
    own: true,
    next: 'Look at what stands there; Signet does not go through links below its own folders.',
  },
  'file-locked': {
    own: true,
    next: 'If no other command is running, remove the file that the message names, and try again.',
  },
  'docker-config-invalid': { next: "Mend docker's configuration file by hand, or restore it from a copy." },
  'credential-helper-failed': {
    next: 'Check that the credential helper that docker is configured with is installed and unlocked.',
  },
  'credential-helper-answer-invalid': {},
  'changelist-invalid': { next: 'Remove the file that the message names; the change in it is then not published.' },
  'key-role-conflict': {},
} as const satisfies Catalogue;
