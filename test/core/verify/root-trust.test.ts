import { describe, expect, test } from 'bun:test';
import type { ErrorCode } from '../../../src/core/errors/index.ts';
import { canonicalKeyId, type PublicKey } from '../../../src/core/keys/public-key.ts';
import { expiryAt } from '../../../src/core/metadata/common.ts';
import { rootJson } from '../../../src/core/metadata/root.ts';
import { type Gun, parseGun } from '../../../src/core/names/gun.ts';
import { BASE_ROLES } from '../../../src/core/names/role.ts';
import { DAY, type Instant, parseTime, YEAR } from '../../../src/core/time.ts';
import { type Pinning, TRUST_ON_FIRST_USE } from '../../../src/core/verify/pinning.ts';
import {
  checkRootCurrent,
  claimedRootVersion,
  type TrustedRoot,
  trustCachedRoot,
  trustFirstRoot,
  trustNextRoot,
} from '../../../src/core/verify/root-trust.ts';
import { Authority, type Paper } from '../../support/authority.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf, put, sealed, withSignatures } from '../../support/forgery.ts';
import { NO_FIRST_USE, pinnedTo } from '../../support/pins.ts';
import { GUN, NOW } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';
import { vector } from '../keys/support.ts';

const ACME = parseGun('docker.io/acme/app');
const THEN = parseTime('2026-11-23T17:45:36Z');
const VECTORS = [1, 2, 3, 4].map((version) => vector(`roots/${version}.root.json`));
const vectorRoot = (version: number) => VECTORS[version - 1] ?? Buffer.of();

describe("Notary's four roots (protocol H.9)", () => {
  test('each is trusted first', () => {
    for (const [at, bytes] of VECTORS.entries()) {
      const { root, gun, envelope } = trustFirstRoot(ACME, bytes, TRUST_ON_FIRST_USE, THEN);
      expect([root.version, gun, envelope.bytes]).toEqual([at + 1, ACME, bytes]);
    }
  });

  for (const step of ['intermediate', 'last'] as const) {
    test(`are verified one by one, each step ${step}`, () => {
      let root = trustCachedRoot(ACME, vectorRoot(1));
      for (const bytes of VECTORS.slice(1)) root = trustNextRoot(root, bytes, TRUST_ON_FIRST_USE, THEN, step);
      expect(root.root.version).toBe(4);
      checkRootCurrent(root, TRUST_ON_FIRST_USE, THEN);
    });
  }

  const skips: [from: number, to: number, code: ErrorCode][] = [
    [1, 3, 'version-jump'],
    [1, 4, 'version-jump'],
    [2, 4, 'version-jump'],
    [4, 3, 'version-rollback'],
    [3, 3, 'version-rollback'],
    [4, 1, 'version-rollback'],
  ];
  for (const [from, to, code] of skips) {
    test(`there is no step from ${from} to ${to}`, async () => {
      const previous = trustCachedRoot(ACME, vectorRoot(from));
      await failure(() => trustNextRoot(previous, vectorRoot(to), TRUST_ON_FIRST_USE, THEN, 'last'), code);
    });
  }

  test('have a readable version before they are trusted', () => {
    expect(VECTORS.map(claimedRootVersion)).toEqual([1, 2, 3, 4]);
  });

  test('are for no other repository', async () => {
    for (const name of ['docker.io/acme/app2', 'docker.io/acme', 'docker.io/Acme/app']) {
      const gun = parseGun(name);
      await failure(() => trustFirstRoot(gun, vectorRoot(1), TRUST_ON_FIRST_USE, THEN), 'root-untrusted');
      await failure(() => trustCachedRoot(gun, vectorRoot(1)), 'root-untrusted');
    }
  });
});

const keys = new TestKeys();
const online = new TestKeys();
const FIXED: readonly string[] = ['targets', 'snapshot', 'timestamp'];
const FIXED_KEYS = FIXED.map(() => online.make());

interface Shape {
  readonly version?: number;
  readonly threshold?: number;
  readonly expires?: Instant;
  /** Who signs; the listed root keys unless said otherwise. */
  readonly by?: readonly PublicKey[];
}

