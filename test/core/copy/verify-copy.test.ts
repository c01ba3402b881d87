import { beforeAll, describe, expect, test } from 'bun:test';
import type { CollectionCopy, CopiedRole } from '../../../src/core/copy/collection-copy.ts';
import { verifyCopy } from '../../../src/core/copy/verify-copy.ts';
import type { ErrorCode } from '../../../src/core/errors/index.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation, RELEASES } from '../../../src/core/names/role.ts';
import { DAY } from '../../../src/core/time.ts';
import { copyOf, rotatedRepository } from '../../support/copies.ts';
import { failure } from '../../support/failure.ts';
import { put } from '../../support/forgery.ts';
import { GUN, NOW, type Simulator } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';

let simulator: Simulator;
let copy: CollectionCopy;

beforeAll(async () => {
  simulator = await rotatedRepository();
  copy = await copyOf(simulator);
});

const without = (role: CopiedRole) => new Map([...copy.files].filter(([name]) => name !== role));
const with_ = (role: CopiedRole, bytes: Buffer) => new Map([...copy.files, [role, bytes] as const]);
const [first, second, third] = [0, 1, 2].map((at) => () => copy.roots[at] as CollectionCopy['roots'][number]);

describe('a copy', () => {
  test('verifies by itself, from its oldest root to its last delegation', () => {
    const { set, roots, unusable } = verifyCopy(copy);
    expect(roots.map(({ root }) => root.version)).toEqual([1, 2, 3]);
    expect([...set.targets.keys()]).toEqual(['targets', RELEASES]);
    expect(unusable.size).toBe(0);
  });

  test.each<[string, () => Partial<CollectionCopy>, ErrorCode]>([
    ['a root between two', () => ({ roots: [first?.(), third?.()] as CollectionCopy['roots'] }), 'version-jump'],
    [
      'its roots in another order',
      () => ({ roots: [second?.(), first?.(), third?.()] as CollectionCopy['roots'] }),
      'version-rollback',
    ],
    ['its newest root', () => ({ roots: copy.roots.slice(0, 2) }), 'root-outdated'],
    ['every root', () => ({ roots: [] }), 'trust-data-missing'],
    ['the timestamp', () => ({ files: without('timestamp') }), 'trust-data-missing'],
    ['a delegation', () => ({ files: without(RELEASES) }), 'trust-data-missing'],
  ])('that lacks %s is not trusted', async (_, change, why) => {
    const error = await failure(() => verifyCopy({ ...copy, ...change() }), 'copy-untrusted');
    expect(error.detail).toEqual({ gun: GUN, why });
  });

  test.each<[string, () => Partial<CollectionCopy>, ErrorCode]>([
    [
      'a changed file',
      () => ({
        files: with_('targets', Buffer.from(copy.files.get('targets')?.toString('utf8').replace('528', '529') ?? '')),
      }),
      'checksum-mismatch',
    ],
    [
      'a file that nobody promised',
      () => ({ files: with_(parseDelegation('targets/evil'), Buffer.from('{}')) }),
      'role-unknown',
    ],
    ['the name of another repository', () => ({ gun: parseGun('registry.example.com/acme/other') }), 'root-untrusted'],
    [
      'a root under another version',
      () => ({ roots: [{ version: 3, bytes: third?.().bytes as Buffer }].map((root) => ({ ...root, version: 4 })) }),
      'metadata-malformed',
    ],
    [
      'a claim that something expired that has not',
      () => ({ verification: { ...copy.verification, expired: [{ role: 'targets', expired: NOW }] } }),
      'metadata-malformed',
    ],
    ['a claim that nothing had expired', () => ({ readAt: NOW + 40 * DAY }), 'metadata-malformed'],
    [
      'a claim that a delegation is unsigned',
      () => ({ verification: { ...copy.verification, unsigned: [RELEASES] } }),
      'metadata-malformed',
    ],
  ])('with %s is not trusted', async (_, change, why) => {
    const error = await failure(() => verifyCopy({ ...copy, ...change() }), 'copy-untrusted');
    expect(error.detail).toMatchObject({ why });
  });

  test('signed by others is not trusted', async () => {
    const liar = await rotatedRepository();
    const keys = new TestKeys();
    const key = keys.make('ed25519');
    liar.forge('timestamp', put(['version'], 9), [{ key, private: keys.private(key) }]);
    const files = new Map([
      ...(await copyOf(await rotatedRepository())).files,
      ['timestamp', liar.file('timestamp')] as const,
    ]);
    const error = await failure(() => verifyCopy({ ...copy, files }), 'copy-untrusted');
    expect(error.detail).toMatchObject({ why: 'threshold-not-met' });
  });
});
