import { expect, test } from 'bun:test';
import { KeyedMutex } from '../../../src/notary/publish/mutex.ts';

function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('runs the tasks of a key one after the other, in order', async () => {
  const mutex = new KeyedMutex();
  const events: string[] = [];
  const first = gate();
  const runs = ['a', 'b', 'c'].map((name) =>
    mutex.run('key', async () => {
      events.push(`${name} begins`);
      if (name === 'a') await first.opened;
      events.push(`${name} ends`);
      return name;
    }),
  );
  await Promise.resolve();
  first.open();
  expect(await Promise.all(runs)).toEqual(['a', 'b', 'c']);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('does not let one key wait for another', async () => {
  const mutex = new KeyedMutex();
  const first = gate();
  const slow = mutex.run('slow', () => first.opened);
  expect(await mutex.run('fast', async () => 'done')).toBe('done');
  first.open();
  await slow;
});

test('a task that fails fails alone', async () => {
  const mutex = new KeyedMutex();
  const failing = mutex.run('key', async () => {
    throw new Error('lost');
  });
  const next = mutex.run('key', async () => 'done');
  await expect(failing).rejects.toThrow('lost');
  expect(await next).toBe('done');
});

test('remembers no key whose tasks have ended', async () => {
  const mutex = new KeyedMutex();
  const runs = Array.from({ length: 50 }, (_, index) => mutex.run(`key ${index % 5}`, async () => index));
  expect(mutex.busy).toBe(5);
  await Promise.all(runs);
  expect(mutex.busy).toBe(0);
});
