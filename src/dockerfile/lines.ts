import { invalid, leadingSpace, quotedForMessage, type Span, uncertain } from './text.ts';

export type EscapeCharacter = '\\' | '`';

/** The end of a here-document. */
export interface Terminator {
  readonly name: string;
  /** Whether it may be indented with tabs (`<<-`). */
  readonly chomps: boolean;
}

const BYTE_ORDER_MARK = '\ufeff';

/** A line of the file, without its line feed. */
interface PhysicalLine {
  readonly at: number;
  readonly text: string;
}

/** A range of a logical line that is contiguous in the file. */
interface Piece {
  /** Its start in the logical line. */
  readonly start: number;
  /** Its start in the file. */
  readonly at: number;
  readonly length: number;
}

/** An instruction's text with continuation lines joined, as docker reads it. */
export class LogicalLine {
  readonly text: string;
  /** `FILE:LINE` of its first line. */
  readonly place: string;
  private readonly pieces: readonly Piece[];

  constructor(place: string, parts: readonly PhysicalLine[]) {
    this.place = place;
    this.text = parts.map(({ text }) => text).join('');
    let start = 0;
    this.pieces = parts.map(({ at, text }) => {
      const piece = { start, at, length: text.length };
      start += text.length;
      return piece;
    });
  }

  /** The place of a part of the line in the file; undefined if a continuation splits it. */
  spanOf({ from, to }: Span): Span | undefined {
    const piece = this.pieces.find(({ start, length }) => from >= start && from < start + length);
    if (piece === undefined || to > piece.start + piece.length) return undefined;
    const offset = piece.at - piece.start;
    return { from: from + offset, to: to + offset };
  }
}

/** Splits a Dockerfile into instructions by the rules of docker's own parser. */
export class LineReader {
  private readonly file: string;
  private readonly source: string;
  private readonly escapeCharacter: EscapeCharacter;
  private position = 0;
  private number = 0;

  /** `file` is the Dockerfile's name in messages. */
  constructor(file: string, source: string, escapeCharacter: EscapeCharacter) {
    this.file = file;
    this.source = source;
    this.escapeCharacter = escapeCharacter;
    const lone = /\r(?!\n)/.exec(source)?.index;
    if (lone === undefined) return;
    const line = source.slice(0, lone).split('\n').length;
    throw uncertain(`${file}:${line}`, 'a carriage return stands inside a line', 'End lines by line feeds.');
  }

  /** The next line with an instruction; undefined at the end. Throws `dockerfile-uncertain`. */
  next(): LogicalLine | undefined {
    for (let first = this.take(); first !== undefined; first = this.take()) {
      const content = withoutIndent(first);
      if (isNothing(content)) continue;
      const place = this.place;
      return new LogicalLine(place, this.withContinuations(content));
    }
    return undefined;
  }

  /**
   * Skips the lines of a here-document. A builder without here-documents parses them as instructions, and refuses the
   * file because of the terminator, if that is a line of its own there. Throws `dockerfile-uncertain` if it is not,
   * `dockerfile-invalid` if there is no terminator.
   */
  skipHeredoc({ name, chomps }: Terminator): void {
    const place = this.place;
    let isJoined = false;
    for (let line = this.take(); line !== undefined; line = this.take()) {
      if ((chomps ? line.text.replace(/^\t+/, '') : line.text) === name) {
        if (!isJoined) return;
        const message = `the here-document's last line goes on into ${quotedForMessage(name)} for builders that know none`;
        throw uncertain(this.place, message, 'Let its last line end without an escape character.');
      }
      if (!isNothing(withoutIndent(line))) isJoined = this.endsInEscape(line.text);
    }
    throw invalid(place, 'unterminated heredoc');
  }

  private get place(): string {
    return `${this.file}:${this.number}`;
  }

  private withContinuations(first: PhysicalLine): PhysicalLine[] {
    const parts: PhysicalLine[] = [];
    let continued = this.push(parts, first);
    while (continued) {
      const line = this.take();
      if (line === undefined) break;
      // Comments and empty lines inside an instruction are skipped and do not end it.
      if (isNothing(withoutIndent(line))) continue;
      continued = this.push(parts, line);
    }
    return parts;
  }

  /** Adds a line without its continuation character; returns whether it had one. */
  private push(parts: PhysicalLine[], line: PhysicalLine): boolean {
    const end = lengthWithoutBlanks(line.text);
    const isContinued = this.endsInEscape(line.text);
    if (isContinued && end > 1 && line.text.charAt(end - 2) === this.escapeCharacter) {
      throw uncertain(this.place, 'docker versions disagree whether a line that ends in two escape characters goes on');
    }
    parts.push(isContinued ? { at: line.at, text: line.text.slice(0, end - 1) } : line);
    return isContinued;
  }

  private endsInEscape(text: string): boolean {
    return text.charAt(lengthWithoutBlanks(text) - 1) === this.escapeCharacter;
  }

  private take(): PhysicalLine | undefined {
    if (this.position >= this.source.length) return undefined;
    const isFirst = this.number === 0;
    const feed = this.source.indexOf('\n', this.position);
    const end = feed < 0 ? this.source.length : feed;
    const at = isFirst && this.source.startsWith(BYTE_ORDER_MARK) ? 1 : this.position;
    const text = this.source.slice(at, this.source.charAt(end - 1) === '\r' ? end - 1 : end);
    this.position = end + 1;
    this.number++;
    return { at, text };
  }
}

function lengthWithoutBlanks(text: string): number {
  let length = text.length;
  while (length > 0 && (text.charAt(length - 1) === ' ' || text.charAt(length - 1) === '\t')) length--;
  return length;
}

function withoutIndent({ at, text }: PhysicalLine): PhysicalLine {
  const indent = leadingSpace(text);
  return { at: at + indent, text: text.slice(indent) };
}

function isNothing({ text }: PhysicalLine): boolean {
  return text === '' || text.startsWith('#');
}
