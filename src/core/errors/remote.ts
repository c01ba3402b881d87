import type { Catalogue } from './catalogue.ts';

/** Errors of the network: trust servers, registries, token services. */
export const REMOTE_ERRORS = {
  'network-unreachable': { next: 'Check the address and the network, then try again.' },
  'network-timeout': { next: 'Check the address and the network, then try again.' },
  'tls-untrusted': { own: true },
  'tls-failed': { next: 'Check that the port is right and that the server speaks TLS 1.2 or later there.' },
  'tls-files-invalid': { own: true, next: 'Fix the files that the message names.' },
  'proxy-unsupported': {
    own: true,
    next: 'Name a proxy with http:// or https:// before it, or list the host in NO_PROXY.',
  },
  'plain-http-refused': { next: 'Use an https address.' },
  'server-address-invalid': {},
  'response-invalid': {},
  'manifest-unusable': { next: 'The registry answers with something else than an image; ask its operator why.' },
  'response-too-large': {},
  'redirect-refused': {},
  'realm-refused': {
    own: true,
    next: 'If that token service is the right one, allow it for this registry in the configuration of Signet.',
  },
  'credentials-missing': { own: true, next: 'Log in first: signet login HOST' },
  unauthorized: { own: true, next: 'Log in first: signet login HOST' },
  forbidden: {},
  'not-found': {},
  'server-error': {},
  'trust-data-missing': {},
  'import-unsupported': {
    own: true,
    next: 'A repository moves with its history to a server of Signet only: signet serve. If the old server is yours, Signet can take over its database instead: signet serve --database URL --check says how it stands.',
  },
  'publish-rejected': {},
  'publish-conflict': { next: 'Somebody published at the same time. Run the command again.' },
} as const satisfies Catalogue;
