import { expect, test } from 'bun:test';
import { Slots } from '../../src/accounts/slots.ts';
import { failure } from './world.ts';

function gatedTasks(slots: Slots) {
  const order: string[] = [];
  const finish = new Map<string, () => void>();
  const start = (name: string) =>
    slots.run(async () => {
      order.push(name);
      await new Promise<void>((resolve) => finish.set(name, resolve));
      return name;
    });
  return { order, start, end: (name: string) => finish.get(name)?.() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('runs few at once, the rest in their order, and refuses what is too much', async () => {
  const { order, start, end } = gatedTasks(new Slots(2, 2));
  const running = ['a', 'b', 'c', 'd'].map(start);
  await turn();
  expect(order).toEqual(['a', 'b']);
  const refused = await failure(start('e'));
  expect([refused.code, refused.httpStatus, refused.detail.retryAfter]).toEqual(['login-busy', 503, 1]);
  end('b');
  await turn();
  expect(order).toEqual(['a', 'b', 'c']);
  for (const name of ['a', 'c']) end(name);
  await turn();
  end('d');
  expect(await Promise.all(running)).toEqual(['a', 'b', 'c', 'd']);

  const later = ['f', 'g', 'h'].map(start);
  await turn();
  expect(order).toEqual(['a', 'b', 'c', 'd', 'f', 'g']);
  for (const name of ['f', 'g']) end(name);
  await turn();
  end('h');
  expect(await Promise.all(later)).toEqual(['f', 'g', 'h']);
});

test('a task that fails gives its slot back', async () => {
  const slots = new Slots(1, 0);
  for (let round = 0; round < 3; round++) {
    await expect(slots.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  }
  expect(await slots.run(async () => 'done')).toBe('done');
});
