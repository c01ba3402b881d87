import type { Statements } from '../../store/sql-connection.ts';
import type { RepositoryName } from '../names.ts';

/** Returns the key of a repository, undefined if it does not exist. */
export async function repositoryId(statements: Statements, name: RepositoryName): Promise<number | undefined> {
  const sql = 'SELECT id FROM signet_registry_repositories WHERE name = $name';
  return (await statements.first<{ id: number }>(sql, { name }))?.id;
}

/**
 * Locks a repository until the transaction ends, and returns its key, undefined if it does not exist. Every change to a
 * repository's content locks the repository first and blobs after it, so that what was read stays true and there are no
 * deadlocks.
 */
export async function holdRepository(statements: Statements, name: RepositoryName): Promise<number | undefined> {
  const sql = 'SELECT id FROM signet_registry_repositories WHERE name = $name FOR UPDATE';
  return (await statements.first<{ id: number }>(sql, { name }))?.id;
}

/** `holdRepository`, in `addOrFind`: adds the repository if it does not exist. */
export async function holdOrAddRepository(statements: Statements, name: RepositoryName): Promise<number> {
  const held = await holdRepository(statements, name);
  return held ?? statements.insert('INSERT INTO signet_registry_repositories (name) VALUES ($name)', { name });
}

/** Locks a repository with a known key. Returns false if it no longer exists. */
export async function holdRepositoryId(statements: Statements, id: number): Promise<boolean> {
  const sql = 'SELECT id FROM signet_registry_repositories WHERE id = $id FOR UPDATE';
  return (await statements.first(sql, { id })) !== undefined;
}
