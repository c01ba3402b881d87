import { expect, test } from 'bun:test';
import { Shares } from '../../../src/serve/http/shares.ts';
import { failure } from '../../support/failure.ts';

const MiB = 2 ** 20;

test('one network has half of the requests, and never fewer than 16', async () => {
  const shares = new Shares({ requests: 100, bytes: 0 });
  const held = Array.from({ length: 50 }, () => shares.enter('192.0.2.1'));
  const error = await failure(() => shares.enter('192.0.2.1'), 'network-busy');
  expect([error.httpStatus, error.detail.retryAfter]).toEqual([429, 1]);
  shares.enter('192.0.2.2').leave();
  held[0]?.leave();
  shares.enter('192.0.2.1').leave();

  const few = new Shares({ requests: 2, bytes: 0 });
  for (let count = 0; count < 16; count++) few.enter('192.0.2.1');
  await failure(() => few.enter('192.0.2.1'), 'network-busy');
});

test('bodies of one network are bounded together, those of all networks at four times as much', async () => {
  const shares = new Shares({ requests: 100, bytes: 10 });
  const [first, second] = [shares.enter('a'), shares.enter('a')];
  first.keep(4);
  first.keep(2);
  second.keep(4);
  await failure(() => second.keep(1), 'network-busy');
  for (const network of ['b', 'c', 'd']) shares.enter(network).keep(10);
  const late = shares.enter('e');
  const error = await failure(() => late.keep(1), 'server-busy');
  expect(error.httpStatus).toBe(503);
  first.leave();
  late.keep(6);
  await failure(() => late.keep(1), 'server-busy');
  second.keep(0);
});

test('large answers count until they are sent, once each', async () => {
  const shares = new Shares({ requests: 100, bytes: 0 });
  const share = shares.enter('a');
  const sent = share.send(200 * MiB);
  share.leave();
  const other = shares.enter('a');
  await failure(() => other.send(100 * MiB), 'network-busy');
  sent();
  sent();
  other.send(256 * MiB);
  await failure(() => other.send(1), 'network-busy');
});
