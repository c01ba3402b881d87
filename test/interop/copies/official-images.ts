import { SQL } from 'bun';
import { fileInfoOf } from '../../../src/core/metadata/file-info.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { RELEASES, type RoleName } from '../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../src/core/time.ts';
import { execute } from '../../support/database-server.ts';
import { payloadOf } from '../../support/forgery.ts';
import { notaryServerSchema } from '../../support/notary-schema.ts';
import { type NotaryServer, startNotaryServer } from '../../support/notary-server.ts';
import { startPostgres } from '../../support/postgres.ts';
import { Simulator, target } from '../../support/simulator.ts';

export const ALPINE = 'docker.io/library/alpine';

/**
 * A repository as those of Docker Official Images are: signed years ago by owners who have stopped, so that `targets` and its
 * delegation have expired, while the server still renews what it signs itself. Tags 3.19 and 3.20, and `latest` in `targets`.
 */
export async function officialImage(gun = ALPINE, now = Date.now()): Promise<Simulator> {
  const simulator = await Simulator.start({ gun: parseGun(gun), now: now - 3 * YEAR - 30 * DAY });
  await simulator.rotateRoot();
  await simulator.edit((editor) => {
    editor.addDelegation(RELEASES, [simulator.owner.make()], ['']);
    editor.addTarget(RELEASES, '3.19', target(19));
    editor.addTarget(RELEASES, '3.20', target(20));
  });
  simulator.now = now - DAY;
  await simulator.refresh();
  return simulator;
}

/** A real notary-server on PostgreSQL that has all that was ever published in these simulations. */
export async function notaryServerOf(...simulators: readonly Simulator[]): Promise<NotaryServer> {
  const server = await startPostgres();
  const database = await server.makeDatabase('notaryserver');
  await execute(database, ...notaryServerSchema(server.dialect));
  const notary = await startNotaryServer({ database });
  const sql = new SQL(database);
  for (const simulator of simulators) await fill(sql, simulator);
  await sql.close();
  return notary;
}

/** Brings what is new in a simulation into the server's table, as a publish leaves it there. */
async function fill(sql: SQL, simulator: Simulator): Promise<void> {
  for (const [role, version, bytes] of rowsOf(simulator)) {
    const sha256 = fileInfoOf(bytes).hashes.get('sha256')?.toString('hex') ?? '';
    await sql`INSERT INTO tuf_files (created_at, updated_at, gun, role, version, data, sha256)
      VALUES (now(), now(), ${simulator.gun}, ${role}, ${version}, ${bytes}, ${sha256})`;
  }
}

function rowsOf(simulator: Simulator): readonly (readonly [RoleName, number, Buffer])[] {
  const versionOf = (bytes: Buffer) => Number(payloadOf(bytes).get('version'));
  const newest = [...simulator.state].map(([role, bytes]) => [role, versionOf(bytes), bytes] as const);
  const last = newest.find(([role]) => role === 'root')?.[1] ?? 1;
  const older = Array.from({ length: last - 1 }, (_, at) => {
    return ['root', at + 1, simulator.byName(`${at + 1}.root`) ?? Buffer.of()] as const;
  });
  return [...older, ...newest];
}
