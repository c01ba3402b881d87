import type { Database } from 'bun:sqlite';
import { note } from '../../store/sqlite.ts';
import { type AccountAction, type AccountEvent, type AccountEvents, MAX_EVENTS } from './account-events.ts';

/** Times are milliseconds since 1970; `logged` is 1 once the server has put the event into its log. */
export const ACCOUNT_EVENTS_SCHEMA = `
  CREATE TABLE account_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    user TEXT NOT NULL,
    detail TEXT NOT NULL,
    logged INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX account_events_waiting ON account_events (id) WHERE logged = 0;`;

interface EventRow {
  id: number;
  at: number;
  actor: string;
  address: string;
  action: string;
  user: string;
  detail: string;
}

const COLUMNS = 'id, at, actor, address, action, user, detail';

/** Adds an event within the transaction that is open. */
export function recordEvent(database: Database, { at, actor, action, user, detail }: AccountEvent): void {
  database
    .query(
      `INSERT INTO account_events (at, actor, address, action, user, detail)
         VALUES ($at, $name, $address, $action, $user, $detail)`,
    )
    .run({ at, ...actor, action, user, detail });
  database.query('DELETE FROM account_events WHERE id <= (SELECT max(id) FROM account_events) - ?').run(MAX_EVENTS);
}

/** The record in a database opened with `ACCOUNT_MIGRATIONS`. */
export class SqliteAccountEvents implements AccountEvents {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async latest(count: number): Promise<readonly AccountEvent[]> {
    return this.database
      .query<EventRow, [number]>(`SELECT ${COLUMNS} FROM account_events ORDER BY id DESC LIMIT ?`)
      .all(count)
      .reverse()
      .map(eventOf);
  }

  async record(event: AccountEvent): Promise<void> {
    note(this.database, () => recordEvent(this.database, event));
  }

  async takeNew(): Promise<readonly AccountEvent[]> {
    const waiting = `SELECT ${COLUMNS} FROM account_events WHERE logged = 0 ORDER BY id`;
    const rows = this.database.query<EventRow, []>(waiting).all();
    const last = rows.at(-1);
    if (last === undefined) return [];
    const mark = this.database.query('UPDATE account_events SET logged = 1 WHERE logged = 0 AND id <= ?');
    // While another process writes, they wait for the next time: none is logged twice.
    return note(this.database, () => mark.run(last.id)) === undefined ? [] : rows.map(eventOf);
  }
}

function eventOf({ at, actor, address, action, user, detail }: EventRow): AccountEvent {
  return { at, actor: { name: actor, address }, action: action as AccountAction, user, detail };
}
