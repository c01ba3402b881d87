import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKeyFile, parseKeyFile } from '../../../src/core/keys/key-file.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { isDraft } from '../../../src/store/drafts.ts';
import { type Outcome, run } from '../../support/run.ts';
import { type SignetServer, signetCommand } from '../../support/signet-server.ts';
import { temporaryFolder } from '../../support/temp.ts';

const PASSPHRASE = 'what all these keys are sealed with';
/** What docker's own configuration has that is none of Signet's business. */
const OTHERS = { HttpHeaders: { 'X-Mine': 'kept' } };

/** Somebody whose commands are ended before their time. */
export class SigningPerson {
  readonly home = temporaryFolder();
  /** Key files that were opened; opening one takes a while. */
  private readonly opened = new Set<string>();
  private readonly server: SignetServer;
  private readonly environment: Readonly<Record<string, string>>;

  constructor(server: SignetServer, environment: Readonly<Record<string, string>>) {
    this.server = server;
    this.environment = environment;
    const tls = join(this.folder, 'tls', server.host);
    mkdirSync(tls, { recursive: true, mode: 0o700 });
    writeFileSync(join(tls, 'ca.crt'), readFileSync(server.authority), { mode: 0o600 });
    writeFileSync(join(this.folder, 'config.json'), JSON.stringify(OTHERS), { mode: 0o600 });
    chmodSync(this.folder, 0o700);
  }

  /** Docker's configuration folder. */
  get folder(): string {
    return join(this.home, '.docker');
  }

  logIn(name: string, password: string): readonly [words: readonly string[], stdin: string] {
    return [['login', '--username', name, '--password-stdin', this.server.host], password];
  }

  /** Runs a command to its end. */
  finish(words: readonly string[], stdin = ''): Promise<Outcome> {
    return run(this.command(words), { env: this.env, cwd: this.home, stdin });
  }

  /** Runs a command and ends it by a signal after so many milliseconds, if it still runs. Returns what it had printed. */
  async breakOff(words: readonly string[], signal: 'SIGKILL' | 'SIGINT', after: number, stdin = ''): Promise<string> {
    const child = Bun.spawn([...this.command(words)], {
      env: this.env,
      cwd: this.home,
      stdin: new Blob([stdin]),
      stdout: 'pipe',
      stderr: 'ignore',
    });
    await Bun.sleep(after);
    child.kill(signal);
    const [stdout] = await Promise.all([child.stdout.text(), child.exited]);
    return stdout;
  }

  /** What is wrong with what the commands have left in the home: anything half written, or open to others. */
  faults(): string[] {
    const paths = this.paths();
    const open = paths.filter((path) => (statSync(path).mode & 0o077) !== 0);
    const files = paths.filter((path) => statSync(path).isFile());
    const broken = files.filter((path) => !isDraft(path) && !this.isWhole(path));
    return [...open.map((path) => `${path} is open to others`), ...broken.map((path) => `${path} is half written`)];
  }

  /** Files that were being written. */
  drafts(): string[] {
    return this.paths().filter(isDraft);
  }

  /** All that Signet makes in a home, and nothing that a run from the sources adds. */
  private paths(): string[] {
    const below = ['.docker', '.cache/signet'].map((name) => join(this.home, name)).filter(existsSync);
    const inner = below.flatMap((folder) => list(folder, true));
    return [...inner, ...list(this.home, false).filter((path) => statSync(path).isFile())];
  }

  private isWhole(path: string): boolean {
    const bytes = readFileSync(path);
    try {
      // The lock of who was killed while founding; its process is dead, so it counts for nothing.
      if (path.endsWith('founding.lock')) return true;
      if (path.endsWith('config.json')) return JSON.parse(bytes.toString()).HttpHeaders['X-Mine'] === 'kept';
      if (path.endsWith('.key')) return this.opens(bytes);
      if (path.endsWith('.pub')) return this.hasPrivateKey(path);
      if (path.includes('/tuf/')) return parseEnvelope('targets', bytes).signatures.length > 0;
      return path.endsWith('.json') ? JSON.parse(bytes.toString()) !== undefined : bytes.length > 0;
    } catch {
      return false;
    }
  }

  private opens(bytes: Buffer): boolean {
    const text = bytes.toString();
    if (this.opened.has(text)) return true;
    for (const key of parseKeyFile(bytes)) openKeyFile(key, Buffer.from(PASSPHRASE)).wipe();
    this.opened.add(text);
    return true;
  }

  /** A public key is written when its private key is safe. */
  private hasPrivateKey(path: string): boolean {
    const [, role] = /^role: (.*)$/m.exec(readFileSync(path, 'utf8')) ?? [];
    const folder = join(this.folder, 'trust/private');
    const keys = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.key')) : [];
    return keys.some((name) => readFileSync(join(folder, name), 'utf8').includes(`role: ${role}\n`));
  }

  private get env(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.home,
      DOCKER_CONTENT_TRUST: '1',
      DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: PASSPHRASE,
      DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: PASSPHRASE,
      ...this.environment,
    };
  }

  /** Under a mask that shuts nobody out, so that the modes are Signet's own doing. */
  private command(words: readonly string[]): readonly string[] {
    return ['sh', '-c', 'umask 0; exec "$@"', 'sh', ...signetCommand(), ...words];
  }
}

function list(folder: string, recursive: boolean): string[] {
  return (readdirSync(folder, { recursive }) as string[]).map((name) => join(folder, name));
}
