import { join } from 'node:path';
import type { Instant } from '../core/time.ts';
import { MemoryTokens, type TokenCache } from '../remote/auth/token.ts';
import { CredentialStore } from '../store/credentials.ts';
import { cacheFolder } from '../store/disk-cache.ts';
import { KeyFolder } from '../store/key-folder.ts';
import { TokenFile } from '../store/token-file.ts';
import { MetadataFolder } from '../store/trust-folder.ts';
import { VERSION } from '../version.ts';
import { TrustClient } from './client.ts';
import { FileVault } from './keys/file-vault.ts';
import { KeyRing } from './keys/key-ring.ts';
import type { Passphrases } from './keys/passphrases.ts';
import type { ApproveProposal, WhileSending } from './publish/repository-source.ts';
import type { Configuration } from './settings/configuration.ts';
import { readConfiguration } from './settings/configuration-file.ts';
import { type NotaryPlace, notaryLogin } from './settings/notary-place.ts';
import { readPinning } from './settings/pin-files.ts';
import type { ApproveFirstRoot } from './update/first-root.ts';

export interface OpenOptions {
  /** Docker's configuration folder: keys, trusted metadata, logins and certificates are in it. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly passphrases: Passphrases;
  /**
   * Asked before a root that nothing is pinned for is trusted on first use, where the configuration says `ask`.
   * Absent if there is no one to ask: such a root is then refused.
   */
  readonly approveFirstRoot?: ApproveFirstRoot | undefined;
  /** Asked before a change completes or signs what others have proposed; absent if there is no one to ask. */
  readonly approveProposal?: ApproveProposal | undefined;
  /** Runs whatever is sent to be published; absent if the process cannot be ended in between. */
  readonly whileSending?: WhileSending | undefined;
  /** A Notary client's folder to work in, in place of docker's. */
  readonly place?: NotaryPlace | undefined;
  /** The time, asked for again with every use. */
  readonly now: () => Instant;
  readonly warn: (message: string) => void;
}

/** A trust client on docker's own files. Whoever opened it closes `keys`. */
export interface OpenClient {
  readonly configuration: Configuration;
  readonly credentials: CredentialStore;
  /** The folder of keys and trusted metadata. */
  readonly trustFolder: string;
  readonly keys: KeyRing;
  /** The vault of `keys`, for what only files of keys can do. */
  readonly keyFiles: FileVault;
  readonly client: TrustClient;
}

/** Characters of a folder's path in a file's name. Two folders that share it cannot use each other's tokens. */
const MAX_NAME = 150;

/** Opens the trust client that docker's configuration folder and the environment describe. Throws `configuration-invalid`. */
export async function openTrust(options: OpenOptions): Promise<OpenClient> {
  const { folder, env, passphrases, approveFirstRoot, approveProposal, whileSending, place, now, warn } = options;
  const configuration = await readConfiguration(folder, env);
  const trustFolder = place?.trustDir ?? join(folder, 'trust');
  const credentials = new CredentialStore(folder, env);
  const keyFiles = new FileVault(new KeyFolder(trustFolder), passphrases, `the folder ${join(trustFolder, 'private')}`);
  const keys = new KeyRing(keyFiles);
  const client = new TrustClient({
    folder,
    configuration,
    pinning: readPinning(place?.pinning ?? configuration.pinning, env, now()),
    approveFirstRoot,
    approveProposal,
    whileSending,
    place,
    trustServer: env.DOCKER_CONTENT_TRUST_SERVER,
    trustFolder,
    cache: new MetadataFolder(trustFolder),
    keys,
    login: async (registry) => (place === undefined ? undefined : notaryLogin(env)) ?? credentials.find(registry),
    tokens: tokensFor(folder, env),
    userAgent: `Signet/${VERSION} (${process.platform})`,
    now,
    warn,
  });
  return { configuration, credentials, trustFolder, keys, keyFiles, client };
}

/** Logins that the environment gives can change without a trace, so that nothing is kept of what they led to. */
function tokensFor(folder: string, env: NodeJS.ProcessEnv): TokenCache {
  if (env.DOCKER_AUTH_CONFIG) return new MemoryTokens();
  const name = folder.replace(/[^A-Za-z0-9]+/g, '-').slice(-MAX_NAME);
  return new TokenFile(join(cacheFolder(env), `tokens${name}.json`), folder);
}
