import { expect } from 'bun:test';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKeyFile, parseKeyFile } from '../../src/core/keys/key-file.ts';
import type { PrivateKey } from '../../src/core/keys/private-key.ts';
import { findProgram } from './clis.ts';
import { type Answer, type Outcome, run, runInTerminal } from './run.ts';
import { signetCommand } from './signet-server.ts';
import { temporaryFolder } from './temp.ts';

/** A trust server as seen by clients: Signet, a relay in front of it, or notary-server. */
export interface TrustService {
  /** `https://localhost:40123` */
  readonly origin: string;
  /** What precedes the slash in an image's name. */
  readonly host: string;
  /** The file of the authority's certificate. */
  readonly authority: string;
}

/** A user's name and password. */
export interface Login {
  readonly name: string;
  readonly password: string;
}

export interface PersonOptions {
  /** The login of notary and signet; anonymous if absent. */
  readonly login?: Login;
  /** The passphrase of the root key, and of every other key. */
  readonly passphrases?: { readonly root: string; readonly other: string };
}

/** The digest of the target that `Person.add` publishes. */
export const SHA256 = 'ab'.repeat(32);

const PASSPHRASES = { root: 'the root of what is signed here', other: 'and what is signed with' };

/** A user who runs notary and signet in the same home: one trust folder, one set of passphrases. */
export class Person {
  readonly home: string;
  /** The trust folder of both. */
  readonly trust: string;
  readonly service: TrustService;
  private readonly options: PersonOptions;

  constructor(service: TrustService, options: PersonOptions = {}, home = temporaryFolder()) {
    this.service = service;
    this.options = options;
    this.home = home;
    this.trust = join(home, '.docker/trust');
  }

  /** The same person, in the same home, at another server. */
  at(service: TrustService): Person {
    return new Person(service, this.options, this.home);
  }

  /** Runs notary with empty standard input. */
  notary(...words: readonly string[]): Promise<Outcome> {
    return this.run(this.notaryCommand(words));
  }

  /** Runs notary with this standard input: the answer to its yes-or-no question, or what it should verify. */
  notaryReading(stdin: string, ...words: readonly string[]): Promise<Outcome> {
    return this.run(this.notaryCommand(words), stdin);
  }

  /** Runs notary in a terminal, where it asks for passphrases because no variable contains them. */
  notaryInTerminal(words: readonly string[], answers: readonly Answer[]): Promise<Outcome> {
    const env = { PATH: process.env.PATH ?? '', HOME: this.home };
    return runInTerminal(this.notaryCommand(words), answers, { env, cwd: this.home });
  }

  /** Publishes a target of 5 bytes whose digest is 32 times `ab`; in a delegation if `words` say so. */
  add(gun: string, name: string, ...words: readonly string[]): Promise<Outcome> {
    return this.notary('addhash', gun, name, '5', '--sha256', SHA256, '-p', ...words);
  }

  /** Copies all private keys of another person. */
  takeKeysOf(owner: Person): this {
    mkdirSync(this.trust, { recursive: true });
    cpSync(join(owner.trust, 'private'), join(this.trust, 'private'), { recursive: true });
    return this;
  }

  /** The first private key of this role in the trust folder. */
  privateKey(role: string): PrivateKey {
    const folder = join(this.trust, 'private');
    const files = readdirSync(folder).flatMap((name) => parseKeyFile(readFileSync(join(folder, name))));
    const file = files.find((key) => key.role === role);
    if (file === undefined) throw new Error(`there is no key for ${role}`);
    const { root, other } = this.passphrases;
    return openKeyFile(file, Buffer.from(role === 'root' ? root : other));
  }

  signet(...words: readonly string[]): Promise<Outcome> {
    return this.run([...signetCommand(), ...words]);
  }

  /** Logs signet in; notary reads the login from its variable. */
  async loggedIn(): Promise<this> {
    const { name, password } = this.options.login ?? { name: '', password: '' };
    const words = ['login', '--username', name, '--password-stdin', this.service.host];
    const { exitCode, stderr } = await this.run([...signetCommand(), ...words], password);
    if (exitCode !== 0) throw new Error(`${name} cannot log in:\n${stderr}`);
    return this;
  }

  /** Runs any command as this person, in the home folder. */
  run(command: readonly string[], stdin?: string): Promise<Outcome> {
    const options = { env: this.environment(), cwd: this.home };
    return run(command, stdin === undefined ? options : { ...options, stdin });
  }

  private notaryCommand(words: readonly string[]): string[] {
    const { authority, origin } = this.service;
    return [findProgram('notary'), '--tlscacert', authority, '-d', this.trust, '-s', origin, ...words];
  }

  private get passphrases() {
    return this.options.passphrases ?? PASSPHRASES;
  }

  private environment(): Record<string, string> {
    const { root, other } = this.passphrases;
    const { login } = this.options;
    const auth = login && { NOTARY_AUTH: Buffer.from(`${login.name}:${login.password}`).toString('base64') };
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.home,
      NOTARY_ROOT_PASSPHRASE: root,
      NOTARY_TARGETS_PASSPHRASE: other,
      NOTARY_SNAPSHOT_PASSPHRASE: other,
      NOTARY_DELEGATION_PASSPHRASE: other,
      DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: root,
      DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: other,
      ...auth,
    };
  }
}

/** The output of a command that succeeds. */
export async function succeeds(outcome: Promise<Outcome>): Promise<string> {
  const { command, exitCode, stdout, stderr } = await outcome;
  expect({ command, exitCode, stderr: exitCode === 0 ? '' : stdout + stderr }).toEqual({
    command,
    exitCode: 0,
    stderr: '',
  });
  return stdout;
}

/** Notary's reason for a failure: the text after `* fatal: `. */
export async function fatal(outcome: Promise<Outcome>): Promise<string> {
  const { command, exitCode, stdout } = await outcome;
  expect({ command, exitCode }).toEqual({ command, exitCode: 1 });
  return /\n\* fatal: (.*)\n$/s.exec(`\n${stdout}`)?.[1] ?? `no reason, but ${stdout}`;
}
