import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isSignetError } from '../core/errors/index.ts';
import { Fields } from '../core/json/fields.ts';
import { type JsonObject, parseJson } from '../core/json/parse.ts';
import { DOCKER_HUB } from '../core/names/reference.ts';
import { type Credential, formatAuth, readAuth } from './credential.ts';
import { CredentialHelper } from './credential-helper.ts';
import { DockerConfig } from './docker-config.ts';

/** Logins for docker 28.3 and later, in the form of `auths`. */
export const AUTH_VARIABLE = 'DOCKER_AUTH_CONFIG';
const HUB_KEY = 'https://index.docker.io/v1/';

/** The key under which docker stores the login for a registry (protocol D.2). */
export function credentialKey(registry: string): string {
  return registry === DOCKER_HUB ? HUB_KEY : registry;
}

/** Where a login was stored. */
type LoginPlace = { readonly helper: string } | { readonly file: 'config.json' };

/**
 * The user's logins, stored where docker stores them (protocol D.2, F.3). `DOCKER_AUTH_CONFIG` comes first, then the
 * place configured for the registry: its own helper, else the helper for all registries, else `auths`.
 */
export class CredentialStore {
  private readonly folder: string;
  private readonly environment: NodeJS.ProcessEnv;

  /** `folder` is docker's configuration folder; helpers are looked up in the environment's PATH. */
  constructor(folder: string, environment: NodeJS.ProcessEnv = process.env) {
    this.folder = folder;
    this.environment = environment;
  }

  /**
   * The login for a registry (`host[:port]`). Each call returns a new copy. Throws `docker-config-invalid` and
   * `credential-helper-*`.
   */
  async find(registry: string): Promise<Credential | undefined> {
    const key = credentialKey(registry);
    const given = this.inEnvironment(key);
    if (given !== undefined) return given;
    const config = DockerConfig.read(this.folder);
    const helper = this.helperFor(config, key);
    return helper === undefined ? lookUp(config.auths, key) : new CredentialHelper(helper, this.environment).get(key);
  }

  /** Stores a login as `docker login` does, and returns where. */
  async store(registry: string, credential: Credential): Promise<LoginPlace> {
    const key = credentialKey(registry);
    const config = DockerConfig.read(this.folder);
    const helper = this.helperFor(config, key) ?? (config.knowsLogins ? undefined : this.defaultHelper());
    if (helper === undefined) {
      config.with(['auths', key], formatAuth(credential)).save();
      return { file: 'config.json' };
    }
    await new CredentialHelper(helper, this.environment).store(key, credential);
    const chosen = config.credHelper(key) === helper || config.credsStore === helper;
    const named = chosen ? config : config.with(['credsStore'], helper);
    named.with(['auths', key], new Map()).save();
    return { helper };
  }

  /**
   * Removes the login for a registry, under every key that docker has ever used. Returns whether `auths` contained it.
   * Continues after a helper's failure, and throws the first one at the end.
   */
  async erase(registry: string): Promise<boolean> {
    const key = credentialKey(registry);
    const keys = key === HUB_KEY ? [key] : [key, `http://${key}`, `https://${key}`];
    const config = DockerConfig.read(this.folder);
    const known = keys.filter((name) => config.auths.has(name));
    if (known.length > 0) known.reduce((edited, name) => edited.with(['auths', name], undefined), config).save();
    const failures: unknown[] = [];
    for (const name of keys) {
      const helper = this.helperFor(config, name);
      if (helper === undefined) continue;
      await new CredentialHelper(helper, this.environment).erase(name).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
    return known.length > 0;
  }

  /** An empty name means: no helper for this registry, although there is one for all. */
  private helperFor(config: DockerConfig, key: string): string | undefined {
    const own = config.credHelper(key);
    return own === undefined ? config.credsStore : own || undefined;
  }

  /** The helper that docker uses by default on this system, if it is installed and nothing else is configured. */
  private defaultHelper(): string | undefined {
    const suffix = this.platformHelper();
    return this.isInstalled(`docker-credential-${suffix}`) ? suffix : undefined;
  }

  private platformHelper(): string {
    if (process.platform === 'darwin') return 'osxkeychain';
    if (process.platform === 'win32') return 'wincred';
    return this.isInstalled('pass') ? 'pass' : 'secretservice';
  }

  private isInstalled(program: string): boolean {
    return (this.environment.PATH ?? '')
      .split(delimiter)
      .filter((folder) => folder !== '')
      .some((folder) => isExecutable(join(folder, program)));
  }

  /** Only the exact name counts, as in docker. */
  private inEnvironment(key: string): Credential | undefined {
    const text = this.environment[AUTH_VARIABLE] ?? '';
    if (text === '') return undefined;
    try {
      const auths = new Fields(parseJson(text, { numbers: 'any' }), AUTH_VARIABLE, ['auths'], 'ignore').map('auths');
      const entry = auths.get(key);
      const login = entry === undefined ? undefined : readAuth(entry, key);
      return login && { ...login, source: AUTH_VARIABLE };
    } catch (cause) {
      if (!isSignetError(cause)) throw cause;
      throw cause.within('docker-config-invalid', `${AUTH_VARIABLE} is malformed: ${cause.message}`, {
        next: `Correct ${AUTH_VARIABLE}, or unset it.`,
      });
    }
  }
}

/** The exact entry, else the first whose address has the same host (protocol D.2). */
function lookUp(auths: JsonObject, key: string): Credential | undefined {
  const exact = auths.get(key);
  if (exact !== undefined) return readAuth(exact, key);
  const [similar] = [...auths].filter(([name]) => hostOf(name) === key);
  return similar === undefined ? undefined : readAuth(similar[1], similar[0]);
}

function hostOf(address: string): string {
  return address.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, '').split('/', 1)[0] ?? '';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
