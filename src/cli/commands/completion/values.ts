import { join } from 'node:path';
import { LIMITS } from '../../../core/limits.ts';
import { parseEnvelope } from '../../../core/metadata/envelope.ts';
import { readTargets, type Targets } from '../../../core/metadata/targets.ts';
import { type Gun, parseGun } from '../../../core/names/gun.ts';
import { familiarName, gunOf, isTag, parseReference } from '../../../core/names/reference.ts';
import { BASE_ROLES, isDelegation, type TargetsRole } from '../../../core/names/role.ts';
import { configFolder } from '../../../engine/api/endpoint.ts';
import { DockerConfig } from '../../../store/docker-config.ts';
import { KeyFolder } from '../../../store/key-folder.ts';
import { MetadataFolder } from '../../../store/trust-folder.ts';
import { type Configuration, resolveName } from '../../../trust/settings/configuration.ts';
import { readConfiguration } from '../../../trust/settings/configuration-file.ts';
import type { Candidate } from '../../line/complete.ts';
import type { Meaning } from '../../line/declaration.ts';
import type { Unfinished } from '../../line/flag-words.ts';
import { keyText } from '../trust/key/chosen-key.ts';

/** Roles read of one repository at most. */
const MAX_ROLES = 100;

/**
 * The values of a meaning that are known on this machine, from the trust folder and docker's configuration alone:
 * completion neither uses the network nor asks for a passphrase. Cached files are not verified again, because
 * candidates decide nothing. `current` is the part of the value typed so far, `line` the words before it.
 */
export async function knownValues(
  meaning: Exclude<Meaning, 'file' | 'folder' | 'text'>,
  current: string,
  line: Unfinished,
  env: NodeJS.ProcessEnv,
): Promise<readonly Candidate[]> {
  const known = await Known.open(line, env);
  switch (meaning) {
    case 'repository':
      return known.repositories(current);
    case 'image':
      return known.images(current);
    case 'target':
      return known.targets(line.args[0] ?? '');
    case 'role':
      return known.roles(line.args[0] ?? '');
    case 'signer':
      return known.signers();
    case 'key':
      return known.keys();
    case 'registry':
      return known.registries();
  }
}

/** The trust data, keys and registries known on this machine. */
class Known {
  private readonly folder: string;
  private readonly base: string;
  private readonly metadata: MetadataFolder;
  /** Undefined if names are GUNs, as in a Notary client's folder. */
  private readonly configuration: Configuration | undefined;

  private constructor(folder: string, base: string, configuration: Configuration | undefined) {
    this.folder = folder;
    this.base = base;
    this.metadata = new MetadataFolder(base);
    this.configuration = configuration;
  }

  static async open(line: Unfinished, env: NodeJS.ProcessEnv): Promise<Known> {
    const folder = configFolder(undefined, env);
    const trustDir = line.values.get('trust-dir')?.at(-1);
    if (trustDir !== undefined) return new Known(folder, trustDir, undefined);
    return new Known(folder, join(folder, 'trust'), await readConfiguration(folder, env));
  }

  async repositories(current: string): Promise<readonly Candidate[]> {
    const guns = await this.metadata.guns();
    // The name in its usual short form, or in full if the user has begun to type the full form.
    return guns.flatMap((gun) => {
      const name = this.nameOf(gun);
      const isInFull = name !== gun && current !== '' && gun.startsWith(current) && !name.startsWith(current);
      return [{ word: isInFull ? gun : name }];
    });
  }

  async images(current: string): Promise<readonly Candidate[]> {
    const [, name] = /^(.+):[^:/]*$/.exec(current) ?? [];
    const gun = name === undefined ? undefined : this.gunOf(name);
    const tags = gun === undefined ? [] : (await this.namesIn(gun)).filter(isTag);
    if (tags.length > 0) return tags.map((tag) => ({ word: `${name}:${tag}` }));
    return this.repositories(current);
  }

  async targets(repository: string): Promise<readonly Candidate[]> {
    const gun = this.gunOf(repository);
    return gun === undefined ? [] : (await this.namesIn(gun)).map((word) => ({ word }));
  }

  async roles(repository: string): Promise<readonly Candidate[]> {
    const gun = this.gunOf(repository);
    const delegated = gun === undefined ? [] : await this.delegations(gun);
    return [...BASE_ROLES, ...delegated].map((word) => ({ word }));
  }

  /** Signers of all repositories; a repository that the signer is to be removed from comes later on the line. */
  async signers(): Promise<readonly Candidate[]> {
    const all = await Promise.all((await this.metadata.guns()).map((gun) => this.delegations(gun)));
    const names = all.flat().flatMap((role) => /^targets\/([^/]+)$/.exec(role)?.[1] ?? []);
    return [...new Set(names)].filter((name) => name !== 'releases').map((word) => ({ word }));
  }

  async keys(): Promise<readonly Candidate[]> {
    const keys = await new KeyFolder(this.base).list();
    return keys.map((key) => ({ word: key.id, about: keyText(key) }));
  }

  async registries(): Promise<readonly Candidate[]> {
    const hosts = [...DockerConfig.read(this.folder).auths.keys()].filter((host) => !host.includes('://'));
    const { defaultRegistry } = this.configuration ?? {};
    return [...new Set([...(defaultRegistry === undefined ? [] : [defaultRegistry]), ...hosts])].map((word) => ({
      word,
    }));
  }

  /** The shortest name that resolves to the repository. */
  private nameOf(gun: Gun): string {
    const { defaultRegistry = '' } = this.configuration ?? {};
    const below = gun.startsWith(`${defaultRegistry}/`) ? gun.slice(defaultRegistry.length + 1) : gun;
    const names = [
      below.replace(/^library\/(?=[^/]+$)/, ''),
      below,
      orUndefined(() => familiarName(parseReference(gun))),
    ];
    return names.find((name) => name !== undefined && this.gunOf(name) === gun) ?? gun;
  }

  private gunOf(name: string): Gun | undefined {
    const { configuration } = this;
    return orUndefined(() => (configuration === undefined ? parseGun(name) : gunOf(resolveName(name, configuration))));
  }

  private async namesIn(gun: Gun): Promise<readonly string[]> {
    const roles: readonly TargetsRole[] = ['targets', ...(await this.delegations(gun))];
    const all = await Promise.all(roles.map((role) => this.read(gun, role)));
    return [...new Set(all.flatMap((targets) => [...(targets?.targets.keys() ?? [])]))].sort();
  }

  /** The delegations of a repository, delegators first. */
  private async delegations(gun: Gun): Promise<readonly TargetsRole[]> {
    const found: TargetsRole[] = ['targets'];
    for (const role of found) {
      const names = (await this.read(gun, role))?.delegations.map(({ name }) => name) ?? [];
      found.push(...names.filter((name) => !found.includes(name)).slice(0, MAX_ROLES - found.length));
    }
    return found.filter(isDelegation).sort();
  }

  private async read(gun: Gun, role: TargetsRole): Promise<Targets | undefined> {
    const bytes = await this.metadata.read(gun, role);
    if (bytes === undefined || bytes.length > LIMITS.metadata) return undefined;
    return orUndefined(() => readTargets(role, parseEnvelope(role, bytes).signed));
  }
}

/** Files that cannot be read yield no candidates. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
