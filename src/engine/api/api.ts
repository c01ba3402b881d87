import { isSignetError, SignetError } from '../../core/errors/index.ts';
import type { Digest } from '../../core/names/digest.ts';
import { DEFAULT_TAG, familiarName, parseReference, type Reference } from '../../core/names/reference.ts';
import { quoted } from '../../core/printable.ts';
import type { DockerCli } from '../cli/cli.ts';
import type { ParsedArgs } from '../cli/flags.ts';
import { parsePlatform, platformJson } from '../cli/platform.ts';
import { encodeAuth, type RegistryAuth } from './auth.ts';
import { EngineClient } from './client.ts';
import { type EngineDescription, parseDescription } from './description.ts';
import { findEndpoint } from './endpoint.ts';
import { parseContainer, parseService, type ServiceImages } from './existing.ts';
import { readResponseBody } from './http.ts';
import { digestsIn, type ImageDescription, parseImage } from './image.ts';
import { type EngineMessage, readMessages } from './messages.ts';
import { ProgressDisplay, type ProgressOutput } from './progress.ts';
import { PushReport } from './push-result.ts';

export interface TransferOptions {
  readonly auth?: RegistryAuth | undefined;
  /** `linux/arm64`; the engine's own choice if absent. */
  readonly platform?: string | undefined;
  /** Where progress is shown; nowhere if absent. */
  readonly show?: ProgressOutput | undefined;
  /** Aborts the transfer; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a push stored under the tag. */
interface PushResult {
  readonly digest: Digest;
  /** In bytes; undefined if the engine does not tell. */
  readonly size: number | undefined;
  /**
   * The index of which only this one manifest was pushed, because the engine lacks the rest; undefined if all was
   * pushed.
   */
  readonly insteadOf: Digest | undefined;
  /** Whether the push itself reported it, as opposed to the engine's description of the image afterwards. */
  readonly source: 'push-result' | 'descriptor' | 'repo-digest';
}

/**
 * A Docker Engine. Images are named as docker names them: `alpine:3.20`, `host:5000/team/app@sha256:…`. Every method
 * throws `engine-unreachable`, `engine-refused` or `engine-response-invalid`.
 */
export interface Engine {
  /** The engine's address, in docker's notation. */
  readonly host: string;
  /** The API version that both sides support. */
  version(): Promise<string>;
  describe(): Promise<EngineDescription>;
  /** Undefined if the engine does not have the image. Accepts an image's ID too. */
  inspectImage(image: string): Promise<ImageDescription | undefined>;
  /** The ID of the image that a container was created from; undefined if there is no such container. */
  inspectContainer(container: string): Promise<{ readonly image: Digest } | undefined>;
  /** The images that a service's tasks run, now and before its last update; undefined if there is no such service. */
  inspectService(service: string): Promise<ServiceImages | undefined>;
  tag(source: string, target: string): Promise<void>;
  /** Pulls one tag, or one digest if `image` has one. */
  pull(image: string, options?: TransferOptions): Promise<void>;
  /**
   * Pushes one tag. Also throws `push-result-missing` or `push-result-ambiguous`; the image has been pushed in those
   * cases.
   */
  push(image: string, options?: TransferOptions): Promise<PushResult>;
  close(): void;
}

const MAX_DESCRIPTION = 4 * 1024 * 1024;
const MAX_ANSWER = 64 * 1024;
const IMAGE = /^[A-Za-z0-9[][A-Za-z0-9_.:@/[\]-]{0,1023}$/;

/**
 * The engine that docker would use for a command line with these global options. Sends nothing yet. Throws
 * `endpoint-invalid` or `context-unknown`.
 */
export async function connectEngine(cli: DockerCli, globals: ParsedArgs, env: NodeJS.ProcessEnv): Promise<Engine> {
  const { host, socketPath } = findEndpoint(cli, globals, env);
  if (socketPath !== undefined) return new DockerEngine(new EngineClient({ host, socketPath, kind: cli.kind }));
  const { openBridge } = await import('./bridge.ts');
  return new DockerEngine(new EngineClient({ host, ...(await openBridge(cli, globals.argv, env)) }));
}

/** A client of the Docker Engine API (protocol D.2). */
export class DockerEngine implements Engine {
  private readonly client: EngineClient;

  constructor(client: EngineClient) {
    this.client = client;
  }

  get host(): string {
    return this.client.host;
  }

  version(): Promise<string> {
    return this.client.version();
  }

  async describe(): Promise<EngineDescription> {
    const response = await this.client.call({ method: 'GET', path: '/version' });
    const body = await readResponseBody(response, MAX_DESCRIPTION);
    return { ...parseDescription(body), prefersBuildKit: await this.client.prefersBuildKit() };
  }

  async inspectImage(image: string): Promise<ImageDescription | undefined> {
    const body = await this.inspect(`/images/${imagePath(image)}/json`);
    return body && parseImage(body);
  }

  async inspectContainer(container: string): Promise<{ readonly image: Digest } | undefined> {
    const body = await this.inspect(`/containers/${encodeURIComponent(container)}/json`);
    return body && parseContainer(body);
  }

  async inspectService(service: string): Promise<ServiceImages | undefined> {
    const body = await this.inspect(`/services/${encodeURIComponent(service)}`);
    return body && parseService(body);
  }

  async tag(source: string, target: string): Promise<void> {
    const reference = parseReference(target);
    const query = new URLSearchParams({ repo: familiarName(reference), tag: reference.tag ?? DEFAULT_TAG });
    const response = await this.client.call({ method: 'POST', path: `/images/${imagePath(source)}/tag?${query}` });
    await readResponseBody(response, MAX_ANSWER);
  }

  async pull(image: string, options: TransferOptions = {}): Promise<void> {
    const reference = parseReference(image);
    const tag = reference.digest ?? reference.tag ?? DEFAULT_TAG;
    const query = { fromImage: familiarName(reference), tag, ...(options.platform && { platform: options.platform }) };
    await this.transfer('/images/create', query, options, () => undefined);
  }

  async push(image: string, options: TransferOptions = {}): Promise<PushResult> {
    const reference = parseReference(image);
    if (reference.digest !== undefined) throw new SignetError('reference-invalid', 'cannot push a digest reference');
    const tag = reference.tag ?? DEFAULT_TAG;
    const report = new PushReport(tag);
    const path = `/images/${imagePath(familiarName(reference))}/push`;
    const query = { tag, ...(await this.onePlatform(options.platform)) };
    await this.transfer(path, query, options, (message) => report.add(message)).catch((error: unknown) => {
      throw report.isIncomplete && isSignetError(error, 'engine-refused') ? incomplete(error) : error;
    });
    const told = report.result();
    if (told !== undefined) return { ...told, source: 'push-result' };
    return this.describePushed({ ...reference, tag }, options);
  }

  close(): void {
    this.client.close();
  }

  /**
   * The platform parameter of a push; unlike a pull's, it is JSON. Older engines would ignore it and push everything.
   */
  private async onePlatform(platform: string | undefined): Promise<{ readonly platform?: string }> {
    if (!platform) return {};
    const parsed = parsePlatform(platform);
    await this.client.require('1.46', '--platform');
    return { platform: platformJson(parsed) };
  }

  private async inspect(path: string): Promise<Buffer | undefined> {
    const response = await this.client.call({ method: 'GET', path }, 404);
    const body = await readResponseBody(response, MAX_DESCRIPTION);
    return response.status === 404 ? undefined : body;
  }

  /**
   * For engines whose push does not report the result. If one platform was chosen, the description does not tell
   * either.
   */
  private async describePushed(reference: Reference, options: TransferOptions): Promise<PushResult> {
    const name = `${familiarName(reference)}:${reference.tag}`;
    const image = !options.platform ? await this.inspectImage(name) : undefined;
    if (image?.descriptor !== undefined) return { ...image.descriptor, insteadOf: undefined, source: 'descriptor' };
    const [digest, ...others] = new Set(image && digestsIn(reference, image));
    if (digest === undefined || others.length > 0) {
      throw new SignetError('push-result-missing', `the engine does not tell which digest it pushed as ${name}`);
    }
    return { digest, size: undefined, insteadOf: undefined, source: 'repo-digest' };
  }

  private async transfer(
    path: string,
    query: Readonly<Record<string, string>>,
    { auth, show, signal }: TransferOptions,
    visit: (message: EngineMessage) => void,
  ): Promise<void> {
    const isPodman = await this.client.isPodman();
    const headers = isPodman ? podmanAuth(auth) : { 'X-Registry-Auth': encodeAuth(auth) };
    const request = { method: 'POST', path: `${path}?${new URLSearchParams(query)}`, headers, signal } as const;
    const response = await this.client.call(request);
    const display = show && new ProgressDisplay(show);
    try {
      for await (const message of readMessages(response.body)) {
        if (message.error !== undefined) throw refused(message.error, isPodman, auth);
        visit(message);
        if (message.aux === undefined) display?.show(message);
      }
    } catch (cause) {
      signal?.throwIfAborted();
      throw isSignetError(cause) ? cause : this.client.lost(cause);
    }
  }
}

/** The engine has some of the platforms of an index, but none that it could push instead. */
function incomplete(error: SignetError): SignetError {
  const next = 'Pull the platforms that are missing, or push one that is here: signet push --platform OS/ARCH IMAGE';
  return error.reworded(`the engine does not have all platforms of the image: ${error.message}`, { next });
}

/**
 * Podman's API accepts only user names and passwords, and ignores an identity token. Without a login in the request,
 * its service uses the logins of its own user, from docker's configuration file too, and does support tokens there.
 */
function podmanAuth(auth: RegistryAuth | undefined): Readonly<Record<string, string>> {
  return auth === undefined || auth.identityToken !== undefined ? {} : { 'X-Registry-Auth': encodeAuth(auth) };
}

function refused(message: string, isPodman: boolean, auth: RegistryAuth | undefined): SignetError {
  return new SignetError('engine-refused', message, nextAfterRefusal(isPodman, auth));
}

function nextAfterRefusal(isPodman: boolean, auth: RegistryAuth | undefined): { readonly next?: string } {
  if (isPodman && auth?.identityToken !== undefined) {
    return {
      next: `Podman's API service takes no identity token. If it is the login that it lacks: podman login ${auth.serverAddress}`,
    };
  }
  if (auth?.source === undefined) return {};
  return {
    next: `The engine was given the login of ${auth.source}. If that is wrong, correct or unset ${auth.source}.`,
  };
}

/** An image's name or ID as part of a URL's path. */
function imagePath(image: string): string {
  const climbs = image.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (climbs || !IMAGE.test(image)) {
    throw new SignetError('reference-invalid', `invalid image name ${quoted(image, 300)}`);
  }
  return image.replaceAll('[', '%5B').replaceAll(']', '%5D');
}
