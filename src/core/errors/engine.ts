import type { Catalogue } from './catalogue.ts';

/** Errors of the Docker Engine, of the docker command line tool and of the terminal. */
export const ENGINE_ERRORS = {
  'docker-missing': { own: true, next: 'Install docker, or name its command in SIGNET_DOCKER.' },
  'docker-failed': {},
  'docker-help-unreadable': {
    own: true,
    exit: 125,
    next: 'Set DOCKER_CONTENT_TRUST=0 to run the command without trust.',
  },
  'docker-command-missing': {
    own: true,
    exit: 125,
    next: 'Check the spelling, or install the plugin that the command belongs to.',
  },
  'buildx-missing': {
    own: true,
    exit: 125,
    next: "Install docker's buildx plugin (docker-buildx-plugin, on Debian docker-buildx), or build with DOCKER_BUILDKIT=0.",
  },
  'docker-flag-unknown': {
    exit: 125,
    next: 'Check the spelling with --help. Signet refuses a command line that it cannot read with certainty.',
  },
  'docker-flag-invalid': { exit: 125 },
  'home-unknown': { own: true, next: "Set HOME, or DOCKER_CONFIG to docker's configuration folder." },
  'docker-value-unclear': { next: 'Name each field once, in small letters: key=value,key=value' },
  'endpoint-invalid': {},
  'context-unknown': { next: 'List the contexts: docker context ls' },
  'engine-unreachable': { next: 'Check that the engine runs and that you may use its socket: docker version' },
  'engine-refused': {},
  'engine-response-invalid': {},
  'push-result-missing': { next: 'Sign the digest that the registry has: signet trust sign' },
  'push-result-ambiguous': { next: 'Push again, then compare the digest with that of the registry.' },
  'input-ended': { next: 'Run the command in a terminal, or give it one line of input for each question.' },
} as const satisfies Catalogue;
