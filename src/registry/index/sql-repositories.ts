import type { Statements } from '../../store/sql-connection.ts';
import type { RepositoryName } from '../names.ts';

/** The key of a repository; undefined if it is not known. */
export async function repositoryId(statements: Statements, name: RepositoryName): Promise<number | undefined> {
  const sql = 'SELECT id FROM signet_registry_repositories WHERE name = $name';
  return (await statements.first<{ id: number }>(sql, { name }))?.id;
}

/**
 * Holds a repository until the transaction ends, and returns its key; undefined if it is not known. Whatever changes
 * what a repository has holds it first, and blobs after it: so what is read stays true, and no two wait for each other.
 */
export async function holdRepository(statements: Statements, name: RepositoryName): Promise<number | undefined> {
  const sql = 'SELECT id FROM signet_registry_repositories WHERE name = $name FOR UPDATE';
  return (await statements.first<{ id: number }>(sql, { name }))?.id;
}

/** `holdRepository`, in `addOrFind`: makes the repository known if it is not. */
export async function holdOrAddRepository(statements: Statements, name: RepositoryName): Promise<number> {
  const held = await holdRepository(statements, name);
  return held ?? statements.insert('INSERT INTO signet_registry_repositories (name) VALUES ($name)', { name });
}

/** Holds a repository of which the key is known; false if it has gone. */
export async function holdRepositoryId(statements: Statements, id: number): Promise<boolean> {
  const sql = 'SELECT id FROM signet_registry_repositories WHERE id = $id FOR UPDATE';
  return (await statements.first(sql, { id })) !== undefined;
}
