import { accessSync, constants } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { LIMITS } from '../../core/limits.ts';
import { quoted } from '../../core/printable.ts';
import type { DockerCli } from '../cli/cli.ts';
import { type EngineRequest, type EngineResponse, readResponseBody, sendRequest } from './http.ts';

/** How to reach an engine. */
interface EngineConnection {
  /** The address in docker's notation: `unix:///var/run/docker.sock`. */
  readonly host: string;
  readonly socketPath: string;
  /** Which program's engine it is, for a message that says how to start it; docker's by default. */
  readonly kind?: DockerCli['kind'];
  /** What went wrong between the socket and the engine; empty if nothing is known. */
  complaint?(): Promise<string>;
  close?(): void;
}

/** What an engine reports in its ping response. */
interface Negotiated {
  readonly version: string;
  readonly isPodman: boolean;
  readonly prefersBuildKit: boolean;
}

/** The newest version that Signet uses: `Descriptor` in image descriptions came with 1.48. */
const OUR_VERSION = '1.48';
/** An engine that does not report its version is at least as old as this. */
const OLDEST_VERSION = '1.24';

/**
 * Sends requests to one engine, in the newest API version that both sides support. Every method throws
 * `engine-unreachable`, `engine-refused` with the engine's own message, or `engine-response-invalid`.
 */
export class EngineClient {
  readonly host: string;
  private readonly connection: EngineConnection;
  private negotiated: Promise<Negotiated> | undefined;

  constructor(connection: EngineConnection) {
    this.host = connection.host;
    this.connection = connection;
  }

  /** The API version, such as `1.41`. */
  async version(): Promise<string> {
    return (await this.negotiate()).version;
  }

  /** Whether podman answers, whichever command is in use. */
  async isPodman(): Promise<boolean> {
    return (await this.negotiate()).isPodman;
  }

  /** Whether docker builds with BuildKit there by default. */
  async prefersBuildKit(): Promise<boolean> {
    return (await this.negotiate()).prefersBuildKit;
  }

  /** Throws `engine-refused`, in docker's words, if the API version is older than the one that introduced `what`. */
  async require(needed: string, what: string): Promise<void> {
    const version = await this.version();
    if (!isOlder(version, needed)) return;
    const message = `"${what}" requires API version ${needed}, but the Docker daemon API version is ${version}`;
    throw new SignetError('engine-refused', message);
  }

  /** Sends a request. A status other than success and `expected` is an error. */
  async call(request: EngineRequest, ...expected: readonly number[]): Promise<EngineResponse> {
    const response = await this.send({ ...request, path: `/v${await this.version()}${request.path}` });
    if (!expected.includes(response.status)) await checkSuccess(response);
    return response;
  }

  close(): void {
    this.connection.close?.();
  }

  /** The error for a connection that broke during a response. */
  lost(cause: unknown): SignetError {
    return new SignetError('engine-unreachable', `the connection to the Docker daemon at ${this.host} was lost`, {
      cause,
    });
  }

  private negotiate(): Promise<Negotiated> {
    this.negotiated ??= this.ping();
    return this.negotiated;
  }

  private async ping(): Promise<Negotiated> {
    const response = await this.send({ method: 'GET', path: '/_ping' });
    await checkSuccess(response);
    await readResponseBody(response, LIMITS.errorBody);
    const theirs = response.header('api-version') ?? OLDEST_VERSION;
    if (!/^\d{1,3}\.\d{1,3}$/.test(theirs)) {
      const shown = quoted(theirs, 40);
      throw new SignetError('engine-response-invalid', `the engine names its API version ${shown}`);
    }
    return {
      version: isOlder(theirs, OUR_VERSION) ? theirs : OUR_VERSION,
      isPodman: response.header('libpod-api-version') !== undefined,
      prefersBuildKit: response.header('builder-version') === '2',
    };
  }

  private async send(request: EngineRequest): Promise<EngineResponse> {
    try {
      return await sendRequest(this.connection.socketPath, request);
    } catch (cause) {
      request.signal?.throwIfAborted();
      throw await this.unreachable(cause);
    }
  }

  private async unreachable(cause: unknown): Promise<SignetError> {
    const complaint = await this.connection.complaint?.();
    if (complaint)
      return new SignetError('engine-unreachable', complaint.split('\n', 1).join().slice(0, 500), { cause });
    if (this.connection.kind === 'podman' && !isForbidden(this.connection.socketPath))
      return podmanNotServing(this.host, cause);
    const message = isForbidden(this.connection.socketPath)
      ? `permission denied while trying to connect to the Docker daemon socket at ${this.host}`
      : `Cannot connect to the Docker daemon at ${this.host}. Is the docker daemon running?`;
    return new SignetError('engine-unreachable', message, { cause });
  }
}

/** Podman's own commands need no service, so it runs only if someone has started it. */
function podmanNotServing(host: string, cause: unknown): SignetError {
  const unit = process.getuid?.() === 0 ? 'systemctl' : 'systemctl --user';
  return new SignetError(
    'engine-unreachable',
    `podman's API service, which Signet needs here, does not run at ${host}; start it: ${unit} start podman.socket`,
    {
      cause,
      next: `Without systemd: podman system service --time=0 ${host} &`,
    },
  );
}

async function checkSuccess(response: EngineResponse): Promise<void> {
  if (response.status >= 200 && response.status < 300) return;
  const said = errorMessage(await readResponseBody(response, LIMITS.errorBody)) || `status ${response.status}`;
  throw new SignetError('engine-refused', `Error response from daemon: ${said}`, {
    detail: { status: response.status },
  });
}

/** The message of an error body; empty if there is none. */
function errorMessage(body: Buffer): string {
  try {
    const error = new Fields(parseJson(body, { numbers: 'any' }), 'error', [], 'ignore');
    return error.string('message').trim();
  } catch {
    return '';
  }
}

function isOlder(one: string, other: string): boolean {
  const [[major, minor], [otherMajor, otherMinor]] = [numbersOf(one), numbersOf(other)];
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

function numbersOf(version: string): readonly [number, number] {
  const [major, minor] = version.split('.').map(Number);
  return [major ?? 0, minor ?? 0];
}

function isForbidden(socketPath: string): boolean {
  try {
    accessSync(socketPath, constants.R_OK | constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}