/** A root file that lists `roots` as its root keys. */
function rootFile(
  roots: readonly PublicKey[],
  { version = 1, threshold = 1, expires = NOW + YEAR, by = roots }: Shape = {},
): Buffer {
  const listed = new Map([...FIXED_KEYS, ...roots].map((key) => [key.id, key]));
  const roles = new Map(
    BASE_ROLES.map((role) => {
      const own = FIXED_KEYS[FIXED.indexOf(role)];
      const ids = own === undefined ? roots.map(({ id }) => id) : [own.id];
      return [role, { keyIds: ids, threshold: role === 'root' ? threshold : 1 }];
    }),
  );
  const payload = rootJson({ version, expires: expiryAt(expires), keys: listed, roles });
  return sealed(
    payload,
    by.map((key) => ({ key, private: keys.private(key) })),
  );
}

const make = (gun: Gun = GUN, since: Instant = NOW) => keys.makeRoot(gun, since);
const [A, B, C] = [make(), make(), make()];
const first = (bytes: Buffer, pinning: Pinning = TRUST_ON_FIRST_USE, now = NOW) =>
  trustFirstRoot(GUN, bytes, pinning, now);
const pinned = (...to: PublicKey[]): Pinning => pinnedTo(GUN, ...to.map(({ id }) => id));

describe('a first root', () => {
  test('is trusted when its own keys signed it', () => {
    expect(first(rootFile([A])).root.version).toBe(1);
    expect(first(rootFile([A, B], { threshold: 2 })).root.version).toBe(1);
    expect(first(rootFile([A, B], { by: [B] })).root.version).toBe(1);
    expect(first(rootFile([A], { version: 7 })).root.version).toBe(7);
  });

  const untrusted: [what: string, file: Buffer][] = [
    ['signed by another', rootFile([A], { by: [B] })],
    ['signed below its threshold', rootFile([A, B], { threshold: 2, by: [A] })],
    ['whose certificate is for another name', rootFile([make(parseGun('registry.example.com/acme/other'))])],
    ['whose certificate has expired', rootFile([make(GUN, NOW - 3651 * DAY)])],
    ['whose certificate begins in two days', rootFile([make(GUN, NOW + 2 * DAY)])],
    ['whose keys are bare', rootFile([keys.make()])],
    [
      'that relies on an expired certificate for its threshold',
      rootFile([A, make(GUN, NOW - 3651 * DAY)], { threshold: 2 }),
    ],
    ['without signatures', withSignatures('root', rootFile([A]), [])],
  ];
  for (const [what, file] of untrusted)
    test(`${what} is not trusted`, () => failure(() => first(file), 'root-untrusted'));

  test('may have a certificate that begins within a day', () => {
    expect(first(rootFile([make(GUN, NOW + DAY / 2)])).root.version).toBe(1);
  });

  test('is bound by pins', async () => {
    expect(first(rootFile([A, B], { by: [B] }), pinned(B)).root.version).toBe(1);
    await failure(() => first(rootFile([A]), pinned(B)), 'root-pin-mismatch');
    // The pinned key is listed, but did not sign.
    await failure(() => first(rootFile([A, B], { by: [A] }), pinned(B)), 'root-untrusted');
    // The threshold must be met by pinned keys alone.
    await failure(() => first(rootFile([A, B], { threshold: 2 }), pinned(B)), 'root-untrusted');
  });

  test('that nothing is pinned for is trusted on first use only where that is on', async () => {
    for (const tofu of ['off', 'ask', 'off-in-ci'] as const) {
      const unsure = { ...TRUST_ON_FIRST_USE, tofu };
      const error = await failure(() => first(rootFile([A]), unsure), 'root-unpinned');
      expect(error.detail).toEqual({ gun: GUN, found: [canonicalKeyId(A)], tofu });
      // One that does not even verify by itself is not offered to be pinned.
      await failure(() => first(rootFile([A], { by: [B] }), unsure), 'root-untrusted');
      expect(first(rootFile([A]), { ...pinned(A), tofu }).root.version).toBe(1);
    }
  });

  test('that was changed after signing is not trusted', async () => {
    const file = rootFile([A]);
    const changed = sealed(put(['version'], 2)(payloadOf(file)), []);
    const { signatures } = trustCachedRoot(GUN, file).envelope;
    await failure(() => first(withSignatures('root', changed, signatures)), 'root-untrusted');
  });
});

