import { join } from 'node:path';
import type { Instant } from '../core/time.ts';
import { Credentials } from '../store/credentials.ts';
import { KeyFolder } from '../store/key-folder.ts';
import { MetadataFolder } from '../store/trust-folder.ts';
import { VERSION } from '../version.ts';
import { TrustClient } from './client.ts';
import type { Configuration } from './configuration.ts';
import { readConfiguration } from './configuration-file.ts';
import { KeyRing } from './key-ring.ts';
import type { Passphrases } from './passphrases.ts';

export interface OpenOptions {
  /** Docker's configuration folder: keys, trusted metadata, logins and certificates are in it. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly passphrases: Passphrases;
  readonly now: Instant;
  readonly warn: (message: string) => void;
}

/** A trust client on docker's own files. Whoever opened it closes `keys`. */
export interface OpenClient {
  readonly configuration: Configuration;
  readonly credentials: Credentials;
  readonly keys: KeyRing;
  readonly client: TrustClient;
}

/** Opens the trust client that docker's configuration folder and the environment describe. Throws `configuration-invalid`. */
export async function openTrust({ folder, env, passphrases, now, warn }: OpenOptions): Promise<OpenClient> {
  const configuration = await readConfiguration(folder, env);
  const base = join(folder, 'trust');
  const credentials = new Credentials(folder, env);
  const keys = new KeyRing(new KeyFolder(base), passphrases);
  const client = new TrustClient({
    folder,
    configuration,
    trustServer: env.DOCKER_CONTENT_TRUST_SERVER,
    cache: new MetadataFolder(base),
    keys,
    login: (registry) => credentials.find(registry),
    userAgent: `Signet/${VERSION} (${process.platform})`,
    now,
    warn,
  });
  return { configuration, credentials, keys, client };
}
