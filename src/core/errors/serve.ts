import type { Catalogue } from './catalogue.ts';

/** Errors of the serve process: settings, certificates, listening, requests refused before they reach a part. */
export const SERVE_ERRORS = {
  'setting-unknown': { own: true, exit: 125, next: 'List the settings: signet serve --help' },
  'setting-invalid': { own: true, exit: 125, next: 'List the settings: signet serve --help' },
  'settings-conflict': { own: true, exit: 125 },
  'settings-unreadable': { own: true, exit: 125 },

  'client-authentication-missing': { own: true, exit: 125 },

  'data-folder-unusable': { own: true, next: 'Choose another folder: signet serve --data FOLDER' },
  'data-folder-locked': {
    own: true,
    next: 'Stop the other process, or choose another folder: signet serve --data FOLDER',
  },
  'master-key-unreadable': {
    own: true,
    next: 'Restore the master key from its backup; the online signing keys need it.',
  },
  'certificate-unusable': {
    own: true,
    next: 'Mend the certificate and key files; Signet never falls back to plain HTTP.',
  },
  'authority-expired': {
    own: true,
    next: 'Move the folder "tls" out of the data folder, start again, and hand the new ca.crt to every client.',
  },
  'machine-trust-unsure': { own: true, exit: 125, next: 'Run it at a terminal, or say that you are sure: --yes' },
  'machine-trust-failed': {
    own: true,
    next: 'Run it as root, and again when the cause is gone: what is done is not done twice.',
  },
  'machine-trust-needless': {},
  'access-log-unusable': { own: true, next: 'Name a file that this user may write: signet serve --access-log FILE' },
  'address-in-use': { own: true, next: 'Choose another address: signet serve --listen HOST:PORT' },
  'address-unavailable': { own: true, next: 'Listen on an address of this machine: signet serve --listen HOST:PORT' },
  'server-unhealthy': {},
  'data-folder-incomplete': { own: true },

  'host-unknown': { http: 421 },
  'host-malformed': { http: 400 },
  'path-invalid': { http: 400 },
  'route-unknown': { http: 404 },
  'server-busy': { http: 503 },
  'server-stopping': { http: 503 },
  'network-busy': { http: 429 },
} as const satisfies Catalogue;
