import type { Database } from 'bun:sqlite';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import { type Migrations, write } from '../../store/sqlite.ts';
import type { KeptProposal, Replacement, ReplacementResult, ServerProposalStore } from './proposal-store.ts';

/** One proposal for each GUN, with who put it there and when, in milliseconds since 1970. */
export const PROPOSAL_MIGRATIONS: Migrations = {
  part: 'trust-proposals',
  steps: [
    `CREATE TABLE proposals (
       gun TEXT PRIMARY KEY,
       put_at INTEGER NOT NULL,
       put_by TEXT,
       sha256 TEXT NOT NULL,
       data BLOB NOT NULL
     ) STRICT;`,
  ],
};

interface ProposalRow {
  readonly put_at: number;
  readonly sha256: string;
  readonly data: Uint8Array;
}

/** Proposals in SQLite, in a database opened with `PROPOSAL_MIGRATIONS`. Several processes may share it. */
export class SqliteProposalStore implements ServerProposalStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async read(gun: Gun): Promise<KeptProposal | undefined> {
    const row = this.database
      .query<ProposalRow, [string]>('SELECT put_at, sha256, data FROM proposals WHERE gun = ?')
      .get(gun);
    if (row === null) return undefined;
    return { bytes: Buffer.from(row.data), sha256: row.sha256, putAt: row.put_at };
  }

  async replace(replacement: Replacement): Promise<ReplacementResult> {
    return write(this.database, () => this.replaceNow(replacement));
  }

  async remove(gun: Gun): Promise<boolean> {
    return write(this.database, () => this.removeNow(gun));
  }

  private replaceNow({ gun, former, proposal, by, at }: Replacement): ReplacementResult {
    const sha256 = proposal && digestHex(digestOf(proposal));
    const present = this.checksum(gun);
    if (present === sha256) return 'unchanged';
    if (present !== former) return 'refused';
    if (proposal === undefined || sha256 === undefined) {
      this.removeNow(gun);
    } else {
      this.database
        .query('INSERT OR REPLACE INTO proposals (gun, put_at, put_by, sha256, data) VALUES (?, ?, ?, ?, ?)')
        .run(gun, at, by ?? null, sha256, proposal);
    }
    return 'replaced';
  }

  private checksum(gun: Gun): string | undefined {
    const row = this.database.query<{ sha256: string }, [string]>('SELECT sha256 FROM proposals WHERE gun = ?');
    return row.get(gun)?.sha256;
  }

  private removeNow(gun: Gun): boolean {
    return this.database.query('DELETE FROM proposals WHERE gun = ?').run(gun).changes > 0;
  }
}
