const DEFAULT_TIMEOUT_MS = 120_000;
/** The terminal echoes what is typed (termios, c_lflag). */
const ECHO = 0o10;

/** The result of a command. */
export interface Outcome {
  /** The command line, for messages. */
  readonly command: string;
  /** The exit code; 128 + n if signal n ended the command. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment; the caller's own by default. */
  readonly env?: Readonly<Record<string, string>>;
  /** The command's standard input; empty by default. */
  readonly stdin?: string | Uint8Array;
  /** Milliseconds until the command is killed and the call throws; 2 minutes by default. */
  readonly timeout?: number;
}

/** What is typed once the output since the last answer matches `expect`. */
export interface Answer {
  readonly expect: RegExp;
  /** Typed as it is, followed by the Enter key. */
  readonly send: string;
  /** Typed only once the terminal no longer echoes. */
  readonly isSecret?: boolean;
}

/** Runs a command to its end, whatever its exit code. Throws on a timeout. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    ...placeOf(options),
    stdin: options.stdin === undefined ? 'ignore' : new Blob([options.stdin]),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const limit = limitOf(child, options);
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  limit.check(command, stdout + stderr);
  return { command: command.join(' '), exitCode, stdout, stderr };
}

/**
 * Runs a command in a new pseudo terminal and types the answers in order. Both streams arrive in `stdout`, with plain
 * line feeds. Throws on a timeout, or if the command ends before every answer was typed.
 */
export async function runInTerminal(
  command: readonly string[],
  answers: readonly Answer[],
  options: Omit<RunOptions, 'stdin'> = {},
): Promise<Outcome> {
  const text = new TextDecoder();
  const waiting = [...answers];
  let output = '';
  let unanswered = '';
  const child = Bun.spawn([...command], {
    ...placeOf(options),
    terminal: {
      cols: 200,
      rows: 50,
      data: (terminal, bytes) => {
        const arrived = text.decode(bytes, { stream: true });
        output += arrived;
        unanswered += arrived;
        const [next] = waiting;
        if (next === undefined || !next.expect.test(unanswered)) return;
        waiting.shift();
        unanswered = '';
        void type(terminal, next);
      },
    },
  });
  const limit = limitOf(child, options);
  const exitCode = await child.exited;
  const stdout = output.replaceAll('\r\n', '\n');
  limit.check(command, stdout);
  if (waiting.length > 0) {
    throw new Error(`${command.join(' ')} ended (${exitCode}) without asking for ${waiting[0]?.expect}:\n${stdout}`);
  }
  return { command: command.join(' '), exitCode, stdout, stderr: '' };
}

async function type(terminal: Bun.Terminal, { send, isSecret }: Answer): Promise<void> {
  while (isSecret === true && (terminal.localFlags & ECHO) !== 0) await Bun.sleep(2);
  if (!terminal.closed) terminal.write(`${send}\r`);
}

function placeOf(options: Omit<RunOptions, 'stdin'>): { cwd?: string; env: Record<string, string | undefined> } {
  const env = options.env ?? process.env;
  return options.cwd === undefined ? { env } : { env, cwd: options.cwd };
}

function limitOf(child: Bun.Subprocess, options: { readonly timeout?: number }) {
  const milliseconds = options.timeout ?? DEFAULT_TIMEOUT_MS;
  let exceeded = false;
  const timer = setTimeout(() => {
    exceeded = true;
    child.kill('SIGKILL');
  }, milliseconds);
  return {
    check: (command: readonly string[], output: string): void => {
      clearTimeout(timer);
      if (exceeded) throw new Error(`${command.join(' ')} was still running after ${milliseconds} ms:\n${output}`);
    },
  };
}
