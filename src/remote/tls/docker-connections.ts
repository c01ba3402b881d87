import { join } from 'node:path';
import type { Connection, ConnectionFor } from '../transport/connection.ts';
import { hostnameOf, loopbackAddress } from '../transport/loopback.ts';
import { readTlsFolder, type TlsFolder } from './tls-folder.ts';

/** Where docker's engine keeps certificates of registries; clients without an engine use them too. */
export const ENGINE_CERTIFICATES = '/etc/docker/certs.d';

interface DockerConnectionOptions {
  /**
   * Folders with one certificate folder per `host[:port]`: `~/.docker/tls`, and `/etc/docker/certs.d` for registries.
   */
  readonly folders: readonly string[];
  /** The registry (`host[:port]`) that the connections are for. */
  readonly registry: string;
  /** The trust server, if the connections are to it and its token service. */
  readonly server?: URL;
}

/**
 * Connects as docker does (protocol C.5.1, D.2): with the user's certificates for the host, and with the trust server's
 * authorities for its token service as well.
 *
 * If the registry is on this machine, its certificate is not verified. Docker checks nothing more; Signet also requires
 * that the server is on this machine, and connects to the very address that was looked up, so that no DNS answer can
 * turn off verification for a server elsewhere.
 */
export function dockerConnections(options: DockerConnectionOptions): ConnectionFor {
  return async (origin) => {
    const own = certificatesFor(options.folders, origin);
    const servers = options.server === undefined ? [] : certificatesFor(options.folders, options.server).authorities;
    const address = await unverifiedAddress(options.registry, origin);
    const connection: Connection = {
      authorities: [
        ...own.authorities,
        ...servers.filter((pem) => !own.authorities.some((known) => known.equals(pem))),
      ],
      identities: own.identities,
      verify: address === undefined,
      address: address === origin.hostname ? undefined : address,
      authorityFile: join(options.folders[0] ?? '', origin.host, 'ca.crt'),
    };
    return connection;
  };
}

/**
 * The user's authorities (PEM) for a registry in these folders, which each have one folder per `host[:port]`. Throws
 * `tls-files-invalid`.
 */
export function ownAuthorities(folders: readonly string[], registry: string): readonly Buffer[] {
  return certificatesFor(folders, new URL(`https://${registry}`)).authorities;
}

/** The loopback address to connect to without verification; undefined if the certificate must verify. */
async function unverifiedAddress(registry: string, origin: URL): Promise<string | undefined> {
  const registryAddress = await loopbackAddress(hostnameOf(registry));
  return registryAddress === undefined ? undefined : loopbackAddress(origin.hostname);
}

function certificatesFor(folders: readonly string[], origin: URL): TlsFolder {
  const withPort = origin.port === '' ? [`${origin.host}:443`] : [];
  const found = folders.flatMap((folder) =>
    [origin.host, ...withPort].map((host) => readTlsFolder(join(folder, host))),
  );
  return {
    authorities: found.flatMap(({ authorities }) => authorities),
    identities: found.flatMap(({ identities }) => identities),
  };
}
