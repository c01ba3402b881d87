import { join } from 'node:path';
import type { Instant } from '../core/time.ts';
import { cacheFolder } from '../engine/cache.ts';
import { MemoryTokens, type TokenCache } from '../remote/token.ts';
import { Credentials } from '../store/credentials.ts';
import { KeyFolder } from '../store/key-folder.ts';
import { TokenFile } from '../store/token-file.ts';
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

/** Characters of a folder's path in a file's name. Two folders that share it cannot use each other's tokens. */
const MAX_NAME = 150;

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
    tokens: tokensFor(folder, env),
    userAgent: `Signet/${VERSION} (${process.platform})`,
    now,
    warn,
  });
  return { configuration, credentials, keys, client };
}

/** Logins that the environment gives can change without a trace, so that nothing is kept of what they led to. */
function tokensFor(folder: string, env: NodeJS.ProcessEnv): TokenCache {
  if (env.DOCKER_AUTH_CONFIG) return new MemoryTokens();
  const name = folder.replace(/[^A-Za-z0-9]+/g, '-').slice(-MAX_NAME);
  return new TokenFile(join(cacheFolder(env), `tokens${name}.json`), folder);
}
