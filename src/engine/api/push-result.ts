import { SignetError } from '../../core/errors/index.ts';
import type { JsonValue } from '../../core/json/parse.ts';
import { type Digest, isDigest } from '../../core/names/digest.ts';
import type { EngineMessage } from './messages.ts';

/** The engine's descriptor of a manifest or index. */
export interface Content {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

const STATUS = /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}): digest: (sha256:[0-9a-f]{64}) size: ([0-9]{1,15})$/;

/** What a push stored under the tag. */
interface Pushed extends Content {
  /** The index of which the engine pushed this one manifest, because it has no others; undefined if all was pushed. */
  readonly insteadOf: Digest | undefined;
}

/**
 * Collects from the stream of a push what the engine stored under the tag. Depending on its image store, an engine
 * reports it in one of three forms: the record `{Tag, Digest, Size}`, the line `TAG: digest: … size: …`, or a note that
 * only one manifest of an index was pushed. All other records are ignored (protocol G-2).
 */
export class PushReport {
  private readonly tag: string;
  private readonly told = new Map<Digest, number>();
  private index: Digest | undefined;
  private misses = false;

  constructor(tag: string) {
    this.tag = tag;
  }

  /** Whether the engine reports that it does not have the whole index. */
  get isIncomplete(): boolean {
    return this.misses;
  }

  add({ id, status, aux }: EngineMessage): void {
    this.misses ||= aux instanceof Map && aux.get('contentMissing') === true;
    this.index ??= aux === undefined ? undefined : replacedIndex(aux);
    const content = aux === undefined ? this.fromStatus(id, status) : (this.fromResult(aux) ?? fromSelection(aux));
    if (content !== undefined) this.told.set(content.digest, content.size);
  }

  /**
   * What was pushed; undefined if the engine did not report it. Throws `push-result-ambiguous` if it reported two
   * different things.
   */
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

/** Parses an OCI descriptor; undefined for anything else. */
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
