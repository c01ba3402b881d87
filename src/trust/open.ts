import { join } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import type { Instant } from '../core/time.ts';
import { configFolder } from '../engine/api/endpoint.ts';
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
import type { PassphraseRequest, Passphrases } from './keys/passphrases.ts';
import type { ApproveProposal, WhileSending } from './publish/repository-source.ts';
import type { Configuration } from './settings/configuration.ts';
import { readConfiguration } from './settings/configuration-file.ts';
import { type NotaryPlace, notaryLogin } from './settings/notary-place.ts';
import { readPinning } from './settings/pin-files.ts';
import type { ApproveFirstRoot } from './update/first-root.ts';

/**
 * How to open a trust client. Every member has a default that is right for a program that only reads.
 *
 * @example
 * ```ts
 * import { type OpenOptions, openTrust } from 'signet';
 *
 * const options: OpenOptions = {
 *   folder: '/etc/guard/docker', // instead of ~/.docker
 *   env: { DOCKER_CONTENT_TRUST_SERVER: 'https://notary.example.com' },
 *   warn: (message) => console.error(`warning: ${message}`),
 * };
 * const { client } = await openTrust(options);
 * assert.equal(client.serverOf('docker.io').host, 'notary.example.com');
 * ```
 */
export interface OpenOptions {
  /**
   * Docker's configuration folder, with keys, trusted metadata, logins and certificates. By default the one that docker
   * uses: `DOCKER_CONFIG`, or `~/.docker`.
   */
  readonly folder?: string | undefined;
  /** The process's own environment by default. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** By default there are none: a key that needs one makes the call fail with `passphrase-missing`. */
  readonly passphrases?: Passphrases | undefined;
  /**
   * Called before a root without a pin is trusted on first use, if the configuration says `ask`. Without it, such a root
   * is refused.
   */
  readonly approveFirstRoot?: ApproveFirstRoot | undefined;
  /** Called before a change completes or signs what others have proposed. Without it, no one is asked. */
  readonly approveProposal?: ApproveProposal | undefined;
  /** Wraps every request that publishes something; needed only if the process may be interrupted meanwhile. */
  readonly whileSending?: WhileSending | undefined;
  /** A Notary client's folder to use instead of docker's. */
  readonly place?: NotaryPlace | undefined;
  /** The current time in milliseconds since 1970, called for every use; the system's clock by default. */
  readonly now?: (() => Instant) | undefined;
  /** Receives warnings, such as a file that expires soon; `process.emitWarning` by default. */
  readonly warn?: ((message: string) => void) | undefined;
}

/**
 * A trust client on docker's own files. Close `keys` when you are done: it wipes the keys that were opened.
 *
 * @example
 * ```ts
 * import { type OpenClient, openTrust } from 'signet';
 *
 * const trust: OpenClient = await openTrust();
 * try {
 *   console.log(`keys and trusted metadata are in ${trust.trustFolder}`);
 * } finally {
 *   trust.keys.close();
 * }
 * ```
 */
export interface OpenClient {
  readonly configuration: Configuration;
  readonly credentials: CredentialStore;
  /** The folder of keys and trusted metadata. */
  readonly trustFolder: string;
  readonly keys: KeyRing;
  /** The vault of `keys`, for operations that only key files support. */
  readonly keyFiles: FileVault;
  readonly client: TrustClient;
}

const NO_PASSPHRASES: Passphrases = {
  existing: async (request) => refusePassphrase(request),
  fresh: async (request) => refusePassphrase(request),
};

/** Characters of a folder's path in a file's name. Folders with the same name there still cannot use each other's tokens. */
const MAX_NAME = 150;

/**
 * Opens the trust client that docker's configuration folder and the environment describe: keys, pins, logins and
 * certificates are those that docker and `signet` use. Throws `configuration-invalid`, or `home-unknown` if there is
 * neither a folder nor a home.
 *
 * @example
 * ```ts
 * import { decide, openTrust, parseReference, permitted } from 'signet';
 *
 * const { client } = await openTrust();
 * const { use } = permitted(await decide(parseReference('registry.example.com/team/app:1.0'), client.evidence()));
 * assert.ok(use.digest?.startsWith('sha256:'));
 * ```
 */
export async function openTrust(options: OpenOptions = {}): Promise<OpenClient> {
  const { env = process.env, passphrases = NO_PASSPHRASES, now = Date.now, warn = process.emitWarning } = options;
  const { folder = configFolder(undefined, env), approveFirstRoot, approveProposal, whileSending, place } = options;
  const configuration = await readConfiguration(folder, env, now());
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

function refusePassphrase({ alias }: PassphraseRequest): never {
  throw new SignetError('passphrase-missing', `the ${alias} key needs a passphrase, and there is no source of them`, {
    next: 'Pass `passphrases` to `openTrust`.',
  });
}

/** Logins from the environment may change unnoticed, so tokens obtained with them are not stored. */
function tokensFor(folder: string, env: NodeJS.ProcessEnv): TokenCache {
  if (env.DOCKER_AUTH_CONFIG) return new MemoryTokens();
  const name = folder.replace(/[^A-Za-z0-9]+/g, '-').slice(-MAX_NAME);
  return new TokenFile(join(cacheFolder(env), `tokens${name}.json`), folder);
}
