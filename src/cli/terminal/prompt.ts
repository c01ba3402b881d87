import { read } from 'node:fs';
import { isatty, ReadStream } from 'node:tty';
import { SignetError } from '../../core/errors/index.ts';
import { printToPerson } from './streams.ts';

/** The longest line accepted, in bytes. */
const MAX_LINE = 16 * 1024;
const RETRY_MS = 10;
const STDIN = 0;

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const INTERRUPT = 0x03;
const END_OF_INPUT = 0x04;
const QUIT = 0x1c;
const ERASE: readonly number[] = [0x7f, 0x08];
const ERASE_LINE = 0x15;

/** Signals that end the process. If the terminal does not echo at that point, echo must be turned on again first. */
const ENDING = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const;

/** Where a question goes. */
type Print = (text: string) => void;

/**
 * Asks for one line and reads exactly one from standard input, so that the next question, or a program started
 * afterwards, gets the next line. Returns the line as typed, without its end. Throws `cancelled` on Ctrl-C,
 * `input-ended` if there is no line, or `too-large`.
 */
export async function askLine(prompt: string, print: Print = printToPerson): Promise<string> {
  const line = await unlessInterrupted(() => ask(prompt, readLine, print), print);
  try {
    return line.toString('utf8');
  } finally {
    line.fill(0);
  }
}

/**
 * `askLine` without echo on a terminal, for secrets. The caller wipes the Buffer; no other copy remains. Prints a line
 * feed after the answer, as docker does (protocol C.3).
 */
export async function askHidden(prompt: string): Promise<Buffer> {
  try {
    return isatty(STDIN) ? await withoutEcho(() => ask(prompt, readTypedLine)) : await ask(prompt, readLine);
  } finally {
    printToPerson('\n');
  }
}

/**
 * Asks a yes-or-no question. Only `y` and `Y` mean yes, the end of input means no (protocol D.9). Throws `cancelled`.
 */
export async function confirm(question: string, print: Print = printToPerson): Promise<boolean> {
  try {
    const answer = await askLine(`${question} [y/N] `, print);
    return answer.trim().toLowerCase() === 'y';
  } catch (error) {
    if (error instanceof SignetError && error.code === 'input-ended') return false;
    throw error;
  }
}

/** Prints the question only once input is set up, because the user may type as soon as it is visible. */
function ask(prompt: string, read: () => Promise<Buffer>, print: Print = printToPerson): Promise<Buffer> {
  print(prompt);
  return read();
}

/**
 * Reads up to the next line feed, byte by byte: the rest belongs to the next reader. On a terminal a carriage return
 * ends the line too: it is an Enter key pressed while echo was off.
 */
async function readLine(): Promise<Buffer> {
  const ends = isatty(STDIN) ? [LINE_FEED, RETURN] : [LINE_FEED];
  const line = new Line();
  for (;;) {
    const byte = await readByte();
    if (byte === undefined || ends.includes(byte)) return line.finish(byte === undefined);
    line.add(byte);
  }
}

/** Reads a line from a terminal in raw mode, where line editing is up to us. */
async function readTypedLine(): Promise<Buffer> {
  const line = new Line();
  for (;;) {
    const byte = await readByte();
    if (byte === INTERRUPT || byte === QUIT) throw line.cancelled();
    if (byte === RETURN || byte === LINE_FEED) return line.finish(false);
    if (byte === undefined || (byte === END_OF_INPUT && line.isEmpty)) return line.finish(true);
    if (ERASE.includes(byte)) line.erase();
    else if (byte === ERASE_LINE) line.clear();
    else if (byte !== END_OF_INPUT) line.add(byte);
  }
}

/** A line being read. Its bytes are wiped when it is returned or abandoned. */
class Line {
  private readonly bytes = Buffer.alloc(MAX_LINE);
  private length = 0;

  get isEmpty(): boolean {
    return this.length === 0;
  }

  add(byte: number): void {
    if (this.length === MAX_LINE) {
      this.clear();
      throw new SignetError('too-large', `the line is longer than ${MAX_LINE} bytes`);
    }
    this.bytes[this.length++] = byte;
  }

  /** Removes the last character: its first byte in UTF-8 and the continuation bytes. */
  erase(): void {
    let isInside = this.length > 0;
    while (isInside) {
      const byte = this.bytes[--this.length] ?? 0;
      this.bytes[this.length] = 0;
      isInside = this.length > 0 && (byte & 0xc0) === 0x80;
    }
  }

  clear(): void {
    this.bytes.fill(0);
    this.length = 0;
  }

  /** Returns the line without a final carriage return. Throws `input-ended` if the input ended before any byte. */
  finish(inputEnded: boolean): Buffer {
    if (inputEnded && this.isEmpty) throw inputEndedError();
    const end = this.bytes[this.length - 1] === RETURN ? this.length - 1 : this.length;
    const line = Buffer.from(this.bytes.subarray(0, end));
    this.clear();
    return line;
  }

  cancelled(): SignetError {
    this.clear();
    return cancelled();
  }
}

let terminal: ReadStream | undefined;

async function withoutEcho(action: () => Promise<Buffer>): Promise<Buffer> {
  terminal ??= new ReadStream(STDIN);
  const input = terminal;
  const handlers = ENDING.map((signal) => {
    const end = () => {
      input.setRawMode(false);
      printToPerson('\n');
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    };
    return [signal, end] as const;
  });
  for (const [signal, end] of handlers) process.on(signal, end);
  input.setRawMode(true);
  try {
    return await action();
  } finally {
    input.setRawMode(false);
    for (const [signal, end] of handlers) process.off(signal, end);
  }
}

/** A terminal that does its own line editing turns Ctrl-C into a signal. */
async function unlessInterrupted(action: () => Promise<Buffer>, print: Print): Promise<Buffer> {
  if (!isatty(STDIN)) return action();
  const { promise, reject } = Promise.withResolvers<never>();
  const interrupt = () => {
    print('\n');
    reject(cancelled());
  };
  process.once('SIGINT', interrupt);
  try {
    return await Promise.race([action(), promise]);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** At a terminal, the user ended the input with Ctrl-D. */
function inputEndedError(): SignetError {
  return new SignetError('input-ended', 'the input ended before there was an answer', {
    detail: { atTerminal: isatty(STDIN) },
  });
}

function cancelled(): SignetError {
  return new SignetError('cancelled', 'cancelled');
}

/** Reads one byte from standard input. Undefined at its end. */
async function readByte(): Promise<number | undefined> {
  const byte = Buffer.alloc(1);
  for (;;) {
    const code = await new Promise<string>((settle) => {
      read(STDIN, byte, 0, 1, null, (error, count) => settle(error?.code ?? (count === 0 ? 'EOF' : '')));
    });
    if (code === '') {
      const value = byte[0];
      byte[0] = 0;
      return value;
    }
    if (code !== 'EAGAIN') return undefined;
    await new Promise((settle) => setTimeout(settle, RETRY_MS));
  }
}
