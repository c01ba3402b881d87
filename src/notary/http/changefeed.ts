import type { Gun } from '../../core/names/gun.ts';
import { Refusal } from '../publish/refusal.ts';
import type { ChangeQuery, ChangeRecord } from '../store/metadata-store.ts';

const DEFAULT_RECORDS = 100;
/** A page never holds more; the client asks on from the last ID it saw. */
const MAX_RECORDS = 1000;
const INTEGER = /^[+-]?[0-9]{1,20}$/;
const MAX_INT32 = 2 ** 31 - 1;

/** Reads `records` and `change_id` (protocol B.10). Throws a `Refusal`: `parameters-invalid`. */
export function parseChangeQuery(parameters: URLSearchParams, gun: Gun | undefined): ChangeQuery {
  const records = readRecords(parameters.get('records') ?? '') || DEFAULT_RECORDS;
  const id = readChangeId(parameters.get('change_id') ?? '');
  return {
    ...(gun === undefined ? {} : { gun }),
    direction: records < 0 || id < 0 ? 'before' : 'after',
    id: Math.max(0, id),
    limit: Math.min(Math.abs(records), MAX_RECORDS),
  };
}

/** The body that answers a query, as Go writes it. */
export function formatChanges(changes: readonly ChangeRecord[]): string {
  const records = changes.map(({ id, at, gun, version, sha256, category }) => ({
    ID: String(id),
    CreatedAt: new Date(at).toISOString(),
    GUN: gun,
    Version: version,
    SHA256: sha256,
    Category: category,
  }));
  return JSON.stringify({ count: records.length, records });
}

function readRecords(text: string): number {
  const why = INTEGER.test(text) ? 'value out of range' : 'invalid syntax';
  return (
    readInt32(text) ??
    refuse(`invalid records parameter: strconv.ParseInt: parsing ${JSON.stringify(text.slice(0, 80))}: ${why}`)
  );
}

function readChangeId(text: string): number {
  if (text === '') return 0;
  return readInt32(text) ?? refuse({});
}

function readInt32(text: string): number | undefined {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN;
  return value >= -MAX_INT32 - 1 && value <= MAX_INT32 ? value : undefined;
}

function refuse(detail: string | Record<string, never>): never {
  throw new Refusal('parameters-invalid', detail);
}
