import { beforeEach, describe, expect, test } from 'bun:test';
import { DAY, YEAR } from '../../../src/core/time.ts';
import { failure } from '../../support/failure.ts';
import { put } from '../../support/forgery.ts';
import { GUN, NOW, Simulator } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

let simulator: Simulator;
let visitor: Visitor;
beforeEach(async () => {
  simulator = await Simulator.start();
  visitor = new Visitor(simulator);
  await visitor.update();
});

describe('a root that is kept from an earlier visit', () => {
  test.each([
    ['is cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 9), 'json-malformed'],
    ['is empty', () => Buffer.of(), 'json-malformed'],
    [
      'is changed',
      (bytes: Buffer) => Buffer.from(bytes.toString().replace('"version":1', '"version":2')),
      'root-untrusted',
    ],
  ] as const)('and %s is told by its file, with the way out', async (_, damage, code) => {
    const kept = (await visitor.cache.read(GUN, 'root')) ?? Buffer.of();
    await visitor.cache.write(GUN, 'root', damage(kept));
    const error = await failure(visitor.update(), code);
    expect(error.message).toStartWith(`the trusted root of ${GUN} is damaged, in ${GUN}/root.json: `);
    expect(error.next).toEndWith(`signet trust delete ${GUN}`);
    await visitor.repository().forget();
    await visitor.update();
  });

  test('whose certificate has expired says when, and who renews it', async () => {
    simulator.now += 10 * YEAR + DAY;
    // The root itself goes on: only its certificate has run out.
    simulator.forge('root', put(['expires'], new Date(simulator.now + YEAR).toISOString()));
    await visitor.cache.write(GUN, 'root', simulator.file('root'));
    await simulator.refresh();
    const error = await failure(visitor.update(), 'root-untrusted');
    expect(error.message).toMatch(
      /: unable to retrieve valid leaf certificates: the certificate of the root key [0-9a-f]{12} expired on 20\d\d-\d\d-\d\dT12:00:00Z$/,
    );
    expect(error.next).toBe(`Its owner renews it: signet trust renew ${GUN} root`);
  });

  test('whose certificate is not valid yet says from when', async () => {
    simulator.now = NOW - 30 * DAY;
    await visitor.repository().forget();
    const error = await failure(visitor.update(), 'root-untrusted');
    expect(error.message).toMatch(/the certificate of the root key [0-9a-f]{12} is not valid before 20\d\d-/);
    expect(error.next).toBe('Check the clock of this machine.');
  });
});
