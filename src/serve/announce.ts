import type { X509Certificate } from 'node:crypto';
import type { NewAdministrator } from './administrator.ts';
import type { DataFolder } from './data-folder.ts';
import { formatHostName, isLoopback } from './host-name.ts';
import type { OwnNames } from './own-names.ts';
import type { Settings } from './settings.ts';

/** What a server says of itself when it has started. */
export interface Announcement {
  readonly url: string;
  readonly port: number;
  readonly settings: Settings;
  readonly folder: DataFolder;
  readonly names: OwnNames;
  /** The certificate of the local authority; undefined where clients need no such thing. */
  readonly authority: X509Certificate | undefined;
  /** Whether the data folder was made now. */
  readonly isFirst: boolean;
  readonly administrator: NewAdministrator | undefined;
}

/** Three lines; and on the first start the administrator's password and how clients come to trust the server. */
export function announce(server: Announcement): string {
  const { url, folder, authority, settings } = server;
  const trust = !settings.tls
    ? 'none (tls is off)'
    : authority === undefined
      ? (settings.tlsCertificate ?? '')
      : `${folder.authorityCertificate} SHA256:${authority.fingerprint256.replaceAll(':', '').toLowerCase()}`;
  const lines = [`Signet serves ${url}`, `  Data folder:  ${folder.path}`, `  Authority:    ${trust}`];
  const more = [
    ...administratorLines(server),
    ...(server.isFirst ? [...trustLines(server), ...openLines(server)] : []),
  ];
  return [...lines, ...more, ''].join('\n');
}

function administratorLines({ administrator, folder }: Announcement): readonly string[] {
  if (administrator === undefined) return [];
  const { name, password, file } = administrator;
  const change = `signet user passwd ${name} --data ${folder.path}`;
  return file === undefined
    ? ['', `Log in as ${name} with the password ${password}`, `It is shown only now. To change it: ${change}`]
    : ['', `Log in as ${name} with the password in ${file}`, `To change it, which removes the file: ${change}`];
}

function trustLines({ authority, folder, names, port, settings }: Announcement): readonly string[] {
  if (authority === undefined) return [];
  const [first = formatHostName({ host: 'HOST', port })] = names.advertised(port);
  const certificate = folder.authorityCertificate;
  return [
    '',
    `On this machine, as localhost:${port}, docker and signet need nothing more.`,
    ...(isLoopback(settings.listen.host)
      ? []
      : [
          `On other machines, as ${first}, the authority (${certificate}) must be known`,
          `  to the docker engine:       /etc/docker/certs.d/${first}/ca.crt`,
          `  to docker trust and signet: ~/.docker/tls/${first}/ca.crt`,
        ]),
  ];
}

function openLines({ settings, port }: Announcement): readonly string[] {
  if (!isLoopback(settings.listen.host)) return [];
  return ['Other machines cannot reach it. To let them in:', `  signet serve --listen 0.0.0.0:${port} --name HOST`];
}
