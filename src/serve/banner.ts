import type { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { shellWord } from '../core/shell-word.ts';
import { formatTime, type Instant } from '../core/time.ts';
import type { MirroredCollection } from '../notary/mirror/mirror-service.ts';
import type { NewAdministrator } from './data/administrator.ts';
import type { DataFolder } from './data/data-folder.ts';
import { configWords, type ServeCommandLine, settingWords, variablesForUser } from './settings/command-line.ts';
import { formatHostName, isLoopbackHost } from './settings/host-name.ts';
import { SETTINGS, type Settings } from './settings/settings.ts';
import type { OwnNames } from './tls/own-names.ts';
import { SYSTEM_STORES } from './tls/system-stores.ts';

/** What a server says of itself when it has started. */
interface Announcement {
  readonly url: string;
  readonly port: number;
  readonly settings: Settings;
  readonly commandLine: ServeCommandLine;
  readonly folder: DataFolder;
  readonly names: OwnNames;
  /** The certificate of the local authority; undefined if clients need none. */
  readonly authority: X509Certificate | undefined;
  /** Whether the data folder was made now. */
  readonly isFirst: boolean;
  readonly administrator: NewAdministrator | undefined;
  /** What a mirror serves, the first to expire first. */
  readonly mirrored?: readonly MirroredCollection[] | undefined;
  readonly now: Instant;
}

/**
 * Three lines; on the first start also the administrator's password and what this machine needs to trust the server; and
 * on each start of a server that other machines reach, what those need.
 */
export function startBanner(server: Announcement): string {
  const { url, folder, authority, settings, isFirst } = server;
  const trust = !settings.tls
    ? 'none (tls is off)'
    : authority === undefined
      ? (settings.tlsCertificate ?? '')
      : `${folder.authorityCertificate} SHA256:${authority.fingerprint256.replaceAll(':', '').toLowerCase()}`;
  const lines = [`Signet serves ${url}`, `  Data folder:  ${folder.path}`, `  Authority:    ${trust}`];
  lines.push(...mirrorLines(server));
  const isOpen = !isLoopbackHost(settings.listen.host);
  const more = [
    ...administratorLines(server),
    ...(isFirst && authority !== undefined ? hereLines(server) : []),
    ...(isOpen && authority !== undefined ? elsewhereLines(server) : []),
    ...(isFirst && !isOpen ? openLines(server) : []),
  ];
  return [...lines, ...more, ''].join('\n');
}

/** Until when clients can use what is mirrored: after that only the holders of its keys can renew it. */
function mirrorLines({ mirrored, now }: Announcement): readonly string[] {
  if (mirrored === undefined) return [];
  const [first] = mirrored;
  const expired = mirrored.filter(({ until }) => until < now).length;
  const next = mirrored.find(({ until }) => until >= now);
  const count = `${mirrored.length} ${mirrored.length === 1 ? 'repository' : 'repositories'}`;
  return [
    `  Mirror:       ${count}, read-only; no key signs anything here`,
    ...(next === undefined
      ? []
      : [
          `                ${next.gun} can be used until ${formatTime(next.until)}${mirrored.length - expired > 1 ? ', others longer' : ''}`,
        ]),
    ...(expired === 0 || first === undefined
      ? []
      : [
          `                ${expired} expired, which clients refuse; the first on ${formatTime(first.until)}: ${first.gun}`,
        ]),
  ];
}

function administratorLines({ administrator, folder, commandLine }: Announcement): readonly string[] {
  if (administrator === undefined) return [];
  const { name, password, file } = administrator;
  const change = `${variablesForUser(commandLine)}signet user passwd ${name} --data ${shellWord(folder.path)}`;
  return file === undefined
    ? ['', `Log in as ${name} with the password ${password}`, `It is shown only now. To change it: ${change}`]
    : ['', `Log in as ${name} with the password in ${file}`, `To change it, which removes the file: ${change}`];
}

function hereLines(server: Announcement): readonly string[] {
  const host = `localhost:${server.port}`;
  return [
    '',
    `On this machine, docker and signet need nothing more for the images of ${host}. A command that names the`,
    `server by its URL, https://${host}, must know the authority as other machines do:`,
    `  mkdir -p ~/.docker/tls/${host} && cp ${shellWord(server.folder.authorityCertificate)} ~/.docker/tls/${host}/ca.crt`,
    "BuildKit (docker build) trusts only the system's authorities when it fetches an image itself; to add this one to them:",
    `  ${trustHereCommand(server)}`,
  ];
}

function elsewhereLines({ folder, names, port }: Announcement): readonly string[] {
  const [first = formatHostName({ host: 'HOST', port })] = names.advertised(port);
  const width = Math.max(...SYSTEM_STORES.map(({ systems }) => systems.length));
  return [
    '',
    `On other machines, as ${first}, the authority (${folder.authorityCertificate}) must be known`,
    `  to the docker engine:       /etc/docker/certs.d/${first}/ca.crt`,
    `  to docker trust and signet: ~/.docker/tls/${first}/ca.crt`,
    '  to BuildKit (docker build): to the system, as the file',
    ...SYSTEM_STORES.map(
      ({ systems, anchors, update }) =>
        `    ${systems.padEnd(width)}  ${join(anchors, 'signet.crt')}, then ${update.join(' ')}`,
    ),
  ];
}

function openLines({ folder, port, commandLine, settings }: Announcement): readonly string[] {
  const words = [
    ...[`--data ${shellWord(folder.path)}`, ...configWords(commandLine), ...settingWords(commandLine, 'listen')],
    ...[`--listen 0.0.0.0:${port}`, ...(settings.names.length === 0 ? ['--name HOST'] : [])],
  ];
  return ['Other machines cannot reach it. To let them in:', `  signet serve ${words.join(' ')}`];
}

/** With all that the settings are found by, since it runs apart from this process. */
function trustHereCommand({ folder, port, commandLine, settings: { listen, names } }: Announcement): string {
  const address = { host: listen.host, port };
  const where = isDeepStrictEqual(address, SETTINGS.listen.default) ? [] : [`--listen ${formatHostName(address)}`];
  const named = names.map((name) => `--name ${formatHostName(name)}`);
  const data = `--data ${shellWord(folder.path)}`;
  return ['sudo signet serve --trust-here', data, ...configWords(commandLine), ...where, ...named].join(' ');
}
