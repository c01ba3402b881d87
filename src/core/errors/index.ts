import { ACCOUNTS_ERRORS } from './accounts.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { CORE_ERRORS } from './core.ts';
import { ENGINE_ERRORS } from './engine.ts';
import { REGISTRY_ERRORS } from './registry.ts';
import { REMOTE_ERRORS } from './remote.ts';
import { SERVE_ERRORS } from './serve.ts';
import { SERVER_ERRORS } from './server.ts';
import { STORE_ERRORS } from './store.ts';
import { TRUST_ERRORS } from './trust.ts';

const CATALOGUE = {
  ...CORE_ERRORS,
  ...REMOTE_ERRORS,
  ...STORE_ERRORS,
  ...ENGINE_ERRORS,
  ...ACCOUNTS_ERRORS,
  ...SERVER_ERRORS,
  ...REGISTRY_ERRORS,
  ...SERVE_ERRORS,
  ...TRUST_ERRORS,
} as const;

/**
 * The codes of everything that can go wrong in Signet: a closed set.
 *
 * @example
 * ```ts
 * import type { ErrorCode } from 'signet';
 *
 * const notSigned: readonly ErrorCode[] = ['target-not-found', 'trust-data-missing'];
 * ```
 */
export type ErrorCode = keyof typeof CATALOGUE;

interface SignetErrorOptions {
  /** The cause of this error; kept for `--debug`, never printed otherwise. */
  readonly cause?: unknown;
  /** The step that fixes it, if it is more precise than the catalogue's. */
  readonly next?: string;
  /** Facts for machines, such as the two versions of a rollback. Never a secret. */
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** The exit code, if the command requires another one than the catalogue's, as `docker run` does. */
  readonly exitCode?: number;
  /** Whether the message is word for word docker's although the code is Signet's own. */
  readonly isDockers?: boolean;
}

/**
 * Every error that Signet raises on purpose. `message` is one line for a person, without code or next step.
 *
 * @example
 * ```ts
 * import { parseReference, SignetError } from 'signet';
 *
 * try {
 *   parseReference('Not A Name');
 * } catch (error) {
 *   if (!(error instanceof SignetError)) throw error;
 *   assert.equal(error.code, 'reference-invalid');
 * }
 * ```
 */
export class SignetError extends Error {
  override readonly name = 'SignetError';
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  private readonly preciseNext: string | undefined;
  private readonly preciseExit: number | undefined;
  private readonly isDockers: boolean;

  constructor(code: ErrorCode, message: string, options: SignetErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
    this.preciseNext = options.next;
    this.preciseExit = options.exitCode;
    this.isDockers = options.isDockers ?? false;
  }

  /** The exit code of a command that ends with this error. */
  get exitCode(): number {
    return this.preciseExit ?? this.entry.exit ?? 1;
  }

  /** The HTTP status with which a server answers. */
  get httpStatus(): number {
    return this.entry.http ?? 500;
  }

  /** What the user can do next, if there is something general to say. */
  get next(): string | undefined {
    return this.preciseNext ?? this.entry.next;
  }

  /** Whether docker has no such error, so that printing a next step cannot break scripts that parse docker's output. */
  get isOwn(): boolean {
    return this.entry.own === true && !this.isDockers;
  }

  /**
   * The same error in other words: code, next step, detail and exit code stay the same unless `changes` sets them. This
   * error becomes the cause of the new one.
   */
  reworded(message: string, changes: Omit<SignetErrorOptions, 'cause'> = {}): SignetError {
    return new SignetError(this.code, message, {
      cause: this,
      detail: this.detail,
      isDockers: this.isDockers,
      ...(this.preciseNext === undefined ? {} : { next: this.preciseNext }),
      ...(this.preciseExit === undefined ? {} : { exitCode: this.preciseExit }),
      ...changes,
    });
  }

  /**
   * The error of a larger whole that fails because of this one, such as `configuration-invalid` for a `name-invalid` inside:
   * next step and detail stay the same unless `changes` sets them, code and exit code are those of the whole. This error
   * becomes the cause of the new one.
   */
  within(code: ErrorCode, message: string, changes: Omit<SignetErrorOptions, 'cause'> = {}): SignetError {
    return new SignetError(code, message, {
      cause: this,
      detail: this.detail,
      ...(this.preciseNext === undefined ? {} : { next: this.preciseNext }),
      ...changes,
    });
  }

  private get entry(): CatalogueEntry {
    return CATALOGUE[this.code];
  }
}

/**
 * Whether `error` is a SignetError, and has one of `codes` if any are given.
 *
 * @example
 * ```ts
 * import { isSignetError, parseDigest } from 'signet';
 *
 * try {
 *   parseDigest('sha256:too-short');
 * } catch (error) {
 *   if (!isSignetError(error, 'digest-invalid')) throw error;
 *   assert.match(error.message, /sha256/);
 * }
 * ```
 */
export function isSignetError(error: unknown, ...codes: ErrorCode[]): error is SignetError {
  return error instanceof SignetError && (codes.length === 0 || codes.includes(error.code));
}