describe('a cached root', () => {
  test('is trusted though it or its certificate has expired (protocol G-1)', () => {
    expect(trustCachedRoot(GUN, rootFile([A], { expires: NOW - DAY })).root.version).toBe(1);
    expect(trustCachedRoot(GUN, rootFile([make(GUN, NOW - 3651 * DAY)])).root.version).toBe(1);
  });

  test('is not trusted when someone else signed it', async () => {
    await failure(() => trustCachedRoot(GUN, rootFile([A], { by: [B] })), 'root-untrusted');
    await failure(() => trustCachedRoot(GUN, rootFile([make(parseGun('a/b'))])), 'root-untrusted');
    await failure(() => trustCachedRoot(GUN, Buffer.from('{}')), 'json-unexpected');
  });
});

describe('a root in use', () => {
  const current = (file: Buffer, pinning: Pinning = TRUST_ON_FIRST_USE, now = NOW) =>
    checkRootCurrent(trustCachedRoot(GUN, file), pinning, now);

  test('is valid until its last moment', async () => {
    current(rootFile([A], { expires: NOW }));
    await failure(() => current(rootFile([A], { expires: NOW - 1000 })), 'metadata-expired');
  });

  test('needs valid certificates, as many as its threshold', async () => {
    const old = make(GUN, NOW - 3651 * DAY);
    current(rootFile([A, old]));
    await failure(() => current(rootFile([old])), 'root-untrusted');
    await failure(() => current(rootFile([A, old], { by: [old] })), 'root-untrusted');
    await failure(() => current(rootFile([A, old], { threshold: 2 })), 'root-untrusted');
  });

  test('is bound by pins that were set after it was trusted', async () => {
    current(rootFile([A]), pinned(A));
    await failure(() => current(rootFile([A]), pinned(B)), 'root-pin-mismatch');
    current(rootFile([A]), NO_FIRST_USE);
  });
});

describe('a root by an authority', () => {
  const acme = Authority.root('Acme Root');
  const byAcme = (paper: Paper = {}) => acme.rootKey(keys, GUN, [], paper);
  const pinning: Pinning = { ...NO_FIRST_USE, ca: new Map([['registry.example.com/', [acme.certificate]]]) };

  test('is trusted first, without trust on first use', async () => {
    expect(first(rootFile([byAcme()]), pinning).root.version).toBe(1);
    await failure(() => first(rootFile([A]), pinning), 'root-pin-mismatch');
    const stranger = Authority.root('Acme Root');
    await failure(() => first(rootFile([stranger.rootKey(keys, GUN)]), pinning), 'root-pin-mismatch');
    // The threshold must be met by keys of the authority alone.
    await failure(() => first(rootFile([A, byAcme()], { threshold: 2 }), pinning), 'root-untrusted');
    await failure(() => first(rootFile([A, byAcme()], { by: [A] }), pinning), 'root-untrusted');
  });

  test('must itself be for the repository, and the authority cannot be the root key', async () => {
    await failure(() => first(rootFile([acme.rootKey(keys, 'a/b')]), pinning), 'root-untrusted');
    await failure(
      () => first(rootFile([acme.rootKey(keys, GUN, [], { isAuthority: true })]), pinning),
      'root-untrusted',
    );
    expect(first(rootFile([acme.rootKey(keys, 'registry.example.com/acme/*')]), pinning).root.version).toBe(1);
  });

  test('is followed by one of the same authority, whose certificate may have expired on the way', async () => {
    const [one, two, old] = [byAcme(), byAcme(), byAcme({ to: NOW - DAY / 2 })];
    const from = trustCachedRoot(GUN, rootFile([one]));
    const next = (key: PublicKey, step: 'intermediate' | 'last') =>
      trustNextRoot(from, rootFile([key], { version: 2, by: [one, key] }), pinning, NOW, step);
    for (const step of ['intermediate', 'last'] as const) {
      expect(next(two, step).root.version).toBe(2);
      await failure(() => next(A, step), 'root-pin-mismatch');
    }
    expect(next(old, 'intermediate').root.version).toBe(2);
    await failure(() => next(old, 'last'), 'root-untrusted');
  });

  test('stays in use while the chain is valid', async () => {
    const brief = acme.authority('Brief', { to: NOW + DAY });
    const file = rootFile([brief.rootKey(keys, GUN, [brief])]);
    checkRootCurrent(trustCachedRoot(GUN, file), pinning, NOW + DAY);
    await failure(() => checkRootCurrent(trustCachedRoot(GUN, file), pinning, NOW + 2 * DAY), 'root-untrusted');
    const old: Pinning = {
      ...pinning,
      ca: new Map([['', [Authority.root('Old', { to: NOW - DAY / 2 }).certificate]]]),
    };
    await failure(() => checkRootCurrent(trustCachedRoot(GUN, file), old, NOW), 'root-pin-mismatch');
  });
});

