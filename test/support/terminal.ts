import { atEnd } from './cleanup.ts';
import { findProgram } from './clis.ts';
import { endChild } from './end.ts';

const DEFAULT_TIMEOUT_MS = 120_000;
/** The terminal echoes what is typed (termios, c_lflag). */
const ECHO = 0o10;
const PROMPT = /\[(\d+)\]\$ $/;

/** A question and its answer. */
export interface Question {
  readonly asked: RegExp;
  answer(match: RegExpExecArray): string;
  /** Typed only once the terminal no longer echoes. */
  readonly isSecret: boolean;
}

/** The result of a command in a terminal. */
export interface Answered {
  readonly exitCode: number;
  /** Both streams, with plain line feeds, without the typed line. */
  readonly output: string;
  /** What each question matched, in order. */
  readonly asked: readonly RegExpExecArray[];
}

export interface TerminalOptions {
  /** The command prefix of the shell, which determines where it runs. */
  readonly within?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** An interactive bash in a pseudo terminal, in which lines are typed one after the other. */
export class Terminal {
  private readonly child: Bun.Subprocess;
  private readonly terminal: Bun.Terminal;
  private readonly text = new TextDecoder();
  private output = '';
  private arrived: () => void = () => undefined;

  /** It ends after the tests of this process. */
  constructor({ within = [], env }: TerminalOptions) {
    const shell = [findProgram('bash'), '--norc', '--noprofile', '--noediting', '-i'];
    this.child = Bun.spawn([...within, ...shell], {
      env: { ...env, PS1: '[$?]$ ' },
      terminal: {
        cols: 200,
        rows: 50,
        data: (_, bytes) => {
          this.output += this.text.decode(bytes, { stream: true });
          this.arrived();
        },
      },
    });
    if (this.child.terminal === undefined) throw new Error('there is no pseudo terminal');
    this.terminal = this.child.terminal;
    atEnd(() => this.close());
  }

  /** Types a line and answers the questions until the shell waits for the next one. Throws on a timeout. */
  async run(line: string, questions: readonly Question[] = []): Promise<Answered> {
    await this.until(line, () => PROMPT.test(this.output));
    this.output = '';
    this.terminal.write(`${line}\r`);
    const asked: RegExpExecArray[] = [];
    let from = 0;
    for (;;) {
      const question = await this.until(line, () => {
        const unanswered = this.output.slice(from);
        for (const each of questions) {
          const match = each.asked.exec(unanswered);
          if (match !== null) return { ...each, match };
        }
        return PROMPT.test(this.output) ? 'ended' : undefined;
      });
      if (question === 'ended') break;
      from = this.output.length;
      asked.push(question.match);
      if (question.isSecret) await this.untilHidden(line);
      this.terminal.write(`${question.answer(question.match)}\r`);
    }
    const exitCode = Number(PROMPT.exec(this.output)?.[1]);
    const output = this.output.replaceAll('\r\n', '\n').replace(PROMPT, '');
    return { exitCode, asked, output: output.slice(output.indexOf('\n') + 1) };
  }

  /** Types a line whose command keeps running, and returns its output once that matches. */
  async start(line: string, ready: RegExp): Promise<string> {
    await this.until(line, () => PROMPT.test(this.output));
    this.output = '';
    this.terminal.write(`${line}\r`);
    await this.until(line, () => ready.test(this.output.replaceAll('\r\n', '\n')));
    const output = this.output.replaceAll('\r\n', '\n');
    return output.slice(output.indexOf('\n') + 1);
  }

  /** Presses Ctrl-C and waits for the shell. */
  async interrupt(): Promise<void> {
    this.terminal.write('\x03');
    await this.until('Ctrl-C', () => PROMPT.test(this.output));
  }

  async close(): Promise<void> {
    this.terminal.close();
    this.child.kill('SIGHUP');
    await endChild(this.child);
  }

  private async untilHidden(line: string): Promise<void> {
    const deadline = performance.now() + DEFAULT_TIMEOUT_MS;
    while ((this.terminal.localFlags & ECHO) !== 0) {
      if (performance.now() > deadline) throw new Error(`${line}: the secret would be shown:\n${this.output}`);
      await Bun.sleep(2);
    }
  }

  private async until<T>(line: string, condition: () => T | false | undefined): Promise<T> {
    const deadline = performance.now() + DEFAULT_TIMEOUT_MS;
    for (;;) {
      const value = condition();
      if (value !== undefined && value !== false) return value;
      const left = deadline - performance.now();
      if (left <= 0 || this.child.exitCode !== null) {
        throw new Error(`${line}: nothing more came (exit ${this.child.exitCode}) after:\n${this.output}`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.arrived = resolve;
      const timer = setTimeout(resolve, Math.min(left, 1000));
      await promise;
      clearTimeout(timer);
    }
  }
}
