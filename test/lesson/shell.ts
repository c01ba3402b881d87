import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../support/clis.ts';
import { type Answer, type Outcome, run, runInTerminal } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

/** One person at one machine: a home of their own, and a shell that remembers what `cd` and `export` did. */
export class Shell {
  readonly name: string;
  readonly home = temporaryFolder();
  /** The registry that names without one mean; undefined where they mean docker.io. */
  readonly defaultRegistry: string | undefined;
  private readonly state = join(temporaryFolder(), 'state');
  private readonly aliases: string;

  /** `docker` is what the word docker stands for: `alias docker='…'`. */
  constructor(name: string, docker: readonly string[], environment: Readonly<Record<string, string>>) {
    this.name = name;
    this.aliases = `shopt -s expand_aliases\nalias docker=${quote(docker.map(quote).join(' '))}`;
    const variables = { PATH: process.env.PATH ?? '', TERM: 'xterm', LANG: 'C.UTF-8', ...environment, HOME: this.home };
    this.defaultRegistry = environment.SIGNET_DEFAULT_REGISTRY;
    const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`);
    writeFileSync(this.state, [...exports, `cd ${quote(this.home)}`].join('\n'));
  }

  /** Runs what was typed; in a terminal where answers are given, be they none. */
  async run(line: string, answers?: readonly Answer[]): Promise<Outcome> {
    const script = [
      `. ${quote(this.state)}`,
      this.aliases,
      line,
      `status=$?; { export -p; printf 'cd %q\\n' "$PWD"; } > ${quote(this.state)}; exit $status`,
    ];
    const command = [findProgram('bash'), '-c', script.join('\n')];
    try {
      const ended = await (answers === undefined
        ? run(command, { env: {} })
        : runInTerminal(command, answers, { env: {} }));
      return { ...ended, command: line };
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new Error(
        message.replace(command.join(' '), () => line),
        { cause },
      );
    }
  }
}

/** The text as one word of a shell's line. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
