import type { DatabaseUrl } from '../../store/database-url.ts';
import type { SqlOptions } from '../../store/sql.ts';
import { openSqliteStorage } from './sqlite-storage.ts';
import type { Storage } from './storage.ts';

/** Opens the server's database, whatever its kind. Throws what the function for that kind throws. */
export async function openStorage(url: DatabaseUrl, options?: SqlOptions): Promise<Storage> {
  if (url.kind === 'sqlite') return openSqliteStorage(url.path);
  const { openSqlStorage } = await import('./sql-storage.ts');
  return openSqlStorage(url, options);
}
