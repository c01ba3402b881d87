import { expect, test } from 'bun:test';
import { heldWhileSending } from '../../../src/cli/terminal/interrupts.ts';
import { SignetError } from '../../../src/core/errors/index.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { failure } from '../../support/failure.ts';

const GUN = parseGun('registry.example.com/app');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const HELD = `The change of ${GUN} is sent already: waiting for the answer of the server. Ctrl-C again ends that.`;
const IN_DOUBT = `The change of ${GUN} may be published. To see it: signet trust inspect ${GUN}`;
const listeners = () => SIGNALS.map((signal) => process.listenerCount(signal));

/** What is said and done if these signals come while a change is being sent. */
async function told(...signals: readonly NodeJS.Signals[]): Promise<readonly string[]> {
  const seen: string[] = [];
  const held = heldWhileSending(
    (line) => seen.push(line),
    (signal) => seen.push(`ended by ${signal}`),
  );
  await held(GUN, async () => {
    for (const signal of signals) process.emit(signal, signal);
  });
  return seen;
}

test('a change that is being sent is not left by the first Ctrl-C', async () => {
  expect(await told()).toEqual([]);
  expect(await told('SIGINT')).toEqual([HELD]);
});

test('and whoever ends the command all the same is told that it may be published', async () => {
  expect(await told('SIGINT', 'SIGINT')).toEqual([HELD, IN_DOUBT, 'ended by SIGINT']);
  expect(await told('SIGTERM')).toEqual([IN_DOUBT, 'ended by SIGTERM']);
  expect(await told('SIGHUP')).toEqual([IN_DOUBT, 'ended by SIGHUP']);
});

test('signals mean what they meant before once the answer is there, or fails', async () => {
  const before = listeners();
  await told();
  const refuse = async () => {
    throw new SignetError('publish-rejected', 'no');
  };
  await failure(heldWhileSending(() => undefined)(GUN, refuse), 'publish-rejected');
  expect(listeners()).toEqual(before);
});