describe('the next root', () => {
  const previous = (file = rootFile([A])): TrustedRoot => trustCachedRoot(GUN, file);
  const next = (
    file: Buffer,
    from = previous(),
    step: 'intermediate' | 'last' = 'last',
    pinning = TRUST_ON_FIRST_USE,
  ) => trustNextRoot(from, file, pinning, NOW, step);

  test('is signed by old and new keys', () => {
    expect(next(rootFile([B], { version: 2, by: [A, B] })).root.version).toBe(2);
    expect(next(rootFile([A], { version: 2 })).root.version).toBe(2);
  });

  const refused: [what: string, file: Buffer, code: ErrorCode][] = [
    ['signed by the new keys only', rootFile([B], { version: 2, by: [B] }), 'root-rotation-invalid'],
    ['signed by the old keys only', rootFile([B], { version: 2, by: [A] }), 'root-untrusted'],
    ['signed by neither', rootFile([B], { version: 2, by: [C] }), 'root-rotation-invalid'],
    ['signed by nobody', withSignatures('root', rootFile([A], { version: 2 }), []), 'root-rotation-invalid'],
    ['that jumps', rootFile([B], { version: 3, by: [A, B] }), 'version-jump'],
    ['that jumps to the highest version', rootFile([B], { version: 2 ** 31 - 1, by: [A, B] }), 'version-jump'],
    ['of the same version', rootFile([B], { version: 1, by: [A, B] }), 'version-rollback'],
    ['for another name', rootFile([make(parseGun('a/b'))], { version: 2, by: [A] }), 'root-untrusted'],
  ];
  for (const [what, file, code] of refused) test(`${what} is refused`, () => failure(() => next(file), code));

  test('must be signed by the old threshold, not by one old key', async () => {
    const two = previous(rootFile([A, B], { threshold: 2 }));
    await failure(() => next(rootFile([C], { version: 2, by: [A, C] }), two), 'root-rotation-invalid');
    expect(next(rootFile([C], { version: 2, by: [A, B, C] }), two).root.version).toBe(2);
  });

  test('must be signed by the new threshold, not by one new key', async () => {
    await failure(() => next(rootFile([B, C], { version: 2, threshold: 2, by: [A, B] })), 'root-untrusted');
    expect(next(rootFile([B, C], { version: 2, threshold: 2, by: [A, B, C] })).root.version).toBe(2);
  });

  test('may follow one whose certificate has expired', () => {
    const old = make(GUN, NOW - 3651 * DAY);
    expect(next(rootFile([B], { version: 2, by: [old, B] }), previous(rootFile([old]))).root.version).toBe(2);
  });

  test('may have an expired certificate if it is not the newest', async () => {
    const old = make(GUN, NOW - 3651 * DAY);
    const file = rootFile([old], { version: 2, by: [A, old], expires: NOW - DAY });
    expect(next(file, previous(), 'intermediate').root.version).toBe(2);
    await failure(() => next(file, previous(), 'last'), 'root-untrusted');
  });

  test('is bound by pins, even if it is not the newest', async () => {
    const file = rootFile([B], { version: 2, by: [A, B] });
    for (const step of ['intermediate', 'last'] as const) {
      expect(next(file, previous(), step, pinned(B)).root.version).toBe(2);
      await failure(() => next(file, previous(), step, pinned(A)), 'root-pin-mismatch');
    }
  });

  test('is not vouched for by old certificates that its file still lists (protocol G-19)', async () => {
    const [before, after] = [rootFile([B], { version: 2, by: [A, B] }), rootFile([A, B, C], { version: 3, by: [A] })];
    const listing = sealed(put(['roles', 'root', 'keyids'], [C.id])(payloadOf(after)), [
      { key: A, private: keys.private(A) },
    ]);
    await failure(() => next(listing, next(before)), 'root-rotation-invalid');
  });
});
