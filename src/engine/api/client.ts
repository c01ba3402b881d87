import { accessSync, constants } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { LIMITS } from '../../core/limits.ts';
import { quoted } from '../../core/printable.ts';
import type { DockerCli } from '../cli/cli.ts';
import { type EngineRequest, type EngineResponse, readResponseBody, sendRequest } from './http.ts';

/** The way to an engine. */
interface EngineConnection {
  /** As docker names the place: `unix:///var/run/docker.sock`. */
  readonly host: string;
  readonly socketPath: string;
  /** Whose engine should be there, which a message then says how to start; docker's if absent. */
  readonly kind?: DockerCli['kind'];
  /** What went wrong between the socket and the engine; empty if nothing is known. */
  complaint?(): Promise<string>;
  close?(): void;
}

/** What an engine says of itself before anything is asked of it. */
interface Negotiated {
  readonly version: string;
  readonly isPodman: boolean;
  readonly prefersBuildKit: boolean;
}

/** What we speak at most: `Descriptor` in image descriptions came with 1.48. */
const OUR_VERSION = '1.48';
/** An engine that does not tell its version is at least as old as this. */
const OLDEST_VERSION = '1.24';

/**
 * Requests to one engine, in the newest API version that both sides speak. Every method throws `engine-unreachable`,
 * `engine-refused` with the engine's own words, or `engine-response-invalid`.
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

  /** Whether podman answers, whatever command it is that leads to it. */
  async isPodman(): Promise<boolean> {
    return (await this.negotiate()).isPodman;
  }

  /** Whether docker is to build with BuildKit there, unless the person says otherwise. */
  async prefersBuildKit(): Promise<boolean> {
    return (await this.negotiate()).prefersBuildKit;
  }

  /** Throws `engine-refused`, in docker's words, where both sides do not speak the version that `what` came with. */
  async require(needed: string, what: string): Promise<void> {
    const version = await this.version();
    if (!isOlder(version, needed)) return;
    const message = `"${what}" requires API version ${needed}, but the Docker daemon API version is ${version}`;
    throw new SignetError('engine-refused', message);
  }

  /** Sends a request; answers other than of success, and other than `expected`, are errors. */
  async call(request: EngineRequest, ...expected: readonly number[]): Promise<EngineResponse> {
    const response = await this.send({ ...request, path: `/v${await this.version()}${request.path}` });
    if (!expected.includes(response.status)) await checkSuccess(response);
    return response;
  }

  close(): void {
    this.connection.close?.();
  }

  /** What a connection that broke during an answer means. */
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

/** Podman needs no service for its own commands, so that it runs only where someone has started it. */
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

/** The message of an error body; empty if it has none that could be read. */
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
