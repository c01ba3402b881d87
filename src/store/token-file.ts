import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSignetError } from '../core/errors/index.ts';
import { parseJson } from '../core/json/parse.ts';
import type { Instant } from '../core/time.ts';
import { readSmallFile, writePrivateFile } from './files.ts';

interface StoredToken {
  readonly value: string;
  readonly expires: Instant;
}

const MAX_FILE = 1024 * 1024;
const MAX_TOKENS = 256;

/**
 * Stores access tokens, and the token services that issue them, between commands until they expire. The file is
 * readable by its owner only, and is ignored once docker's configuration differs from the one it was written under, so
 * a login or logout with any tool invalidates it. A file that cannot be read or written costs a round trip and is no
 * error.
 */
export class TokenFile {
  private readonly path: string;
  private readonly stamp: string;
  private tokens: Map<string, StoredToken> | undefined;
  private saving: Promise<void> | undefined;

  /** `folder` is docker's configuration folder, `path` the file of its tokens. */
  constructor(path: string, folder: string) {
    this.path = path;
    this.stamp = stampOf(join(folder, 'config.json'));
  }

  async get(key: string): Promise<StoredToken | undefined> {
    return this.load().get(key);
  }

  /** Waits until the file is written. The tokens can be used without waiting. */
  async put(key: string, token: StoredToken): Promise<void> {
    const tokens = this.load();
    // The most recent entry is dropped last.
    tokens.delete(key);
    tokens.set(key, token);
    await this.save();
  }

  async remove(key: string): Promise<void> {
    if (this.load().delete(key)) await this.save();
  }

  private load(): Map<string, StoredToken> {
    this.tokens ??= this.read();
    return this.tokens;
  }

  private read(): Map<string, StoredToken> {
    try {
      const [stamp, ...entries] = parsed(readSmallFile(this.path, MAX_FILE, false) ?? Buffer.from('[]'));
      return new Map(stamp === this.stamp ? entries.flatMap(readEntry) : []);
    } catch (error) {
      if (isSignetError(error)) return new Map();
      throw error;
    }
  }

  /**
   * Writes once for all changes made at the same time, after other pending work: the request with the token is sent
   * first.
   */
  private save(): Promise<void> {
    this.saving ??= new Promise((saved) =>
      setImmediate(() => {
        this.saving = undefined;
        this.write();
        saved();
      }),
    );
    return this.saving;
  }

  private write(): void {
    const entries = [...this.load()].slice(-MAX_TOKENS).map(([key, { value, expires }]) => [key, value, expires]);
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      writePrivateFile(this.path, Buffer.from(JSON.stringify([this.stamp, ...entries])));
    } catch {
      // Without the file, the next command requests its own token.
    }
  }
}

function parsed(bytes: Uint8Array): readonly unknown[] {
  const value = parseJson(bytes);
  return Array.isArray(value) ? value : [];
}

function readEntry(entry: unknown): [string, StoredToken][] {
  const [key, value, expires] = Array.isArray(entry) ? entry : [];
  const isToken = typeof key === 'string' && typeof value === 'string' && typeof expires === 'number';
  return isToken ? [[key, { value, expires }]] : [];
}

/** Changes whenever the file changes. */
function stampOf(path: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return 'none';
  }
}
