import { describe, expect, test } from 'bun:test';
import { SignetError } from '../../../src/core/errors/index.ts';
import { DAY } from '../../../src/core/time.ts';
import { CopiedServer } from '../../../src/trust/copy/copied-server.ts';
import { Repository } from '../../../src/trust/publish/repository.ts';
import { copyOf, rotatedRepository } from '../../support/copies.ts';
import { failure } from '../../support/failure.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { NOW, sourceOf } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const INFO = { server: 'https://notary.example.com', read: NOW, until: NOW + 14 * DAY };

/** A repository as a reader has it whose server has only a copy, so many days after the copy was made. */
async function readerOf(mirrorInfo: (() => Promise<typeof INFO | undefined>) | undefined, days: number) {
  const simulator = await rotatedRepository();
  const server = Object.assign(Object.create(simulator), new CopiedServer(await copyOf(simulator)));
  const source = { ...sourceOf(server, NOW + days * DAY), cache: new MemoryCache(), mirrorInfo };
  return new Repository(source, new Visitor(simulator).keys);
}

describe('a copy whose timestamp has expired', () => {
  test('from a mirror: no one can renew it there, and the choices are told', async () => {
    const error = await failure((await readerOf(async () => INFO, 15)).read(), 'metadata-expired');
    expect(error.message).toStartWith('timestamp expired at ');
    expect(error.next).toContain('is a mirror of https://notary.example.com, read at 2026-11-23T12:00:00Z');
    for (const choice of ['signet trust export', 'adopt --from FILE\n', '--freeze FILE'])
      expect(error.next).toContain(choice);
  });

  test.each<[string, (() => Promise<undefined>) | undefined]>([
    ['from another server', async () => undefined],
    ['where no one can be asked', undefined],
    [
      'where asking fails',
      async () => {
        throw new SignetError('network-unreachable', 'no answer');
      },
    ],
  ])('%s is told as ever', async (_, mirrorInfo) => {
    const error = await failure((await readerOf(mirrorInfo, 15)).read(), 'metadata-expired');
    expect(error.next).not.toContain('mirror');
  });

  test('is read as long as it lasts', async () => {
    const { set } = await (await readerOf(async () => INFO, 13)).read();
    expect(set.root.root.version).toBe(3);
  });
});
