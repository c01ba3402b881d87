import { expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DAY } from '../../src/core/time.ts';
import { FolderBlobStore } from '../../src/registry/blobs/folder-blob-store.ts';
import { REGISTRY_MIGRATIONS } from '../../src/registry/index/schema.ts';
import { sqliteRegistryIndex } from '../../src/registry/index/sqlite-index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { openDatabase } from '../../src/store/sqlite.ts';
import { random } from '../support/random.ts';
import { freePort, signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';
import { CrashWorld } from './crash/crash-world.ts';
import { faultsIn, uploadFiles, wrongBlobs } from './crash/data.ts';

const KILLS = 45;
const FIRST_STARTS = 20;

for (const seed of [1, 2, 3, 4]) {
  test(`a server that is killed ${KILLS} times keeps what it has acknowledged (seed ${seed})`, async () => {
    const world = await CrashWorld.start(seed);
    for (let kill = 0; kill < KILLS; kill++) await world.crash();
    await world.checkAll();
    console.log(describeFigures(world));
    const data = await world.stop();
    expect(wrongBlobs(data)).toEqual([]);
    expect(await staleUploads(data)).toEqual([]);
  }, 170_000);
}

test(`a server that is killed ${FIRST_STARTS} times while it starts for the first time starts the next time`, async () => {
  const next = random(5);
  const life = await startUpTime();
  for (let kill = 0; kill < FIRST_STARTS; kill++) {
    const data = join(temporaryFolder(), 'data');
    await killedAtStart(data, next() * life);
    const server = await startSignet({ data });
    expect(faultsIn(data)).toEqual([]);
    await server.kill();
    rmSync(data, { recursive: true });
  }
}, 120_000);

/** The files of uploads that are left a week later. */
async function staleUploads(data: string): Promise<string[]> {
  const database = openDatabase(join(data, 'signet.db'), REGISTRY_MIGRATIONS);
  try {
    const blobs = await FolderBlobStore.open(join(data, 'registry'));
    const clock = () => Date.now() + 8 * DAY;
    await createRegistry({ index: sqliteRegistryIndex(database), blobs, clock }).removeStaleUploads();
    return uploadFiles(data);
  } finally {
    database.close();
  }
}

async function startUpTime(): Promise<number> {
  const server = await startSignet();
  await server.stop();
  const started = performance.now();
  await server.start();
  const life = performance.now() - started;
  await server.kill();
  return life;
}

async function killedAtStart(data: string, milliseconds: number): Promise<void> {
  const command = [...signetCommand(), 'serve', '--data', data, '--listen', `127.0.0.1:${await freePort()}`];
  const child = Bun.spawn(command, { stdio: ['ignore', 'ignore', 'ignore'] });
  await Bun.sleep(milliseconds);
  child.kill('SIGKILL');
  await child.exited;
}

function describeFigures({ figures }: CrashWorld): string {
  const { starts, ...counts } = figures;
  const sorted = starts.toSorted((one, other) => one - other).map(Math.round);
  return JSON.stringify({ ...counts, start: { median: sorted[sorted.length >> 1], longest: sorted.at(-1) } });
}
