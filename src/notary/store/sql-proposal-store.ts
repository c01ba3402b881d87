import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import type { SqlMigrations } from '../../store/sql-migrations.ts';
import { addOrFind } from '../../store/sql-rows.ts';
import type { KeptProposal, Replacement, ReplacementResult, ServerProposalStore } from './proposal-store.ts';

/** One proposal per GUN, with its uploader and the time of the upload in milliseconds since 1970. */
export const SQL_PROPOSAL_MIGRATIONS: SqlMigrations = {
  part: 'trust-proposals',
  steps: [
    ({ createTable, integer, name, bytes }) =>
      createTable('signet_proposals', [
        `gun ${name(255)} NOT NULL PRIMARY KEY`,
        `put_at ${integer} NOT NULL`,
        `put_by ${name(64)}`,
        `sha256 ${name(64)} NOT NULL`,
        `data ${bytes} NOT NULL`,
      ]),
  ],
};

/** Proposals in a database server. Needs the migrations `SQL_PROPOSAL_MIGRATIONS`. */
export class SqlProposalStore implements ServerProposalStore {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  async read(gun: Gun): Promise<KeptProposal | undefined> {
    const row = await this.database.first<{ put_at: number; sha256: string; data: Buffer }>(
      'SELECT put_at, sha256, data FROM signet_proposals WHERE gun = $gun',
      { gun },
    );
    return row && { bytes: row.data, sha256: row.sha256, putAt: row.put_at };
  }

  replace(replacement: Replacement): Promise<ReplacementResult> {
    return addOrFind(this.database, (statements) => replaceIn(statements, replacement));
  }

  async remove(gun: Gun): Promise<boolean> {
    return (await this.database.run('DELETE FROM signet_proposals WHERE gun = $gun', { gun })) > 0;
  }
}

async function replaceIn(
  statements: Statements,
  { gun, former, proposal, by, at }: Replacement,
): Promise<ReplacementResult> {
  const sha256 = proposal && digestHex(digestOf(proposal));
  const row = await statements.first<{ sha256: string }>(
    'SELECT sha256 FROM signet_proposals WHERE gun = $gun FOR UPDATE',
    { gun },
  );
  const present = row?.sha256;
  if (present === sha256) return 'unchanged';
  if (present !== former) return 'refused';
  if (proposal === undefined || sha256 === undefined) {
    await statements.run('DELETE FROM signet_proposals WHERE gun = $gun', { gun });
  } else {
    // Only existing rows are locked. If another writer adds one meanwhile, this INSERT fails.
    await statements.run(
      row === undefined
        ? 'INSERT INTO signet_proposals (gun, put_at, put_by, sha256, data) VALUES ($gun, $at, $by, $sha256, $proposal)'
        : 'UPDATE signet_proposals SET put_at = $at, put_by = $by, sha256 = $sha256, data = $proposal WHERE gun = $gun',
      { gun, at, by: by ?? null, sha256, proposal },
    );
  }
  return 'replaced';
}
