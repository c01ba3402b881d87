import { join } from 'node:path';
import type { Connection, ConnectionFor } from '../transport/connection.ts';
import { hostnameOf, loopbackAddress } from '../transport/loopback.ts';
import { readTlsFolder, type TlsFolder } from './tls-folder.ts';

/** Where docker's engine keeps certificates of registries; a client without an engine uses them too. */
export const ENGINE_CERTIFICATES = '/etc/docker/certs.d';

interface DockerConnectionOptions {
  /** Folders with one folder of certificates per `host[:port]`: `~/.docker/tls`, for registries `/etc/docker/certs.d` too. */
  readonly folders: readonly string[];
  /** The registry (`host[:port]`) that the connections are made for. */
  readonly registry: string;
  /** The trust server, where the connections are to it and to its token service. */
  readonly server?: URL;
}

/**
 * Connects as docker does (protocol C.5.1, D.2): with the certificates that the user keeps for the host, and with the
 * trust server's authorities for its token service as well.
 *
 * A certificate is not verified where the registry is this machine. Docker stops there; here the server must be this
 * machine too, and is then connected to at the very address that was looked up, so that no one's answer to a name
 * look-up switches verification off for a server elsewhere.
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
 * The authorities (PEM) that the user keeps for a registry in these folders, each with one folder per `host[:port]`.
 * Throws `tls-files-invalid`.
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
