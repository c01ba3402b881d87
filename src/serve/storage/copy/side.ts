import { createHash } from 'node:crypto';
import type { CopyMark, CopyPosition } from '../copy-mark.ts';
import type { CopiedTable } from './tables.ts';

export type CopiedValue = string | number | Buffer | null;
/** The values of a row in the order of the table's columns: the same in every kind of database. */
export type CopiedRow = readonly CopiedValue[];
/** One of the two databases of a copy. */
export interface CopySide {
  count(table: CopiedTable): Promise<number>;
  /** At most `limit` rows after the position, in the order of the key. */
  read(table: CopiedTable, after: CopyPosition | undefined, limit: number): Promise<readonly CopiedRow[]>;
  /** Adds rows and moves the mark, both or neither. */
  write(table: CopiedTable, rows: readonly CopiedRow[], mark: CopyMark): Promise<void>;
  /** Keys of a notary-signer that lie beside: they are sealed by its passphrases, and stay where they are. */
  signerKeys(): Promise<number>;
  /** Undefined if no copy is under way. */
  mark(): Promise<CopyMark | undefined>;
  begin(mark: CopyMark): Promise<void>;
  /** Says that the copy is whole: numbers that the database gives out go on after those that were copied. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** The position of a row. */
export function positionOf(table: CopiedTable, row: CopiedRow): CopyPosition {
  return table.key.map((column) => {
    const value = row[table.columns.indexOf(column)];
    if (typeof value === 'string' || typeof value === 'number') return value;
    throw new Error(`a row of ${table.names[0]} has no key`);
  });
}

/** Takes rows in, in the order of their key, and says what all of them come to. */
export class TableHash {
  private readonly hash = createHash('sha256');
  private rows = 0;

  get count(): number {
    return this.rows;
  }

  /** Times of Notary's tables count in whole seconds, as MySQL keeps them. */
  add(table: CopiedTable, row: CopiedRow): void {
    const values = row.map((value, index) => {
      if (table.columns[index]?.kind === 'time' && typeof value === 'number') return Math.floor(value / 1000);
      return Buffer.isBuffer(value) ? `bytes ${value.toString('base64')}` : value;
    });
    this.hash.update(`${JSON.stringify(values)}\n`);
    this.rows++;
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}
