import { closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { SignetError } from '../../../../core/errors/index.ts';
import type { ParsedArgs } from '../../../../engine/cli/flags.ts';
import { readUpTo } from '../../../../store/files.ts';
import type { DockerTask } from '../task.ts';
import { unpack } from './archive.ts';
import { copyCompanions } from './companions.ts';
import type { PrivateFolder } from './private-folder.ts';
import { HEAD_SIZE, streamKind } from './stream-kind.ts';

/** A build's Dockerfile, and how to make docker read another one instead. */
export interface BuildSource {
  /** Its name in messages. */
  readonly name: string;
  readonly text: string;
  /** The command line for a build from `dockerfile`, and its standard input unless that is the user's own. */
  replace(args: ParsedArgs, dockerfile: string): { readonly args: ParsedArgs; readonly stdin?: Uint8Array };
}

/** In bytes. */
const MAX_DOCKERFILE = 1024 * 1024;
const STDIN = '-';
const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|github\.com\/|[\w.-]+@[\w.-]+:)/i;
const DEFAULT_NAMES: Readonly<Record<DockerTask['cli']['kind'], readonly string[]>> = {
  docker: ['Dockerfile', 'dockerfile'],
  podman: ['Containerfile', 'Dockerfile'],
};

/**
 * Finds the Dockerfile as docker does: a file (`-f`, relative to the current folder; otherwise in the context),
 * standard input (`-f -`, or a context `-` that is not an archive), or a file in the archive on standard input, which
 * is unpacked into `folder`. While trust is off, undefined for anything that docker should find or report itself.
 *
 * Throws `build-context-remote` for a remote context, whose Dockerfile cannot be replaced; `build-context-invalid`;
 * `usage`.
 */
export async function findSource(task: DockerTask, folder: PrivateFolder): Promise<BuildSource | undefined> {
  const { context, file, obstacle } = readPlace(task);
  if (obstacle !== undefined) {
    if (task.trust) throw obstacle;
    return undefined;
  }
  if (context === STDIN) return fromStdin(task, file, folder);
  if (file === STDIN) return piped(await new StandardInput().take(MAX_DOCKERFILE + 1));
  return stored(task, { path: findFile(task, context, file), typed: file, folder, context });
}

/** The context and the Dockerfile named on the command line, and why Signet cannot read them, if it cannot. */
function readPlace({ args, cli }: DockerTask): { context: string; file: string | undefined; obstacle?: SignetError } {
  const [typed, ...more] = args.positionals.map(({ value }) => value);
  const context = typed ?? '.';
  const file = args.lastValue('file') || undefined;
  const place = { context, file };
  if ((typed === undefined && cli.kind === 'docker') || more.length > 0) {
    const next = 'See signet build --help';
    return { ...place, obstacle: new SignetError('usage', "'docker build' requires 1 argument", { next }) };
  }
  if (cli.kind === 'podman' && isComposed(args.values('file'))) {
    const next = 'Name one file, whose name does not end in .in.';
    const message = 'podman puts this Dockerfile together itself';
    return { ...place, obstacle: new SignetError('build-option-unsafe', message, { next }) };
  }
  if (file !== undefined && REMOTE.test(file) && !existsSync(file)) {
    return { ...place, obstacle: elsewhere('Dockerfile') };
  }
  return context === STDIN || isFolder(context) ? place : { ...place, obstacle: noFolder(context) };
}

async function fromStdin(task: DockerTask, file: string | undefined, folder: PrivateFolder): Promise<BuildSource> {
  if (file === STDIN) {
    throw new SignetError('usage', "invalid argument: can't use stdin for both build context and dockerfile");
  }
  const input = new StandardInput();
  const head = await input.take(HEAD_SIZE);
  if (isArchive(head, task)) {
    const context = join(folder.path(), 'context');
    await unpack(head, input.rest(), context).finally(() => input.end());
    const path = insideOf(context, findFile(task, context, file && join(context, file)));
    const source = stored(task, { path, typed: file, folder });
    const stdin = new Uint8Array();
    return { ...source, replace: (args, text) => ({ ...source.replace(withContext(args, context), text), stdin }) };
  }
  if (file === undefined) {
    const source = piped(Buffer.concat([head, await input.take(MAX_DOCKERFILE + 1)]));
    return { ...source, replace: (args, text) => ({ args, stdin: certainlyNoArchive(Buffer.from(text)) }) };
  }
  throw new SignetError('usage', 'ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles');
}

/**
 * Whether docker, or podman, which looks at the whole stream, treats it as an archive. Ambiguous streams are refused,
 * because docker could build on content that no one checked. Throws `build-context-invalid`.
 */
function isArchive(head: Uint8Array, { cli }: DockerTask): boolean {
  const kind = streamKind(head);
  if (kind === 'unclear' && cli.kind === 'docker') throw unclearStream();
  return kind !== 'dockerfile';
}

/** The inserted digests may have turned the beginning of a Dockerfile into a tar header. */
function certainlyNoArchive(dockerfile: Buffer): Buffer {
  if (streamKind(dockerfile) !== 'dockerfile') throw unclearStream();
  return dockerfile;
}

