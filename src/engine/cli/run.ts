import type { ChildProcess, SpawnOptions, StdioOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { SignetError } from '../../core/errors/index.ts';

interface RunOptions {
  /** The whole environment; this process's own by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** Docker's standard input; this process's own by default. */
  readonly stdin?: Uint8Array | Readable;
  /** Docker's standard output; this process's own by default. */
  readonly stdout?: Writable;
}

/** The result of a captured command. */
export interface Captured {
  /** The exit code; 128 + n if signal n ended the command. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_CAPTURE = 1024 * 1024;
const CAPTURE_MS = 30_000;

/** Signals that the kernel sends to every process of the terminal's foreground group. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGHUP'];
const FROM_PROCESSES: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGUSR1', 'SIGUSR2'];

/**
 * Runs docker as a child on the caller's terminal and resolves with its exit code, 128 + n if signal n ended it.
 * Signals sent to this process reach the child exactly once, and this process outlives it: Ctrl-C on a shared terminal
 * is left to the kernel, everything else is forwarded. Throws `docker-failed` if the program cannot be started.
 */
export async function runDocker(path: string, args: readonly string[], options: RunOptions = {}): Promise<number> {
  const stdio: StdioOptions = [
    options.stdin === undefined ? 'inherit' : 'pipe',
    options.stdout === undefined ? 'inherit' : 'pipe',
    'inherit',
  ];
  const signals = new SignalForwarder();
  try {
    const child = await start(path, args, { stdio, env: options.env ?? process.env });
    signals.forwardTo(child);
    connect(child, options);
    return await exitCodeOf(child, path);
  } finally {
    signals.stop();
  }
}

/**
 * Replaces this process by docker: it keeps its ID, terminal and open files, so nothing of Signet remains. On platforms
 * without exec, docker runs as a child and its exit code is returned. Throws `docker-failed`.
 */
export async function execDocker(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  if (process.execve === undefined || process.platform === 'win32') return runDocker(path, args, { env });
  try {
    return process.execve(path, [path, ...args], env);
  } catch (cause) {
    throw startFailure(path, cause);
  }
}

/**
 * Runs docker without a terminal and returns what it printed, at most 1 MiB of each stream. Input is empty. After 30
 * seconds it is stopped with SIGTERM. Throws `docker-failed` if it cannot be started or prints more.
 */
export async function captureDocker(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Captured> {
  const child = await start(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env, timeout: CAPTURE_MS });
  const [stdout, stderr, exitCode] = await Promise.all([
    collect(child, child.stdout),
    collect(child, child.stderr),
    exitCodeOf(child, path),
  ]);
  if (stdout === undefined || stderr === undefined) {
    throw new SignetError('docker-failed', `${path} printed more than ${MAX_CAPTURE} bytes`);
  }
  return { exitCode, stdout, stderr };
}

/** node:child_process is loaded only here: loading it would delay commands that need no child. */
async function start(path: string, args: readonly string[], options: SpawnOptions): Promise<ChildProcess> {
  const { spawn } = await import('node:child_process');
  try {
    return spawn(path, [...args], options);
  } catch (cause) {
    throw startFailure(path, cause);
  }
}

function exitCodeOf(child: ChildProcess, path: string): Promise<number> {
  return new Promise((settle, fail) => {
    child.once('error', (cause) => fail(startFailure(path, cause)));
    child.once('close', (code, signal) => settle(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}

/** The text of a stream; undefined if it is longer than the cap. */
async function collect(child: ChildProcess, stream: Readable | null): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream ?? []) {
    length += chunk.length;
    if (length > MAX_CAPTURE) {
      child.kill('SIGKILL');
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function startFailure(path: string, cause: unknown): SignetError {
  return new SignetError('docker-failed', `${path} cannot be started`, { cause });
}

/** Handles the signals meant for docker from its construction on, so that none is lost or ends this process first. */
class SignalForwarder {
  private child: ChildProcess | undefined;
  private readonly early: NodeJS.Signals[] = [];
  private readonly handlers: readonly (readonly [NodeJS.Signals, () => void])[];

  constructor() {
    const handler = (signal: NodeJS.Signals) => [signal, () => this.deliver(signal)] as const;
    this.handlers = [...FROM_TERMINAL, ...FROM_PROCESSES].map(handler);
    for (const [signal, handle] of this.handlers) process.on(signal, handle);
  }

  forwardTo(child: ChildProcess): void {
    this.child = child;
    for (const signal of this.early) child.kill(signal);
  }

  stop(): void {
    for (const [signal, handle] of this.handlers) process.off(signal, handle);
  }

  private deliver(signal: NodeJS.Signals): void {
    if (this.child === undefined) this.early.push(signal);
    else if (!FROM_TERMINAL.includes(signal) || !sharesTerminal()) this.child.kill(signal);
  }
}

function connect(child: ChildProcess, { stdin, stdout }: RunOptions): void {
  // If the child stops reading, its exit code says what that means.
  child.stdin?.on('error', () => undefined);
  if (stdin instanceof Uint8Array) child.stdin?.end(stdin);
  else if (child.stdin !== null) stdin?.pipe(child.stdin);
  if (stdout !== undefined) child.stdout?.pipe(stdout, { end: false });
}

/** Whether this process, and so its child, is in the foreground group of a terminal. */
function sharesTerminal(): boolean {
  try {
    const fields = readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    const [, , group, , terminal, foregroundGroup] = fields;
    return terminal !== '0' && group === foregroundGroup;
  } catch {
    return process.stdin.isTTY;
  }
}
