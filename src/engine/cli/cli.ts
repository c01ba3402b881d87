import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { cacheFolder, DiskCache } from '../../store/disk-cache.ts';
import { captureDocker } from './run.ts';

/** The docker command behind Signet. */
export interface DockerCli {
  /** Absolute path of the program. */
  readonly path: string;
  readonly kind: 'docker' | 'podman';
  /** As the program reports it: `28.2.2`. */
  readonly version: string;
  /** Changes whenever the program's file changes. */
  readonly stamp: string;
}

/** Set while a candidate is asked for its version: if that is Signet, it must not look for docker again. */
const ASKED = 'SIGNET_ASKED';
const SCRIPT_HEAD = 4096;
const CALLS_SIGNET = /^#!.*[\s/"']signet(?:[\s"']|$)/s;

/**
 * Finds the docker command to run: the one named by SIGNET_DOCKER (a path, or a name on PATH), else the first `docker`
 * on PATH that is not Signet itself, else `podman`. Each candidate is asked for its version; the answer is cached until
 * the file changes. Throws `docker-missing`.
 */
export async function findDocker(env: NodeJS.ProcessEnv = process.env): Promise<DockerCli> {
  if (env[ASKED]) throw new SignetError('docker-missing', 'this is signet, asked by another signet for its version');
  const cache = new DiskCache(cacheFolder(env));
  const named = env.SIGNET_DOCKER;
  for (const path of named ? candidatesNamed(named, env) : candidatesOnPath(env, 'docker', 'podman')) {
    const cli = await identify(path, env, cache);
    if (cli !== undefined) return cli;
  }
  throw new SignetError(
    'docker-missing',
    named ? `SIGNET_DOCKER=${named} is not a docker command` : 'there is no docker command on PATH behind signet',
  );
}

function candidatesNamed(named: string, env: NodeJS.ProcessEnv): string[] {
  return named.includes('/') ? [resolve(named)].filter(isProgram) : candidatesOnPath(env, named);
}

/** Relative PATH entries are skipped, as Go's own look-up does: the current folder must not decide what runs. */
function candidatesOnPath(env: NodeJS.ProcessEnv, ...names: string[]): string[] {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).filter(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Signet under docker's name: the same file as this program, or a script that calls `signet`. */
function isSignet(path: string): boolean {
  const same = [process.execPath, process.argv[1]].some((own) => own !== undefined && isSameFile(path, own));
  return same || CALLS_SIGNET.test(head(path));
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(realpathSync(one)), statSync(realpathSync(other))];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

function head(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(SCRIPT_HEAD);
      return bytes.toString('latin1', 0, readSync(file, bytes, 0, SCRIPT_HEAD, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** Undefined if the program does not work, is Signet, or is neither docker nor podman. */
async function identify(path: string, env: NodeJS.ProcessEnv, cache: DiskCache): Promise<DockerCli | undefined> {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  const stamp = `${size} ${mtimeNs}`;
  const known = cache.read(`version ${path}`, stamp);
  if (typeof known === 'string') return parseVersion(path, stamp, known);
  if (isSignet(path)) return undefined;
  try {
    const { stdout } = await captureDocker(path, ['--version'], { ...env, [ASKED]: '1' });
    const cli = parseVersion(path, stamp, stdout);
    if (cli !== undefined) cache.write(`version ${path}`, stamp, stdout);
    return cli;
  } catch (error) {
    if (isSignetError(error, 'docker-failed')) return undefined;
    throw error;
  }
}

function parseVersion(path: string, stamp: string, answer: string): DockerCli | undefined {
  const [, name, version] = /^(Docker|podman) version ([^\s,]{1,80})/m.exec(answer) ?? [];
  return version === undefined ? undefined : { path, kind: name === 'podman' ? 'podman' : 'docker', version, stamp };
}
