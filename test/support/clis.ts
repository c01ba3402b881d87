import { accessSync, constants, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './run.ts';
import { temporaryFolder } from './temp.ts';

/** A docker CLI on this machine. */
export interface DockerCli {
  readonly path: string;
  /** As it reports: `28.2.2`. */
  readonly version: string;
  readonly major: number;
}

/** Where Debian installs programs, even if PATH does not include it. */
const DEBIAN_FOLDERS = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'];
/** The first docker CLI without content trust. */
const WITHOUT_TRUST = 29;
const DEBIAN_MAJOR = 20;

/** The first program of that name on PATH or in Debian's folders. Throws if there is none. */
export function findProgram(name: string): string {
  const [first] = programs(name);
  if (first === undefined) throw new Error(`${name} is not installed; npm test installs it on Debian`);
  return first;
}

/** Every docker CLI on the machine, oldest version first; each is asked for its version. */
export async function dockerClis(): Promise<readonly DockerCli[]> {
  const clis = await Promise.all(programs('docker').map(askVersion));
  return clis.filter((cli) => cli !== undefined).sort((one, other) => one.major - other.major);
}

/**
 * The docker CLIs that enforce content trust themselves: Debian's 20.10, and any other up to 28. Throws without 20.10.
 */
export async function trustingClis(): Promise<readonly DockerCli[]> {
  const clis = (await dockerClis()).filter(({ major }) => major < WITHOUT_TRUST);
  if (clis[0]?.major !== DEBIAN_MAJOR) throw new Error("Debian's docker 20.10 is not installed");
  return clis;
}

/**
 * A docker CLI after content trust: a script without the variables, the option and `docker trust`, which runs `cli` for
 * the rest. Like 29, it still accepts the option where older versions had it, and says that it does nothing.
 */
export function withoutTrust({ path }: DockerCli): DockerCli {
  const version = `${WITHOUT_TRUST}.0.0`;
  const script = `#!/bin/sh
unset DOCKER_CONTENT_TRUST DOCKER_CONTENT_TRUST_SERVER
case "$*" in
  --version) echo 'Docker version ${version}, build 0000000' ;;
  trust*) echo 'docker: unknown command: docker trust' >&2; exit 1 ;;
  *--disable-content-trust*) echo 'unknown flag: --disable-content-trust' >&2; exit 125 ;;
  *--help) '${path}' "$@" | sed '/--disable-content-trust/d; /^ *true)$/d' ;;
  *) exec '${path}' "$@" ;;
esac
`;
  const file = join(temporaryFolder(), 'docker');
  writeFileSync(file, script, { mode: 0o755 });
  return { path: file, version, major: WITHOUT_TRUST };
}

function programs(name: string): string[] {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...DEBIAN_FOLDERS];
  const paths = folders.map((folder) => join(folder, name)).filter(isExecutable);
  return [...new Map(paths.toReversed().map((path) => [realpathSync(path), path])).values()].toReversed();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function askVersion(path: string): Promise<DockerCli | undefined> {
  const { stdout } = await run([path, '--version']);
  const [, version, major] = /^Docker version ((\d+)\.[^,\s]+)/.exec(stdout) ?? [];
  return version === undefined || major === undefined ? undefined : { path, version, major: Number(major) };
}
