import { createHash } from 'node:crypto';
import type { CopyMark, CopyPosition } from '../copy-mark.ts';
import type { CopiedTable } from './tables.ts';

export type CopiedValue = string | number | Buffer | null;
/** The values of a row in the order of the table's columns, the same in every kind of database. */
export type CopiedRow = readonly CopiedValue[];
/** One of the two databases of a copy. */
export interface CopySide {
  count(table: CopiedTable): Promise<number>;
  /** Returns at most `limit` rows after the position, in key order. */
  read(table: CopiedTable, after: CopyPosition | undefined, limit: number): Promise<readonly CopiedRow[]>;
  /** Adds rows and updates the mark, in one transaction. */
  write(table: CopiedTable, rows: readonly CopiedRow[], mark: CopyMark): Promise<void>;
  /** The number of notary-signer keys in the database. They are encrypted with its passphrases, and are not copied. */
  signerKeys(): Promise<number>;
  /** Undefined if no copy is in progress. */
  mark(): Promise<CopyMark | undefined>;
  begin(mark: CopyMark): Promise<void>;
  /** Marks the copy as complete, and lets generated numbers continue after the copied ones. */
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

/** Hashes and counts rows, which must be added in key order. */
export class TableHash {
  private readonly hash = createHash('sha256');
  private rows = 0;

  get count(): number {
    return this.rows;
  }

  /** Times in Notary's tables are compared in whole seconds, the precision of MySQL. */
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
