import { beforeAll, expect, test } from 'bun:test';
import { LIMITS } from '../../../src/core/limits.ts';
import type { RoleName } from '../../../src/core/names/role.ts';
import { checkRepository } from '../../../src/notary/check/check-repository.ts';
import type { MetadataFile } from '../../../src/notary/store/metadata-store.ts';
import { GUN, NOW, Owner, TestServer } from '../fixture.ts';

let files: ReadonlyMap<RoleName, MetadataFile>;
beforeAll(async () => {
  const server = new TestServer();
  await new Owner(server).publishFirst();
  ({ files } = await server.server.currentChain(GUN));
});

function findingsWith(role: RoleName, bytes: Buffer) {
  const file = files.get(role) ?? expect.unreachable();
  return checkRepository({
    gun: GUN,
    files: new Map([...files, [role, { ...file, bytes }]]),
    keys: undefined,
    now: NOW,
  });
}

test('a whole repository gives no finding', () => {
  expect(checkRepository({ gun: GUN, files, keys: undefined, now: NOW })).toEqual([]);
});

test('what Signet cannot read is not called refused by clients', () => {
  const text = files.get('root')?.bytes.toString() ?? '';
  expect(findingsWith('root', Buffer.from(text.replace('{', '{"comment":1,')))).toEqual([
    {
      level: 'warning',
      code: 'json-unexpected',
      about: GUN,
      message:
        'Signet cannot read it, serves it as it is, and takes no publish onto it: the root file has an unknown member "comment"',
      next: 'If clients accept it, let its owner publish that role once more with Notary before the change.',
    },
  ]);
  const [tampered] = findingsWith('root', Buffer.from(text.replace('"version":1', '"version":2')));
  expect(tampered?.message).toStartWith('no client accepts it: ');
});

test('sizes beyond the limits are told of', () => {
  const findings = findingsWith('targets', Buffer.alloc(LIMITS.published + 1, ' '));
  expect(findings.map(({ code }) => code)).toEqual(['length-mismatch', 'too-large', 'upload-too-large']);
  expect(findingsWith('timestamp', Buffer.alloc(LIMITS.timestamp + 1, ' ')).map(({ code }) => code)).toContain(
    'too-large',
  );
});
