import { isatty } from 'node:tty';
import { printErr, printOut, writeOut } from './output.ts';

/** How a command prints and asks: its interface to the user or script that called it. */
export interface Terminal {
  /** Whether there is a person at a terminal to ask. */
  readonly isInteractive: boolean;
  print(text: string): void;
  printError(text: string): void;
  /** Writes bytes unchanged to standard output. */
  write(bytes: Uint8Array): void;
  /** Standard input, in pieces. */
  input(): AsyncIterable<Uint8Array>;
  askLine(prompt: string): Promise<string>;
  /** Asks for a secret, which the caller wipes. */
  askHidden(prompt: string): Promise<Buffer>;
  /** Reads all of standard input as a secret, without the line end. The caller wipes it. */
  readSecret(): Promise<Buffer>;
  /**
   * Asks a yes-or-no question. `flag`, by default `--yes`, answers it on the command line. Throws
   * `confirmation-missing` if the input ends without an answer.
   */
  confirm(question: string, flag?: string): Promise<boolean>;
}

const STDIN = 0;

/** The standard streams of this process. The prompt code is loaded on first use. */
export class ProcessTerminal implements Terminal {
  get isInteractive(): boolean {
    return isatty(STDIN);
  }

  print(text: string): void {
    printOut(text);
  }

  printError(text: string): void {
    printErr(text);
  }

  write(bytes: Uint8Array): void {
    writeOut(bytes);
  }

  input(): AsyncIterable<Uint8Array> {
    return process.stdin;
  }

  async askLine(prompt: string): Promise<string> {
    return (await import('./prompt.ts')).askLine(prompt);
  }

  async askHidden(prompt: string): Promise<Buffer> {
    return (await import('./prompt.ts')).askHidden(prompt);
  }

  async readSecret(): Promise<Buffer> {
    return (await import('./secret-input.ts')).readSecret(process.stdin);
  }

  async confirm(question: string, flag = '--yes'): Promise<boolean> {
    return (await import('./answer.ts')).answerOf(() => this.askLine(`${question} [y/N] `), flag);
  }
}
