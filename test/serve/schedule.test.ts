import { afterEach, beforeEach, expect, jest, test } from 'bun:test';
import { existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../../src/serve/data/data-folder.ts';
import { createLog } from '../../src/serve/observe/log.ts';
import { every, everyAcrossRestarts, type Job } from '../../src/serve/schedule.ts';
import type { JobTimes } from '../../src/serve/storage/job-times.ts';
import { JOB_MIGRATIONS, SqliteJobTimes } from '../../src/serve/storage/sqlite-job-times.ts';
import { IN_MEMORY, openDatabase } from '../../src/store/sqlite.ts';
import { temporaryFolder } from '../support/temp.ts';
import { request, startTestServer } from './fixture.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let now: number;
let runs: number;
let logged: string[];
let times: JobTimes;
beforeEach(() => {
  jest.useFakeTimers();
  [now, runs, logged] = [DAY * 1000, 0, []];
  times = new SqliteJobTimes(openDatabase(IN_MEMORY, JOB_MIGRATIONS));
});
afterEach(() => {
  jest.useRealTimers();
});

function job(run: Job['run'] = () => {}): Job {
  const log = createLog({ level: 'info', format: 'text', write: (line) => void logged.push(line), now: () => 0 });
  const counted = () => {
    runs++;
    return run();
  };
  return { name: 'a job', interval: DAY / 1000, log, run: counted };
}

/** Lets what waits for nothing but promises go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

async function pass(time: number): Promise<void> {
  await settle();
  now += time;
  jest.advanceTimersByTime(time);
  await settle();
}

function start(run?: Job['run']): () => void {
  return everyAcrossRestarts(job(run), times, () => now);
}

test('a job that was never done starts at once, and then in each interval', async () => {
  const stop = start();
  await pass(1);
  expect([runs, await times.last('a job')]).toEqual([1, now]);
  await pass(DAY - 1);
  expect(runs).toBe(1);
  await pass(1);
  expect(runs).toBe(2);
  stop();
  await pass(10 * DAY);
  expect(runs).toBe(2);
});

test('restarts do not put it off: what was due meanwhile starts at once, what is not waits for the rest', async () => {
  start()();
  await pass(DAY);
  expect(runs).toBe(0);
  const stop = start();
  await pass(1);
  stop();
  expect(runs).toBe(1);
  for (let restart = 0; restart < 46; restart++) {
    const again = start();
    await pass(HOUR / 2);
    again();
  }
  expect(runs).toBe(1);
  const last = start();
  await pass(HOUR);
  last();
  expect(runs).toBe(2);
  await pass(3 * DAY);
  start();
  await pass(1);
  expect(runs).toBe(3);
});

test('a clock that was set back makes it wait for one interval at most', async () => {
  await times.ended('a job', now + 100 * DAY);
  start();
  await pass(DAY - 1);
  expect(runs).toBe(0);
  await pass(1);
  expect(runs).toBe(1);
});

test('what another replica has done meanwhile is not done again', async () => {
  start();
  await pass(1);
  expect(runs).toBe(1);
  await pass(DAY / 2);
  await times.ended('a job', now);
  await pass(DAY / 2);
  expect(runs).toBe(1);
  await pass(DAY / 2);
  expect(runs).toBe(2);
});

test('a failure is logged, and the next run comes as planned', async () => {
  const fail = () => {
    throw new Error('no');
  };
  start(fail);
  await pass(1);
  await pass(DAY);
  expect(runs).toBe(2);
  expect(logged.filter((line) => line.includes('a job failed')).length).toBe(2);
  every(job(fail));
  await pass(DAY);
  await pass(DAY);
  expect(runs).toBe(2 + 2 + 2);
});

test('a server collects garbage when it is due, however often it is restarted', async () => {
  jest.useRealTimers();
  const data = join(temporaryFolder(), 'data');
  const day = 86_400;
  const collections = async (at: number, expected: number) => {
    const server = await startTestServer({ data, auth: false, gcInterval: day }, { now: () => at });
    const count = () => server.logged.filter((line) => line.includes('collected garbage')).length;
    while (count() < expected) await Bun.sleep(2);
    await server.stop();
    expect([at, count()]).toEqual([at, expected]);
  };
  const start = Date.now();
  await collections(start, 1);
  await collections(start + DAY / 2, 0);
  await collections(start + DAY - 1000, 0);
  await collections(start + DAY, 1);
  await collections(start + DAY + 1000, 0);
});

test('a server removes uploads that no one finished for as long as it is told', async () => {
  jest.useRealTimers();
  const settings = { data: join(temporaryFolder(), 'data'), auth: false, uploadExpiry: 600 };
  const first = await startTestServer(settings);
  const begin = async () =>
    (await request(first, '/v2/a/b/blobs/uploads/', { method: 'POST' })).headers.get('location') ?? '';
  const [old, young] = [await begin(), await begin()];
  await first.stop();
  const file = (upload: string) => join(dataFolder(settings.data).blobs, 'uploads', upload.slice(-36));
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);
  utimesSync(file(old), ago(601), ago(601));
  utimesSync(file(young), ago(300), ago(300));
  const second = await startTestServer(settings, { now: () => Date.now() + 1 });
  while (existsSync(file(old))) await Bun.sleep(2);
  expect([(await request(second, old)).status, (await request(second, young)).status]).toEqual([404, 204]);
  await second.stop();
});
