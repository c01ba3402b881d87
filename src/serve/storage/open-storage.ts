import type { DatabaseUrl } from '../../store/database-url.ts';
import type { SqlOptions } from '../../store/sql.ts';
import { openSqliteStorage } from './sqlite-storage.ts';
import type { Storage } from './storage.ts';

/** Opens everything that a server keeps in its database, of whichever kind. Throws as the opener of the kind does. */
export async function openStorage(url: DatabaseUrl, options?: SqlOptions): Promise<Storage> {
  if (url.kind === 'sqlite') return openSqliteStorage(url.path);
  const { openSqlStorage } = await import('./sql-storage.ts');
  return openSqlStorage(url, options);
}
