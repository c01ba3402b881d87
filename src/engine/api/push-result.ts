import { SignetError } from '../../core/errors/index.ts';
import type { JsonValue } from '../../core/json/parse.ts';
import { type Digest, isDigest } from '../../core/names/digest.ts';
import type { EngineMessage } from './messages.ts';

/** A manifest or index, as the engine says what it is. */
export interface Content {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

const STATUS = /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}): digest: (sha256:[0-9a-f]{64}) size: ([0-9]{1,15})$/;

/** What a push put under the tag. */
interface Pushed extends Content {
  /** The index of which the engine pushed this one manifest, as it has no more of it; undefined if all was pushed. */
  readonly insteadOf: Digest | undefined;
}

/**
 * Gathers from the stream of a push what the engine put under the tag. It is told in three forms, whichever the engine's
 * store knows: the record `{Tag, Digest, Size}`, the line `TAG: digest: … size: …`, and the note that of an index only
 * one manifest was pushed. Records of every other kind are passed over (protocol G-2).
 */
export class PushReport {
  private readonly tag: string;
  private readonly told = new Map<Digest, number>();
  private index: Digest | undefined;
  private misses = false;

  constructor(tag: string) {
    this.tag = tag;
  }

  /** Whether the engine says that it does not have all of the index. */
  get isIncomplete(): boolean {
    return this.misses;
  }

  add({ id, status, aux }: EngineMessage): void {
    this.misses ||= aux instanceof Map && aux.get('contentMissing') === true;
    this.index ??= aux === undefined ? undefined : replacedIndex(aux);
    const content = aux === undefined ? this.fromStatus(id, status) : (this.fromResult(aux) ?? fromSelection(aux));
    if (content !== undefined) this.told.set(content.digest, content.size);
  }

  /** What was pushed, undefined if the engine did not tell. Throws `push-result-ambiguous` if it told two things. */
  result(): Pushed | undefined {
    const [first, ...others] = this.told;
    if (others.length > 0) {
      throw new SignetError('push-result-ambiguous', `the engine names several digests for the tag ${this.tag}`, {
        detail: { digests: [...this.told.keys()] },
      });
    }
    return first && { digest: first[0], size: first[1], insteadOf: this.index };
  }

  private fromStatus(id: string, status: string): Content | undefined {
    const [, tag, digest = '', size] = STATUS.exec(status) ?? [];
    return id === '' && tag === this.tag && isDigest(digest) ? { digest, size: Number(size) } : undefined;
  }

  private fromResult(aux: JsonValue): Content | undefined {
    return aux instanceof Map && aux.get('Tag') === this.tag ? content(aux.get('Digest'), aux.get('Size')) : undefined;
  }
}

/** Reads an OCI descriptor; undefined for anything else. */
export function parseDescriptor(value: JsonValue | undefined): Content | undefined {
  return value instanceof Map ? content(value.get('digest'), value.get('size')) : undefined;
}

function fromSelection(aux: JsonValue): Content | undefined {
  if (!(aux instanceof Map) || aux.get('manifestPushedInsteadOfIndex') !== true) return undefined;
  return parseDescriptor(aux.get('selectedManifest'));
}

function replacedIndex(aux: JsonValue): Digest | undefined {
  if (!(aux instanceof Map) || aux.get('manifestPushedInsteadOfIndex') !== true) return undefined;
  return parseDescriptor(aux.get('originalIndex'))?.digest;
}

function content(digest: JsonValue | undefined, size: JsonValue | undefined): Content | undefined {
  const valid = typeof digest === 'string' && isDigest(digest) && Number.isSafeInteger(size) && Number(size) > 0;
  return valid ? { digest, size: Number(size) } : undefined;
}
