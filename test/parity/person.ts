import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type Outcome, run, runInTerminal } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

/** The passphrase of every key in these homes, and the one that docker finds in the environment. */
export const PASSPHRASE = 'every key of this home has it';

/** What is typed, and what the command finds around it. */
export interface Typed {
  readonly person: Person;
  /** What follows the word docker. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** What the person types when asked; with any, the command runs in a terminal. */
  readonly answers?: readonly Answer[];
}

/** Somebody at a machine of their own: a home folder with docker's configuration in it. */
export class Person {
  readonly home = temporaryFolder();
  private readonly env: Readonly<Record<string, string>>;

  /** `login` is what `docker login HOST` would have stored. */
  constructor(
    env: Readonly<Record<string, string>>,
    login?: { readonly host: string; readonly user: string; readonly password: string },
  ) {
    this.env = { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TZ: 'UTC', ...env, HOME: this.home };
    mkdirSync(this.docker, { recursive: true });
    if (login === undefined) return;
    const auths = { [login.host]: { auth: btoa(`${login.user}:${login.password}`) } };
    this.write('.docker/config.json', JSON.stringify({ auths }));
  }

  /** Docker's configuration folder. */
  get docker(): string {
    return join(this.home, '.docker');
  }

  /** Writes a file below the home, its owner's alone. */
  write(path: string, text: string | Uint8Array, mode = 0o600): void {
    const full = join(this.home, path);
    writeFileSync(full, text);
    chmodSync(full, mode);
  }

  /** Gets another person's private keys of these roles. */
  takeKeys(other: Person, ...roles: readonly string[]): void {
    const [from, to] = [other, this].map(({ docker }) => join(docker, 'trust/private'));
    mkdirSync(`${to}`, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(`${from}`)) {
      const role = /^role: (.*)$/m.exec(readFileSync(join(`${from}`, name), 'utf8'))?.[1] ?? '';
      if (roles.includes(role)) copyFileSync(join(`${from}`, name), join(`${to}`, name));
    }
  }

  /** Runs `docker`, which is one or more words, with what was typed. In a terminal, its errors are still kept apart. */
  async run(docker: readonly string[], { args, env = {}, stdin = '', answers = [] }: Typed): Promise<Outcome> {
    const options = { cwd: this.home, env: { ...this.env, ...env } };
    if (answers.length === 0) return run([...docker, ...args], { ...options, stdin });
    const errors = join(temporaryFolder(), 'stderr');
    const script = ['/bin/sh', '-c', 'exec "$@" 2>"$ERRORS"', 'sh'];
    const outcome = await runInTerminal([...script, ...docker, ...args], answers, {
      ...options,
      env: { ...options.env, ERRORS: errors },
    });
    return { ...outcome, stderr: readFileSync(errors, 'utf8') };
  }
}
