import { expect, test } from 'bun:test';
import { Slots } from '../../../src/accounts/login/slots.ts';
import { failure } from '../world.ts';

function gatedTasks(slots: Slots) {
  const order: string[] = [];
  const finish = new Map<string, () => void>();
  const start = (name: string, isPreferred?: boolean) =>
    slots.run(async () => {
      order.push(name);
      await new Promise<void>((resolve) => finish.set(name, resolve));
      return name;
    }, isPreferred);
  return { order, start, end: (name: string) => finish.get(name)?.() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('runs few at once, the rest in their order, and refuses what is too much', async () => {
  const { order, start, end } = gatedTasks(new Slots(2, 2));
  const running = ['a', 'b', 'c', 'd'].map((name) => start(name));
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

  const later = ['f', 'g', 'h'].map((name) => start(name));
  await turn();
  expect(order).toEqual(['a', 'b', 'c', 'd', 'f', 'g']);
  for (const name of ['f', 'g']) end(name);
  await turn();
  end('h');
  expect(await Promise.all(later)).toEqual(['f', 'g', 'h']);
});

test('what is preferred comes first, and has places of its own to wait in', async () => {
  const { order, start, end } = gatedTasks(new Slots(1, 2));
  const running = [start('first'), start('stranger 1'), start('stranger 2')];
  await turn();
  expect((await failure(start('stranger 3'))).code).toBe('login-busy');
  running.push(start('friend 1', true), start('friend 2', true));
  expect((await failure(start('friend 3', true))).code).toBe('login-busy');
  for (const name of ['first', 'friend 1', 'friend 2', 'stranger 1', 'stranger 2']) {
    end(name);
    await turn();
  }
  expect(order).toEqual(['first', 'friend 1', 'friend 2', 'stranger 1', 'stranger 2']);
  await Promise.all(running);
});

test('a task that fails gives its slot back', async () => {
  const slots = new Slots(1, 0);
  for (let round = 0; round < 3; round++) {
    await expect(slots.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  }
  expect(await slots.run(async () => 'done')).toBe('done');
});
