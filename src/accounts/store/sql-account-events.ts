import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import type { ColumnTypes } from '../../store/sql-migrations.ts';
import { inBatches, orNothing } from '../../store/sql-rows.ts';
import { type AccountAction, type AccountEvent, type AccountEvents, MAX_EVENTS } from './account-events.ts';

interface EventRow {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly address: string;
  readonly action: string;
  readonly user_name: string;
  readonly detail: string;
}

const COLUMNS = 'id, at, actor, address, action, user_name, detail';
/** The most events taken at once. */
const MAX_TAKEN = 1000;

/** The table of account events, as in SQLite. */
export function accountEventsTable({ createTable, id, integer, name, text }: ColumnTypes): readonly string[] {
  return createTable(
    'signet_account_events',
    [
      `id ${id}`,
      `at ${integer} NOT NULL`,
      `actor ${text} NOT NULL`,
      `address ${text} NOT NULL`,
      `action ${name(64)} NOT NULL`,
      `user_name ${name(64)} NOT NULL`,
      `detail ${text} NOT NULL`,
      `logged ${integer} NOT NULL DEFAULT 0`,
    ],
    { signet_account_events_logged: 'logged, id' },
  );
}

/** Adds an event within a transaction. */
export async function recordSqlEvent(statements: Statements, { at, actor, ...event }: AccountEvent): Promise<void> {
  const id = await statements.insert(
    `INSERT INTO signet_account_events (at, actor, address, action, user_name, detail)
     VALUES ($at, $name, $address, $action, $user, $detail)`,
    { at, ...actor, ...event },
  );
  await statements.run('DELETE FROM signet_account_events WHERE id <= $id', { id: id - MAX_EVENTS });
}

/**
 * Account events in a database server. Needs the migrations `SQL_ACCOUNT_MIGRATIONS`. Only one replica takes each
 * event.
 */
export class SqlAccountEvents implements AccountEvents {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  async latest(count: number): Promise<readonly AccountEvent[]> {
    const rows = await this.database.all<EventRow>(
      `SELECT ${COLUMNS} FROM signet_account_events ORDER BY id DESC LIMIT $count`,
      { count },
    );
    return rows.toReversed().map(eventOf);
  }

  async record(event: AccountEvent): Promise<void> {
    await orNothing(this.database.transaction((statements) => recordSqlEvent(statements, event)));
  }

  async takeNew(): Promise<readonly AccountEvent[]> {
    const taken: AccountEvent[] = [];
    for (;;) {
      const rows = (await orNothing(this.take())) ?? [];
      taken.push(...rows.map(eventOf));
      if (rows.length < MAX_TAKEN) return taken;
    }
  }

  private async take(): Promise<readonly EventRow[]> {
    const waiting = `SELECT ${COLUMNS} FROM signet_account_events WHERE logged = 0 ORDER BY id LIMIT ${MAX_TAKEN}`;
    // Usually there are none, and then no locks are needed.
    if ((await this.database.first(waiting)) === undefined) return [];
    return this.database.transaction(async (statements) => {
      const rows = await statements.all<EventRow>(`${waiting} FOR UPDATE`);
      // Mark exact IDs: an event with a lower ID may be committed later than one with a higher.
      for (const ids of inBatches(rows.map(({ id }) => id))) {
        await statements.run('UPDATE signet_account_events SET logged = 1 WHERE id IN ($ids)', { ids });
      }
      return rows;
    });
  }
}

function eventOf({ at, actor, address, action, user_name, detail }: EventRow): AccountEvent {
  return { at, actor: { name: actor, address }, action: action as AccountAction, user: user_name, detail };
}
