import { isSignetError, SignetError } from '../core/errors/index.ts';
import type { Digest } from '../core/names/digest.ts';
import { DEFAULT_TAG, familiarName, parseReference, type Reference } from '../core/names/reference.ts';
import { quoted } from '../core/printable.ts';
import { encodeAuth, type RegistryAuth } from './auth.ts';
import type { DockerCli } from './cli.ts';
import { EngineClient } from './client.ts';
import { findEndpoint } from './endpoint.ts';
import type { ParsedArgs } from './flags.ts';
import { readBody } from './http.ts';
import { digestsIn, type ImageDescription, parseImage } from './image.ts';
import { type EngineMessage, readMessages } from './messages.ts';
import { ProgressDisplay, type ProgressOutput } from './progress.ts';
import { PushReport } from './push-result.ts';

export interface TransferOptions {
  readonly auth?: RegistryAuth | undefined;
  /** `linux/arm64`; the engine's own choice where absent. */
  readonly platform?: string | undefined;
  /** Where the progress is shown; nowhere where absent. */
  readonly show?: ProgressOutput | undefined;
  /** Ends the transfer; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a push put under the tag. */
export interface PushResult {
  readonly digest: Digest;
  /** In bytes; undefined where the engine does not tell. */
  readonly size: number | undefined;
  /** Whether the push itself told it, or what the engine knows of the image afterwards. */
  readonly source: 'push-result' | 'descriptor' | 'repo-digest';
}

/**
 * A Docker Engine. Images are named as docker names them: `alpine:3.20`, `host:5000/team/app@sha256:…`.
 * Every method throws `engine-unreachable`, `engine-refused` or `engine-response-invalid`.
 */
export interface Engine {
  /** Where it is, as docker writes it. */
  readonly host: string;
  /** The API version that both sides speak. */
  version(): Promise<string>;
  /** Undefined where the engine does not have the image; an image's ID is a name too. */
  inspectImage(image: string): Promise<ImageDescription | undefined>;
  tag(source: string, target: string): Promise<void>;
  /** Pulls one tag, or one digest where `image` has it. */
  pull(image: string, options?: TransferOptions): Promise<void>;
  /** Pushes one tag. Throws also `push-result-missing` or `push-result-ambiguous`; the image is then pushed all the same. */
  push(image: string, options?: TransferOptions): Promise<PushResult>;
  close(): void;
}

const MAX_DESCRIPTION = 4 * 1024 * 1024;
const MAX_ANSWER = 64 * 1024;
const IMAGE = /^[A-Za-z0-9[][A-Za-z0-9_.:@/[\]-]{0,1023}$/;

/**
 * The engine that docker would use for a command line with these options before the command. Nothing is sent yet.
 * Throws `endpoint-invalid` or `context-unknown`.
 */
export async function connectEngine(cli: DockerCli, globals: ParsedArgs, env: NodeJS.ProcessEnv): Promise<Engine> {
  const { host, socketPath } = findEndpoint(cli, globals, env);
  if (socketPath !== undefined) return new DockerEngine(new EngineClient({ host, socketPath, kind: cli.kind }));
  const { openBridge } = await import('./bridge.ts');
  return new DockerEngine(new EngineClient({ host, ...(await openBridge(cli, globals.argv, env)) }));
}

/** Speaks the Docker Engine API (protocol D.2). */
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

  async inspectImage(image: string): Promise<ImageDescription | undefined> {
    const response = await this.client.call({ method: 'GET', path: `/images/${imagePath(image)}/json` }, 404);
    const body = await readBody(response, MAX_DESCRIPTION);
    return response.status === 404 ? undefined : parseImage(body);
  }

  async tag(source: string, target: string): Promise<void> {
    const reference = parseReference(target);
    const query = new URLSearchParams({ repo: familiarName(reference), tag: reference.tag ?? DEFAULT_TAG });
    const response = await this.client.call({ method: 'POST', path: `/images/${imagePath(source)}/tag?${query}` });
    await readBody(response, MAX_ANSWER);
  }

  async pull(image: string, options: TransferOptions = {}): Promise<void> {
    const reference = parseReference(image);
    const tag = reference.digest ?? reference.tag ?? DEFAULT_TAG;
    await this.transfer('/images/create', { fromImage: familiarName(reference), tag }, options, () => undefined);
  }

  async push(image: string, options: TransferOptions = {}): Promise<PushResult> {
    const reference = parseReference(image);
    if (reference.digest !== undefined) throw new SignetError('reference-invalid', 'cannot push a digest reference');
    const tag = reference.tag ?? DEFAULT_TAG;
    const report = new PushReport(tag);
    const path = `/images/${imagePath(familiarName(reference))}/push`;
    await this.transfer(path, { tag }, options, (message) => report.add(message));
    const told = report.result();
    if (told !== undefined) return { ...told, source: 'push-result' };
    return this.describePushed({ ...reference, tag }, options);
  }

  close(): void {
    this.client.close();
  }

  /** For engines whose push tells nothing. What one platform of an image became, the description does not say either. */
  private async describePushed(reference: Reference, options: TransferOptions): Promise<PushResult> {
    const name = `${familiarName(reference)}:${reference.tag}`;
    const image = options.platform === undefined ? await this.inspectImage(name) : undefined;
    if (image?.descriptor !== undefined) return { ...image.descriptor, source: 'descriptor' };
    const [digest, ...others] = new Set(image && digestsIn(reference, image));
    if (digest === undefined || others.length > 0) {
      throw new SignetError('push-result-missing', `the engine does not tell which digest it pushed as ${name}`);
    }
    return { digest, size: undefined, source: 'repo-digest' };
  }

  private async transfer(
    path: string,
    query: Readonly<Record<string, string>>,
    { auth, platform, show, signal }: TransferOptions,
    visit: (message: EngineMessage) => void,
  ): Promise<void> {
    const parameters = new URLSearchParams(platform === undefined ? query : { ...query, platform });
    const isPodman = await this.client.isPodman();
    const headers = isPodman ? podmanAuth(auth) : { 'X-Registry-Auth': encodeAuth(auth) };
    const response = await this.client.call({ method: 'POST', path: `${path}?${parameters}`, headers, signal });
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

/**
 * Podman's API takes user names and passwords alone, and forgets an identity token. Without a login in the request its
 * service uses those of the user that it runs as, in docker's configuration file too, and knows what to do with a token.
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

/** An image's name or ID as a part of a URL's path. */
function imagePath(image: string): string {
  const climbs = image.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (climbs || !IMAGE.test(image)) {
    throw new SignetError('reference-invalid', `invalid image name ${quoted(image, 300)}`);
  }
  return image.replaceAll('[', '%5B').replaceAll(']', '%5D');
}
