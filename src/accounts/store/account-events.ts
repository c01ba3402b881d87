import type { Database } from 'bun:sqlite';
import type { Instant } from '../../core/time.ts';
import { note } from '../../store/sqlite.ts';

/** Who changes accounts, and from where. */
export interface Actor {
  /** A user of the system, such as `root (uid 0)`, or the server itself. */
  readonly name: string;
  /** An IP address, or `local`. */
  readonly address: string;
}

export type AccountAction =
  | 'user added'
  | 'user changed'
  | 'user removed'
  | 'grant given'
  | 'grant taken'
  | 'trust imported';

/** One change of a user or of the user's grants. */
interface AccountEvent {
  readonly at: Instant;
  readonly actor: Actor;
  readonly action: AccountAction;
  /** The user who was changed, or who did it where no user was. */
  readonly user: string;
  /** What was changed, in words; never a secret. */
  readonly detail: string;
}

/** The server's own changes. */
export const SERVER_ACTOR: Actor = { name: 'signet serve', address: 'local' };
/** Events that are kept; the oldest give way. */
export const MAX_EVENTS = 10_000;

/**
 * The record of changes. It stands in the database, and is written in the transaction of the change, since `signet user`
 * changes accounts beside the server; the server puts into its log what is new.
 */
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

/** The newest events, at most `count`, the oldest of them first. */
export function latestEvents(database: Database, count: number): readonly AccountEvent[] {
  return database
    .query<EventRow, [number]>(`SELECT ${COLUMNS} FROM account_events ORDER BY id DESC LIMIT ?`)
    .all(count)
    .reverse()
    .map(eventOf);
}

/** Every event that was not taken before, in order. */
export function takeNewEvents(database: Database): readonly AccountEvent[] {
  const rows = database.query<EventRow, []>(`SELECT ${COLUMNS} FROM account_events WHERE logged = 0 ORDER BY id`).all();
  const last = rows.at(-1);
  if (last === undefined) return [];
  const mark = database.query('UPDATE account_events SET logged = 1 WHERE logged = 0 AND id <= ?');
  // While another process writes, they wait for the next time: none is logged twice.
  return note(database, () => mark.run(last.id)) === undefined ? [] : rows.map(eventOf);
}

function eventOf({ at, actor, address, action, user, detail }: EventRow): AccountEvent {
  return { at, actor: { name: actor, address }, action: action as AccountAction, user, detail };
}
