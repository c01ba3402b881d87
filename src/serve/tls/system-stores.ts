import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** How a system keeps the authorities that all of its programs trust. */
export interface SystemStore {
  /** Systems that do it so, for texts. */
  readonly systems: string;
  /** The folder for authorities of the machine's administrator. */
  readonly anchors: string;
  /** Takes what was put into `anchors` into use. */
  readonly update: readonly string[];
  /** Takes what was removed from `anchors` out of use. */
  readonly withdraw: readonly string[];
  /** The file with all trusted authorities that `update` writes. */
  readonly bundle: string;
}

/** The folder that is the least common comes first: some systems have those of others too, for compatibility. */
export const SYSTEM_STORES: readonly SystemStore[] = [
  {
    systems: 'SUSE',
    anchors: '/etc/pki/trust/anchors',
    update: ['update-ca-certificates'],
    withdraw: ['update-ca-certificates', '--fresh'],
    bundle: '/var/lib/ca-certificates/ca-bundle.pem',
  },
  {
    systems: 'Fedora, RHEL',
    anchors: '/etc/pki/ca-trust/source/anchors',
    update: ['update-ca-trust', 'extract'],
    withdraw: ['update-ca-trust', 'extract'],
    bundle: '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  },
  {
    systems: 'Arch',
    anchors: '/etc/ca-certificates/trust-source/anchors',
    update: ['update-ca-trust', 'extract'],
    withdraw: ['update-ca-trust', 'extract'],
    bundle: '/etc/ca-certificates/extracted/tls-ca-bundle.pem',
  },
  {
    systems: 'Debian, Ubuntu, Alpine',
    anchors: '/usr/local/share/ca-certificates',
    update: ['update-ca-certificates'],
    withdraw: ['update-ca-certificates', '--fresh'],
    bundle: '/etc/ssl/certs/ca-certificates.crt',
  },
];

/** The store of the system whose files begin at `root`; undefined for a system that keeps its authorities otherwise. */
export function findSystemStore(root = '/'): SystemStore | undefined {
  return SYSTEM_STORES.find(({ anchors }) => existsSync(join(root, anchors)));
}
