import { ControlSequence, type Piece, visibleInLine } from '../../core/printable.ts';
import type { EngineMessage, LayerProgress } from './messages.ts';

/** Where progress is shown: a terminal, or anything else. Text is escaped there. */
export interface ProgressOutput {
  write(...pieces: readonly Piece[]): unknown;
  readonly isTTY?: boolean;
  /** The terminal's width in characters. */
  readonly columns?: number;
}

const BAR = 50;
/** Narrower terminals get numbers without a bar. */
const WIDTH_FOR_BAR = 110;
const WIDTH_FOR_TIME = 50;
const UNKNOWN_WIDTH = 200;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const ERASE_LINE = new ControlSequence('\u001b[2K\r');
const LINE_START = new ControlSequence('\r');
const MAX_LINES = 10_000;

/**
 * Shows the messages of a pull or push as docker does: on a terminal, one line per layer, rewritten in place;
 * elsewhere, one line per step of a layer, without progress ticks.
 */
export class ProgressDisplay {
  private readonly out: ProgressOutput;
  /** The line of each layer, counted from the first line of the block. */
  private readonly lines = new Map<string, number>();

  constructor(out: ProgressOutput) {
    this.out = out;
  }

  show(message: EngineMessage): void {
    const pieces = this.out.isTTY ? this.inPlace(message) : plain(message);
    if (pieces.length > 0) this.out.write(...pieces);
  }

  private inPlace(message: EngineMessage): readonly Piece[] {
    const { id, progress } = message;
    if (id === '' || progress === undefined) {
      this.lines.clear();
      return progress === undefined ? plain(message) : this.bar(message, progress);
    }
    const line = this.lines.get(id) ?? this.lines.size;
    const opening = this.lines.has(id) ? [] : ['\n'];
    if (this.lines.size < MAX_LINES) this.lines.set(id, line);
    const distance = this.lines.size - line;
    return [...opening, ...cursor(distance, 'A'), ...this.bar(message, progress), ...cursor(distance, 'B')];
  }

  private bar(message: EngineMessage, progress: LayerProgress): readonly Piece[] {
    const bar = formatProgress(progress, this.out.columns || UNKNOWN_WIDTH, Date.now());
    return [ERASE_LINE, visibleInLine(`${head(message)} ${bar}`), LINE_START];
  }
}

/** One line; none for a progress tick. */
function plain(message: EngineMessage): readonly string[] {
  const isTick = message.progress !== undefined && formatProgress(message.progress, UNKNOWN_WIDTH, 0) !== '';
  return isTick ? [] : [`${head(message)}\n`];
}

function head({ id, status }: EngineMessage): string {
  return id === '' ? status : `${id}: ${status}`;
}

/** A layer's progress in docker's form: `[=====>     ]  12.3MB/45.6MB`; empty if nothing has been counted yet. */
export function formatProgress(progress: LayerProgress, columns: number, now: number): string {
  const { current, total, units } = progress;
  if (current <= 0 && total <= 0) return '';
  const amount = (count: number) => (units === '' ? formatSize(count) : `${count}`);
  const suffix = units === '' ? '' : ` ${units}`;
  if (total <= 0) return `${amount(current).padStart(units === '' ? 8 : 0)}${suffix}`;
  const done = Math.min(Math.trunc(Math.trunc((current / total) * 100) / 2), BAR);
  const bar = columns > WIDTH_FOR_BAR ? `[${'='.repeat(done)}>${' '.repeat(BAR - done)}] ` : '';
  const whole = current > total ? '' : `/${amount(total)}`;
  const numbers = `${amount(current).padStart(units === '' ? 8 : 0)}${whole}${suffix}`;
  return `${bar}${progress.hidesCounts ? '' : numbers}${timeLeft(progress, done, columns, now)}`;
}

function timeLeft({ current, total, start }: LayerProgress, done: number, columns: number, now: number): string {
  if (current <= 0 || start <= 0 || done >= BAR || columns <= WIDTH_FOR_TIME) return '';
  const each = (now / 1000 - start) / current;
  return ` ${formatDuration(Math.trunc((total - current) * each))}`;
}

/** Four significant digits and a decimal unit, as docker writes sizes: `1.234MB`. */
export function formatSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < UNITS.length - 1; unit++) size /= 1000;
  return `${Number(size.toPrecision(4))}${UNITS[unit]}`;
}

/** Whole seconds as Go writes durations: `1h2m3s`. */
function formatDuration(seconds: number): string {
  const [hours, minutes] = [Math.trunc(seconds / 3600), Math.trunc(seconds / 60) % 60];
  const rest = `${seconds % 60}s`;
  if (hours !== 0) return `${hours}h${minutes}m${rest}`;
  return minutes === 0 ? rest : `${minutes}m${rest}`;
}

function cursor(lines: number, direction: 'A' | 'B'): readonly ControlSequence[] {
  return lines > 0 ? [new ControlSequence(`\u001b[${lines}${direction}`)] : [];
}
