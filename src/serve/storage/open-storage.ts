import type { DatabaseUrl } from '../../store/database-url.ts';
import type { SqlOptions } from '../../store/sql.ts';
import { openSqliteStorage } from './sqlite-storage.ts';
import type { BeforeChanges, Storage } from './storage.ts';

/** Opens the server's database, whatever its kind. Throws what the function for that kind and `beforeChanges` throw. */
export async function openStorage(
  url: DatabaseUrl,
  options?: SqlOptions,
  beforeChanges?: BeforeChanges,
): Promise<Storage> {
  if (url.kind === 'sqlite') {
    await beforeChanges?.(undefined);
    return openSqliteStorage(url.path);
  }
  const { openSqlStorage } = await import('./sql-storage.ts');
  return openSqlStorage(url, options, beforeChanges);
}
