import { type ErrorCode, isSignetError } from '../../src/core/errors/index.ts';
import { Dice } from './dice.ts';

/** What is fuzzed: one parser, or one decision, and what must hold for everything that it is given. */
export interface Subject {
  /** Samples that are accepted as they are. */
  readonly seeds: readonly Buffer[];
  readonly mutate: Mutator;
  /** With which errors an input may be refused. */
  readonly refusals: readonly ErrorCode[];
  /** Milliseconds that one input may take; 2 seconds where absent. */
  readonly limit?: number;
  /**
   * Uses the input. Returns where it was accepted, and everything that then must hold holds. Throws a SignetError of
   * `refusals`, or `Refused`, where it was refused; everything else thrown is a failure.
   */
  check(input: Buffer): void | Promise<void>;
}

/** The input was refused without an error. */
export class Refused extends Error {}

/** Makes a changed copy of an input; `others` are inputs to take parts from. */
export type Mutator = (input: Buffer, dice: Dice, others: readonly Buffer[]) => Buffer;

/** An input that breaks a subject, and how. */
export interface Failure {
  readonly input: Buffer;
  readonly error: Error;
}

/** No input grows beyond this, in bytes: what is larger is cut off, as bounds have tests of their own. */
export const MAX_INPUT = 128 * 1024;
const DEFAULT_LIMIT_MS = 2000;
const POOL = 64;
/** What must never reach a terminal: controls, line breaks, and marks that nobody sees. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const LONGEST_MESSAGE = 2000;

/** Gives a subject its seeds, then mutations of them and of what it has accepted. The same seed gives the same inputs. */
export class Fuzzer {
  rounds = 0;
  accepted = 0;
  private readonly subject: Subject;
  private readonly dice: Dice;
  private readonly before: (input: Buffer) => void;
  private readonly pool: Buffer[] = [];

  /** `before` is told each input before it is tried. */
  constructor(subject: Subject, seed: number, before: (input: Buffer) => void = () => {}) {
    this.subject = subject;
    this.dice = new Dice(seed);
    this.before = before;
  }

  /** Rounds that ended in a refusal. */
  get refused(): number {
    return this.rounds - this.accepted;
  }

  /** Tries one more input; returns what it breaks, if it does. */
  async round(): Promise<Failure | undefined> {
    const seed = this.subject.seeds[this.rounds];
    const input = seed ?? this.mutated();
    this.rounds++;
    this.before(input);
    try {
      const outcome = await attempt(this.subject, input);
      if (outcome === 'refused') {
        if (seed !== undefined) throw new Error('a sample that is valid was refused');
      } else {
        this.accepted++;
        this.keep(input);
      }
      return undefined;
    } catch (error) {
      return { input, error: error as Error };
    }
  }

  private mutated(): Buffer {
    const { seeds, mutate } = this.subject;
    const others = [...seeds, ...this.pool];
    let input = this.dice.pick(this.dice.chance(0.7) ? seeds : others);
    for (let changes = 1 + this.dice.below(3); changes > 0; changes--) {
      input = mutate(input, this.dice, others).subarray(0, MAX_INPUT);
    }
    return input;
  }

  private keep(input: Buffer): void {
    if (this.pool.length < POOL) this.pool.push(input);
    else this.pool[this.dice.below(POOL)] = input;
  }
}

/** Tries one input. Throws where the subject breaks on it. */
export async function attempt(subject: Subject, input: Buffer): Promise<'accepted' | 'refused'> {
  const limit = subject.limit ?? DEFAULT_LIMIT_MS;
  const first = await timed(subject, input);
  // A busy machine may be slow once; an input that is slow is slow again.
  if (first.milliseconds > limit && (await timed(subject, input)).milliseconds > limit) {
    throw new Error(`an input of ${input.length} bytes takes more than ${limit} ms`);
  }
  return first.outcome;
}

async function timed(subject: Subject, input: Buffer) {
  const started = performance.now();
  const outcome = await outcomeOf(subject, Buffer.from(input));
  return { outcome, milliseconds: performance.now() - started };
}

async function outcomeOf(subject: Subject, input: Buffer): Promise<'accepted' | 'refused'> {
  try {
    await subject.check(input);
    return 'accepted';
  } catch (error) {
    if (error instanceof Refused) return 'refused';
    if (!isSignetError(error)) throw error;
    if (!subject.refusals.includes(error.code)) {
      throw new Error(`refused with the code ${error.code}, which is none of its own`, { cause: error });
    }
    if (UNPRINTABLE.test(error.message) || !error.message.isWellFormed() || error.message.length > LONGEST_MESSAGE) {
      throw new Error(`refused with a message that cannot be shown: ${JSON.stringify(error.message)}`);
    }
    return 'refused';
  }
}

/**
 * A smaller input that still breaks the subject: parts are cut out, and bytes replaced by plain ones, for as long as that
 * works or until `milliseconds` are over.
 */
export async function shrink(
  subject: Subject,
  failure: Failure,
  milliseconds: number,
  before: (input: Buffer) => void = () => {},
): Promise<Failure> {
  const end = performance.now() + milliseconds;
  let smallest = failure;
  const replaces = async (input: Buffer): Promise<boolean> => {
    if (performance.now() > end) return false;
    before(input);
    const error = await failureOf(subject, input);
    if (error !== undefined) smallest = { input, error };
    return error !== undefined;
  };
  for (let size = smallest.input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < smallest.input.length; ) {
      const cut = Buffer.concat([smallest.input.subarray(0, at), smallest.input.subarray(at + size)]);
      if (!(await replaces(cut))) at += size;
    }
  }
  for (let at = 0; at < smallest.input.length; at++) {
    const plain = Buffer.from(smallest.input);
    plain[at] = 0x61;
    if (!plain.equals(smallest.input)) await replaces(plain);
  }
  return smallest;
}

async function failureOf(subject: Subject, input: Buffer): Promise<Error | undefined> {
  try {
    await attempt(subject, input);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
