import type { Database } from 'bun:sqlite';
import type { Digest } from '../../core/names/digest.ts';
import { note, write } from '../../store/sqlite.ts';
import type { RepositoryName } from '../names.ts';

type Parameters = Record<string, string | number | Uint8Array | null>;

/** The statements that the registry's parts of the SQLite index have in common. Every statement is prepared once. */
export class Rows {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** Runs `work` as the only writer, as `write` does. */
  write<T>(work: () => T): Promise<T> {
    return write(this.database, work);
  }

  /** Runs one statement as `note` does; returns how many rows were changed, undefined if it could not be run. */
  note(sql: string, parameters: Parameters): number | undefined {
    return note(this.database, () => this.run(sql, parameters));
  }

  /** Runs one statement as the only writer; returns how many rows were changed. */
  change(sql: string, parameters: Parameters): Promise<number> {
    return this.write(() => this.run(sql, parameters));
  }

  first<Row>(sql: string, parameters: Parameters): Row | undefined {
    return this.database.query<Row, [Parameters]>(sql).get(parameters) ?? undefined;
  }

  /** The one row of a statement that always has one. */
  only<Row>(sql: string, parameters: Parameters): Row {
    const row = this.first<Row>(sql, parameters);
    if (row === undefined) throw new Error('the database returned no row');
    return row;
  }

  all<Row>(sql: string, parameters: Parameters): Row[] {
    return this.database.query<Row, [Parameters]>(sql).all(parameters);
  }

  /** One row after the other, for results that may be large. */
  each<Row>(sql: string, parameters: Parameters): Iterable<Row> {
    return this.database.query<Row, [Parameters]>(sql).iterate(parameters);
  }

  /** A statement of `write`. Returns how many rows were changed, those removed by a cascade not counted. */
  run(sql: string, parameters: Parameters): number {
    return this.database.query<unknown, [Parameters]>(sql).run(parameters).changes;
  }

  repositoryId(name: RepositoryName): number | undefined {
    return this.first<{ id: number }>('SELECT id FROM registry_repositories WHERE name = $name', { name })?.id;
  }

  /** The repository's key; the repository is made known where it is not. */
  makeRepository(name: RepositoryName): number {
    return (
      this.repositoryId(name) ??
      this.only<{ id: number }>('INSERT INTO registry_repositories (name) VALUES ($name) RETURNING id', { name }).id
    );
  }

  /** Those of `digests` for which the query `exists`, which names each of them `wanted.value`, finds nothing. */
  absent(digests: readonly Digest[], exists: string, parameters: Parameters = {}): readonly Digest[] {
    if (digests.length === 0) return [];
    const sql = `SELECT DISTINCT wanted.value AS digest FROM json_each($wanted) AS wanted WHERE NOT EXISTS (${exists})`;
    const rows = this.all<{ digest: Digest }>(sql, { ...parameters, wanted: JSON.stringify(digests) });
    return rows.map(({ digest }) => digest);
  }
}
