import { isatty } from 'node:tty';
import { printErr, printOut, writeOut } from './output.ts';

/** Where a command prints and asks: what it needs of the person, or the script, that called it. */
export interface Terminal {
  /** Whether a person at a terminal can be asked. */
  readonly isInteractive: boolean;
  print(text: string): void;
  printError(text: string): void;
  /** Puts bytes on standard output as they are. */
  write(bytes: Uint8Array): void;
  /** Standard input, piece by piece. */
  input(): AsyncIterable<Uint8Array>;
  askLine(prompt: string): Promise<string>;
  /** Asks for a secret, which the caller wipes. */
  askHidden(prompt: string): Promise<Buffer>;
  /** All of standard input as a secret, without the line's end; the caller wipes it. */
  readSecret(): Promise<Buffer>;
  /**
   * Asks a question of yes or no; `flag` answers it on the command line, `--yes` if none is named. Throws
   * `confirmation-missing` if the input ends without an answer.
   */
  confirm(question: string, flag?: string): Promise<boolean>;
}

const STDIN = 0;

/** The standard streams of this process. What asks is loaded when someone is asked. */
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
