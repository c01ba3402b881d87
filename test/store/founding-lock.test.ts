import { expect, test } from 'bun:test';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FoundingLock } from '../../src/store/founding-lock.ts';
import { temporaryFolder } from '../support/temp.ts';

/** A process that has ended for certain. */
async function dead(): Promise<number> {
  const child = Bun.spawn(['true']);
  await child.exited;
  return child.pid;
}

test('one holds it, the other waits until it is released and knows that it has', async () => {
  const base = join(temporaryFolder(), 'trust');
  const first = await new FoundingLock(base).hold();
  const second = new FoundingLock(base).hold();
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
  ['no one that can be told, ten minutes ago', async () => 'rubbish', true],
])('the lock of %s counts for nothing', async (_, holder, isOld) => {
  const base = temporaryFolder();
  const path = join(base, 'founding.lock');
  writeFileSync(path, await holder());
  if (isOld) utimesSync(path, new Date(0), new Date(0));
  const held = await new FoundingLock(base).hold();
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid} ${hostname()}\n`);
  held.release();
});