function unclearStream(): SignetError {
  const message = 'standard input could be an archive to docker, or a Dockerfile';
  return new SignetError('build-context-invalid', message, { next: 'Unpack it into a folder, and build that.' });
}

/** A Dockerfile on standard input, which is passed on the same way. */
function piped(bytes: Buffer): BuildSource {
  const name = 'Dockerfile';
  return { name, text: decode(name, bytes), replace: (args, text) => ({ args, stdin: Buffer.from(text) }) };
}

interface StoredFile {
  readonly path: string;
  /** Its name on the command line. */
  readonly typed: string | undefined;
  readonly folder: PrivateFolder;
  /** Undefined for one from an archive: docker ignores policies there. */
  readonly context?: string;
}

/** A Dockerfile on disk. Its copy gets a folder of its own, with the files that belong to it. */
function stored({ cli, trust }: DockerTask, { path, typed, folder, context }: StoredFile): BuildSource {
  const name = typed ?? basename(path);
  const text = decode(name, readCapped(name, path));
  return {
    name,
    text,
    replace: (args, dockerfile) => {
      const home = join(folder.path(context), 'dockerfile');
      mkdirSync(home, { mode: 0o700 });
      const copy = join(home, basename(path));
      writeFileSync(copy, dockerfile, { mode: 0o600, flag: 'wx' });
      copyCompanions(path, copy, { hasPolicy: context !== undefined && cli.kind === 'docker', trust });
      const flag = args.flags('file').at(-1);
      return { args: flag === undefined ? args.withFlags('--file', copy) : args.withValue(flag, copy) };
    },
  };
}

function findFile({ cli }: DockerTask, context: string, file: string | undefined): string {
  const names = file === undefined ? DEFAULT_NAMES[cli.kind].map((name) => join(context, name)) : [file];
  // podman also looks in the context for a file that is not in the current folder.
  const paths = file !== undefined && cli.kind === 'podman' ? [...names, join(context, file)] : names;
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return resolve(found);
  const reason = `lstat ${resolve(paths[0] ?? context)}: no such file or directory`;
  const message = `unable to prepare context: unable to evaluate symlinks in Dockerfile path: ${reason}`;
  throw new SignetError('build-context-invalid', message);
}

/** A link in someone's archive must not turn a file of this machine into the Dockerfile. */
function insideOf(context: string, path: string): string {
  const real = realpathSync(path);
  if (real.startsWith(`${realpathSync(context)}${sep}`) && statSync(real).isFile()) return path;
  throw new SignetError('build-context-invalid', 'the Dockerfile of the build context is a link that leads out of it');
}

/** podman joins several files, and runs a preprocessor on those that end in `.in`. */
function isComposed(files: readonly string[]): boolean {
  return files.length > 1 || files.some((file) => file.endsWith('.in'));
}

function withContext(args: ParsedArgs, folder: string): ParsedArgs {
  const [context] = args.positionals;
  return context === undefined ? args : args.withValue(context, folder);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function noFolder(context: string): SignetError {
  if (existsSync(context)) {
    const message = `unable to prepare context: context must be a directory: ${resolve(context)}`;
    return new SignetError('build-context-invalid', message);
  }
  if (!REMOTE.test(context)) {
    return new SignetError('build-context-invalid', `unable to prepare context: path "${context}" not found`);
  }
  return elsewhere('build context');
}

function elsewhere(what: string): SignetError {
  return new SignetError('build-context-remote', `the images of a ${what} elsewhere cannot be checked`);
}

/** Standard input, whose beginning decides who gets the rest. */
class StandardInput {
  private readonly chunks: AsyncIterator<Buffer> = process.stdin[Symbol.asyncIterator]();

  /** At least `size` bytes if there are as many, including what arrived with them. */
  async take(size: number): Promise<Buffer> {
    const taken: Buffer[] = [];
    for (let length = 0; length < size; length += taken.at(-1)?.length ?? 0) {
      const { done, value } = await this.chunks.next();
      if (done === true) break;
      taken.push(value);
    }
    return Buffer.concat(taken);
  }

  /** Stops reading: an unused stream must not keep this process alive. */
  end(): void {
    process.stdin.destroy();
  }

  rest(): AsyncIterable<Buffer> {
    return { [Symbol.asyncIterator]: () => this.chunks };
  }
}

function readCapped(name: string, path: string): Buffer {
  try {
    return readFile(path);
  } catch (cause) {
    throw new SignetError('build-context-invalid', `unable to open Dockerfile: ${name} cannot be read`, { cause });
  }
}

/** Reads one byte more than a Dockerfile may have, if the file has it. */
function readFile(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    return readUpTo(file, MAX_DOCKERFILE + 1);
  } finally {
    closeSync(file);
  }
}

function decode(name: string, bytes: Buffer): string {
  if (bytes.length > MAX_DOCKERFILE) {
    throw new SignetError('too-large', `${name}: a Dockerfile has at most ${MAX_DOCKERFILE} bytes`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SignetError('dockerfile-uncertain', `${name}: the text is not UTF-8`, {
      cause,
      next: 'Save the Dockerfile as UTF-8.',
    });
  }
}
