import type { ChildProcess } from 'node:child_process';
import { SignetError } from '../core/errors/index.ts';
import { type JsonObject, parseJson } from '../core/json/parse.ts';
import { quoted } from '../core/printable.ts';
import type { Credential } from './credential.ts';

type Verb = 'get' | 'store' | 'erase';

interface Ended {
  readonly output: Buffer;
  /** Why it failed, in Go's words; undefined if it succeeded. */
  readonly failure: string | undefined;
}

/** The user name that marks the secret as an identity token (protocol F.3). */
const TOKEN_USER = '<token>';
const NOT_FOUND = 'credentials not found in native keychain';
const KNOWN_FAILURES: ReadonlySet<string> = new Set(['no credentials server URL', 'no credentials username']);
const DOING: Readonly<Record<Verb, string>> = { get: 'getting', store: 'storing', erase: 'erasing' };
/** The names Go gives them. */
const SIGNALS: ReadonlyMap<string, string> = new Map([
  ['SIGABRT', 'aborted'],
  ['SIGINT', 'interrupt'],
  ['SIGKILL', 'killed'],
  ['SIGSEGV', 'segmentation fault'],
  ['SIGTERM', 'terminated'],
]);
const SUFFIX = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MAX_OUTPUT = 256 * 1024;
/** In milliseconds; the helper may have to ask a person. */
const PATIENCE = 5 * 60_000;

/**
 * A `docker-credential-<suffix>` program (protocol F.3). Secrets are passed through pipes only. Throws
 * `credential-helper-failed` in docker's words, or `credential-helper-answer-invalid`.
 */
export class CredentialHelper {
  private readonly suffix: string;
  private readonly environment: NodeJS.ProcessEnv;

  constructor(suffix: string, environment: NodeJS.ProcessEnv) {
    if (!SUFFIX.test(suffix)) {
      throw new SignetError('docker-config-invalid', `${quoted(suffix, 80)} cannot be a credential helper`);
    }
    this.suffix = suffix;
    this.environment = environment;
  }

  async get(server: string): Promise<Credential | undefined> {
    const { output, failure } = await this.run('get', Buffer.from(server));
    try {
      if (failure === undefined) return parseHelperAnswer(output);
      if (lineOf(output) === NOT_FOUND) return undefined;
      throw failed('get', failure, output);
    } finally {
      output.fill(0);
    }
  }

  async store(server: string, { username, password, identityToken }: Credential): Promise<void> {
    const secret = (identityToken ?? password).toString('utf8');
    const login = { ServerURL: server, Username: identityToken === undefined ? username : TOKEN_USER, Secret: secret };
    const input = Buffer.from(`${JSON.stringify(login)}\n`);
    const { output, failure } = await this.run('store', input);
    input.fill(0);
    if (failure !== undefined) throw failed('store', failure, output);
  }

  /** If the helper does not know the server, there is nothing to erase. */
  async erase(server: string): Promise<void> {
    const { output, failure } = await this.run('erase', Buffer.from(server));
    if (failure !== undefined && lineOf(output) !== NOT_FOUND) throw failed('erase', failure, output);
  }

  private async run(verb: Verb, input: Buffer): Promise<Ended> {
    const { spawn } = await import('node:child_process');
    const program = `docker-credential-${this.suffix}`;
    const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'inherit'], env: this.environment });
    return converse(child, program, input);
  }
}

/**
 * Parses a helper's response to `get`; undefined for an empty login. Member names are case-insensitive, as docker reads
 * them, and each may occur only once. Throws `credential-helper-answer-invalid`.
 */
export function parseHelperAnswer(output: Uint8Array): Credential | undefined {
  const document = parseAnswer(output);
  const username = textOf(document, 'username');
  const secret = Buffer.from(textOf(document, 'secret'));
  if (username === '' && secret.length === 0) return undefined;
  const isToken = username === TOKEN_USER;
  return {
    username: isToken ? '' : username,
    password: isToken ? Buffer.alloc(0) : secret,
    identityToken: isToken ? secret : undefined,
    registryToken: undefined,
  };
}

function parseAnswer(output: Uint8Array): JsonObject {
  try {
    const document = parseJson(output, { numbers: 'any' });
    if (document instanceof Map) return document;
  } catch (cause) {
    // The cause may quote part of the secret.
    if (!(cause instanceof SignetError)) throw cause;
  }
  throw invalidAnswer('is not a JSON object');
}

function textOf(document: JsonObject, name: string): string {
  const [value, another] = [...document].filter(([key]) => key.toLowerCase() === name).map(([, member]) => member);
  if (another !== undefined) throw invalidAnswer('says something twice');
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : invalidAnswer('holds something that is not a text');
}

function invalidAnswer(why: string): never {
  throw new SignetError('credential-helper-answer-invalid', `the credential helper's answer ${why}`);
}

function failed(verb: Verb, failure: string, output: Buffer): SignetError {
  const said = lineOf(output);
  const why = KNOWN_FAILURES.has(said) ? said : failure;
  return new SignetError(
    'credential-helper-failed',
    `error ${DOING[verb]} credentials - err: ${why}, out: \`${said}\``,
  );
}

function lineOf(output: Buffer): string {
  const text = output.subarray(0, 1024).toString('utf8').trim();
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

function converse(child: ChildProcess, program: string, input: Buffer): Promise<Ended> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    const end = (failure: string | undefined) => {
      clearTimeout(timer);
      const output = Buffer.concat(pieces);
      for (const piece of pieces) piece.fill(0);
      resolve({ output, failure });
    };
    child.stdout?.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length <= MAX_OUTPUT) pieces.push(piece);
      else child.kill('SIGKILL');
    });
    child.once('error', (error) => end(startFailure(error, program)));
    child.once('close', (code, signal) => end(exitFailure(code, signal)));
    // A helper may exit without reading its input; its output counts.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

function startFailure(error: Error, program: string): string {
  const isMissing = 'code' in error && error.code === 'ENOENT';
  return isMissing ? `exec: "${program}": executable file not found in $PATH` : `exec: "${program}": ${error.name}`;
}

function exitFailure(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined;
  return code === null ? `signal: ${SIGNALS.get(signal ?? '') ?? signal}` : `exit status ${code}`;
}
