import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { CreationLock } from '../../src/store/creation-lock.ts';
import { temporaryFolder } from '../support/temp.ts';

/** A process that has ended for certain. */
async function dead(): Promise<number> {
  const child = Bun.spawn(['true']);
  await child.exited;
  return child.pid;
}

test('one holds it, the other waits until it is released and knows that it has', async () => {
  const base = join(temporaryFolder(), 'trust');
  const first = await new CreationLock(base).hold();
  const second = new CreationLock(base).hold();
  const seen = await Promise.race([second.then(() => 'second'), Promise.resolve('first')]);
  expect([first.waited, seen, readFileSync(join(base, 'founding.lock'), 'utf8')]).toEqual([
    false,
    'first',
    `${process.pid} ${hostname()}\n`,
  ]);
  first.release();
  const held = await second;
  expect(held.waited).toBe(true);
  held.release();
  expect(existsSync(join(base, 'founding.lock'))).toBe(false);
});

test.each([
  ['a process that has died', async () => `${await dead()} ${hostname()}\n`, false],
  ['another machine, ten minutes ago', async () => '1 elsewhere\n', true],
  ['no one that can be told', async () => 'rubbish', false],
  ['a process that is cut short', async () => `${process.pid} ${hostname()}`, false],
  ['a full disk: nothing', async () => '', false],
  ['a full disk, by a clock that is wrong', async () => '', true],
])('the lock of %s counts for nothing', async (_, holder, isOld) => {
  const base = temporaryFolder();
  const path = join(base, 'founding.lock');
  writeFileSync(path, await holder());
  if (isOld) utimesSync(path, new Date(0), new Date(0));
  const told: string[] = [];
  const held = await new CreationLock(base).hold((message) => told.push(message));
  expect([readFileSync(path, 'utf8'), told]).toEqual([`${process.pid} ${hostname()}\n`, []]);
  held.release();
  expect(readdirSync(base)).toEqual([]);
});

test.each([
  ['this machine', hostname(), `process ${process.pid}`],
  ['another machine', 'else\u001b[31mwhere', `process ${process.pid} on else [31mwhere`],
])('whoever waits for a process of %s is told for which', async (_, host, name) => {
  const base = temporaryFolder();
  const path = join(base, 'founding.lock');
  writeFileSync(path, `${process.pid} ${host}\n`);
  const told: string[] = [];
  const { promise: isTold, resolve } = Promise.withResolvers<void>();
  const holding = new CreationLock(base).hold((message) => {
    told.push(message);
    resolve();
  });
  await isTold;
  rmSync(path);
  const held = await holding;
  held.release();
  expect(told).toEqual([`waiting for ${name}, which founds a repository with the keys here and holds ${path}`]);
});

test('a lock that cannot be written is not left behind', async () => {
  const base = temporaryFolder();
  const script = `
    const { CreationLock } = await import(${JSON.stringify(join(import.meta.dir, '../../src/store/creation-lock.ts'))});
    await new CreationLock(${JSON.stringify(base)}).hold().catch((error) => console.log(error.code, error.message));
  `;
  // No file may grow: writing fails as it does on a full disk.
  const child = Bun.spawn(['sh', '-c', 'trap "" XFSZ; ulimit -f 0; exec "$0" -e "$1"', process.execPath, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = await child.stdout.text();
  expect([output, readdirSync(base)]).toEqual([
    `file-unwritable cannot write ${join(base, 'founding.lock')}: EFBIG\n`,
    [],
  ]);
});
