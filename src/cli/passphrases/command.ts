import type { ChildProcess } from 'node:child_process';
import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { quoted } from '../../core/printable.ts';
import type { Environment } from '../../core/variables.ts';
import type { PassphraseRequest } from '../../trust/keys/passphrases.ts';
import { nameOfKey, type PassphraseSource, withoutLineEnd, wrongPassphrase } from './source.ts';

/** Milliseconds. Long, because the command may have to ask a person. */
const PATIENCE = 60_000;
/** The exit code of a shell script ended by Ctrl-C. */
const INTERRUPTED = 130;

/** A program that prints passphrases. Its arguments may be confidential, so errors name only the program. */
interface PassphraseCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * A source that runs a command and uses the passphrase it prints. The key is passed in its environment
 * (`SIGNET_KEY_ALIAS`, `SIGNET_KEY_ID`); it has no input, and shares standard error with Signet. `find` throws
 * `passphrase-command-failed`, or `cancelled` on Ctrl-C.
 */
export function commandSource(command: PassphraseCommand, env: Environment, patience = PATIENCE): PassphraseSource {
  return {
    find: async (request) => {
      const output = await run(command, env, request, patience);
      const passphrase = withoutLineEnd(output);
      if (passphrase.length > 0) return passphrase;
      throw failed(command, 'it printed nothing');
    },
    refuse: (request) =>
      wrongPassphrase(
        request,
        'Correct what the command prints, or take it out of the settings to be asked.',
        `the passphrase that the command ${nameOf(command)} printed does not open ${nameOfKey(request)}`,
      ),
  };
}

async function run(
  command: PassphraseCommand,
  env: Environment,
  { id, alias }: PassphraseRequest,
  patience: number,
): Promise<Buffer> {
  const { spawn } = await import('node:child_process');
  const pieces: Buffer[] = [];
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const interrupt = () => reject(cancelled());
  process.once('SIGINT', interrupt);
  const timer = setTimeout(() => reject(failed(command, `it took longer than ${patience / 1000} seconds`)), patience);
  const child = spawn(command.program, [...command.args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, SIGNET_KEY_ALIAS: alias, SIGNET_KEY_ID: id ?? '' },
  });
  collect(child, pieces, () => reject(failed(command, `it printed more than ${LIMITS.keyFile} bytes`)));
  child.once('error', (error) => reject(failed(command, startFailure(error))));
  child.once('close', (code, signal) => {
    if (code === 0) resolve();
    // Ctrl-C reaches the command as well, and its exit may be seen first.
    else if (signal === 'SIGINT' || code === INTERRUPTED) reject(cancelled());
    else reject(failed(command, code === null ? `signal ${signal}` : `exit status ${code}`));
  });
  try {
    await ended;
    return Buffer.concat(pieces);
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', interrupt);
    for (const piece of pieces) piece.fill(0);
    abandon(child);
  }
}

function collect(child: ChildProcess, pieces: Buffer[], onExcess: () => void): void {
  let length = 0;
  child.stdout?.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length > LIMITS.keyFile) onExcess();
    else pieces.push(piece);
  });
}

/**
 * Processes started by the command may hold the pipe open; do not wait for them. SIGTERM lets the command restore the
 * terminal, and has no effect if it has ended.
 */
function abandon(child: ChildProcess): void {
  child.kill('SIGTERM');
  child.stdout?.destroy();
}

function cancelled(): SignetError {
  return new SignetError('cancelled', 'cancelled');
}

function startFailure(error: Error): string {
  const code = 'code' in error ? error.code : error.name;
  return code === 'ENOENT' ? 'there is no such program' : `it cannot be started: ${code}`;
}

function nameOf({ program }: PassphraseCommand): string {
  return quoted(program, 200);
}

function failed(command: PassphraseCommand, why: string): SignetError {
  return new SignetError('passphrase-command-failed', `the passphrase command ${nameOf(command)} failed: ${why}`);
}
