import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '../../core/crypto.ts';
import { SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { LIMITS } from '../../core/limits.ts';
import { neededHome } from '../../store/home.ts';
import type { DockerCli } from '../cli/cli.ts';
import type { ParsedArgs } from '../cli/flags.ts';

/** The engine that a command line refers to. */
interface Endpoint {
  /** The address in docker's notation: `unix:///var/run/docker.sock`, `ssh://user@host`. */
  readonly host: string;
  /** The path of the engine's own socket; undefined if only the docker command can reach the engine. */
  readonly socketPath: string | undefined;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';
const DEFAULT_TLS_HOST = 'tcp://localhost:2376';
const UNIX = 'unix://';

/**
 * The engine that docker would connect to, in docker's own order: `--host` or `--context`; DOCKER_HOST; DOCKER_CONTEXT;
 * the current context of the configuration; the default. For podman: `--url`, CONTAINER_HOST, its default socket.
 * Throws `endpoint-invalid` or `context-unknown`.
 */
export function findEndpoint(cli: DockerCli, globals: ParsedArgs, env: NodeJS.ProcessEnv = process.env): Endpoint {
  if (cli.kind === 'podman') return podmanEndpoint(globals, env);
  const [host, ...moreHosts] = globals.values('host');
  const context = globals.lastValue('context');
  if (moreHosts.length > 0) throw new SignetError('endpoint-invalid', 'specify only one -H');
  if (host !== undefined && context) {
    throw new SignetError('endpoint-invalid', 'conflicting options: cannot specify both --host and --context');
  }
  const folder = configFolder(globals, env);
  const fallback = env.DOCKER_HOST ? '' : env.DOCKER_CONTEXT || currentContext(folder);
  const name = context || (host === undefined ? fallback : '');
  if (name !== '' && name !== 'default') return endpointAt(contextHost(folder, name));
  return endpointAt(host || env.DOCKER_HOST || (usesTls(globals, env) ? DEFAULT_TLS_HOST : UNIX));
}

/** Docker's configuration folder: `--config`, DOCKER_CONFIG or `~/.docker`. Throws `home-unknown`. */
export function configFolder(globals: ParsedArgs | undefined, env: NodeJS.ProcessEnv = process.env): string {
  return globals?.lastValue('config') || env.DOCKER_CONFIG || join(neededHome(env), '.docker');
}

function endpointAt(host: string): Endpoint {
  if (!host.startsWith(UNIX)) return { host, socketPath: undefined };
  const socketPath = host.slice(UNIX.length) || DEFAULT_SOCKET;
  return { host: `${UNIX}${socketPath}`, socketPath };
}

/** TLS options without an address mean the local TCP port; with a socket they have no effect. */
function usesTls(globals: ParsedArgs, env: NodeJS.ProcessEnv): boolean {
  return globals.isOn('tls') || globals.isOn('tlsverify') || Boolean(env.DOCKER_TLS || env.DOCKER_TLS_VERIFY);
}

function podmanEndpoint(globals: ParsedArgs, env: NodeJS.ProcessEnv): Endpoint {
  const ownSocket =
    process.getuid?.() === 0 ? '/run/podman/podman.sock' : join(env.XDG_RUNTIME_DIR || '/run', 'podman/podman.sock');
  return endpointAt(globals.lastValue('url') || env.CONTAINER_HOST || `${UNIX}${ownSocket}`);
}

function currentContext(folder: string): string {
  return readConfig(join(folder, 'config.json'), (config) => config.optionalString('currentContext')) ?? '';
}

function contextHost(folder: string, name: string): string {
  const id = nodeCrypto().createHash('sha256').update(name).digest('hex');
  const host = readConfig(join(folder, 'contexts', 'meta', id, 'meta.json'), (meta) => {
    if (meta.string('Name') !== name) throw new SignetError('context-unknown', 'it belongs to another context');
    const endpoints = new Fields(meta.raw('Endpoints'), 'Endpoints', ['docker'], 'ignore');
    return new Fields(endpoints.raw('docker'), 'docker', ['Host'], 'ignore').optionalString('Host') || UNIX;
  });
  if (host !== undefined) return host;
  throw new SignetError('context-unknown', `context ${JSON.stringify(name)}: context not found`);
}

/** Reads a file of docker's configuration with `read`; undefined if there is none. Throws `endpoint-invalid`. */
function readConfig(path: string, read: (members: Fields) => string | undefined): string | undefined {
  try {
    const known = ['Name', 'Endpoints', 'currentContext'];
    return read(new Fields(parseJson(readFile(path), { numbers: 'any' }), 'the file', known, 'ignore'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SignetError('endpoint-invalid', `${path} cannot be read: ${why}`, { cause });
  }
}

function readFile(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size > LIMITS.configFile) throw new SignetError('too-large', `it has more than ${LIMITS.configFile} bytes`);
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(file, bytes, 0, size, 0));
  } finally {
    closeSync(file);
  }
}
