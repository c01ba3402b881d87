import { describe, expect, test } from 'bun:test';
import type { ErrorCode } from '../../../src/core/errors/index.ts';
import { canonicalText } from '../../../src/core/json/canonical.ts';
import type { JsonValue } from '../../../src/core/json/parse.ts';
import { makePublicKey, publicKeyJson } from '../../../src/core/keys/public-key.ts';
import { baseRoleKeys, readRoot, rootJson } from '../../../src/core/metadata/root.ts';
import { readSnapshot, snapshotJson } from '../../../src/core/metadata/snapshot.ts';
import { readTargets, targetsJson } from '../../../src/core/metadata/targets.ts';
import { readTimestamp, timestampJson } from '../../../src/core/metadata/timestamp.ts';
import { BASE_ROLES, parseDelegation, type TargetsRole } from '../../../src/core/names/role.ts';
import { failure } from '../../support/failure.ts';
import { type Change, change, payloadOf, put, tree } from '../../support/forgery.ts';
import { vector } from '../keys/support.ts';

const ROOT = payloadOf(vector('acme-app/root.json'));
const TARGETS = payloadOf(vector('acme-app/targets.json'));
const SNAPSHOT = payloadOf(vector('acme-app/snapshot.json'));
const TIMESTAMP = payloadOf(vector('acme-app/timestamp.json'));

const HASH = Buffer.alloc(32).toString('base64');
const HASH512 = Buffer.alloc(64).toString('base64');
const FILE = { hashes: { sha256: HASH }, length: 1 };
const KEY = { keytype: 'ecdsa', keyval: { private: null, public: 'YWJj' } };
const KEY_ID = '8d7f5b0a740a871ac6c51d3df254ae832095459aa06342ff75d64e88e172d86f';
const DELEGATION = { keyids: [KEY_ID], name: 'targets/a', paths: [''], threshold: 1 };

const READERS = [
  ['root', ROOT, readRoot],
  ['targets', TARGETS, (signed: JsonValue) => readTargets('targets', signed)],
  ['snapshot', SNAPSHOT, readSnapshot],
  ['timestamp', TIMESTAMP, readTimestamp],
] as const;

type Case = readonly [what: string, changes: Change, code: ErrorCode, message?: string];

function refusals(base: JsonValue, read: (signed: JsonValue) => unknown, cases: readonly Case[]): void {
  for (const [what, apply, code, message] of cases) {
    test(`${what} is refused`, async () => {
      const error = await failure(() => read(apply(base)), code);
      if (message !== undefined) expect(error.message).toBe(message);
    });
  }
}

const first = (path: readonly string[], value: unknown): Change => put(path, tree(value));

for (const [role, base, read] of READERS) {
  describe(`every payload: ${role}`, () => {
    const type = base.get('_type') as string;
    const others = ['Root', 'Targets', 'Snapshot', 'Timestamp'].filter((other) => other !== type);
    refusals(base, read, [
      ...others.map(
        (other): Case => [
          `the type ${other}`,
          put(['_type'], other),
          'metadata-type-wrong',
          `${role} type metadata invalid: expected type ${type}, not ${other}`,
        ],
      ),
      ['the type in another case', put(['_type'], type.toLowerCase()), 'metadata-type-wrong'],
      ['a type that is no text', put(['_type'], 1), 'json-unexpected'],
      ['no type', put(['_type'], undefined), 'json-unexpected'],
      ['a look-alike of the type', put(['_Type'], type), 'json-unexpected'],
      ['no version', put(['version'], undefined), 'json-unexpected'],
      ['version 0', put(['version'], 0), 'metadata-malformed'],
      ['version -1', put(['version'], -1), 'metadata-malformed'],
      ['version 2^31', put(['version'], 2 ** 31), 'metadata-malformed'],
      ['a version that is a text', put(['version'], '1'), 'json-unexpected'],
      ['a second version in another case', put(['Version'], 9), 'json-unexpected'],
      ['a second version with a long s', put(['ver\u017fion'], 9), 'json-unexpected'],
      ['no expiry', put(['expires'], undefined), 'json-unexpected'],
      ['an expiry that is none', put(['expires'], 'never'), 'time-invalid'],
      ['an expiry that is a number', put(['expires'], 4102444800), 'json-unexpected'],
      ['a second expiry in another case', put(['EXPIRES'], '2999-01-01T00:00:00Z'), 'json-unexpected'],
    ]);

    test('is read, and unknown members are ignored', () => {
      expect(read(put(['x-more'], tree({ a: [1] }))(base))).toEqual(read(base));
    });

    test('may have the highest version', () => {
      expect(read(put(['version'], 2 ** 31 - 1)(base)).version).toBe(2 ** 31 - 1);
    });

    test('keeps its expiry as it was signed', () => {
      const { expires } = read(put(['expires'], '2026-01-01T00:00:00.120+01:00')(base));
      expect(expires).toEqual({ text: '2026-01-01T00:00:00.120+01:00', at: Date.parse('2025-12-31T23:00:00.120Z') });
    });

    test('of a type from outside does not break the line', async () => {
      const error = await failure(() => read(put(['_type'], 'a\n\u001b[2Jb')(base)), 'metadata-type-wrong');
      expect(error.message).not.toMatch(/[\u0000-\u001f]/);
    });
  });
}

describe('a payload of Notary is written back as it was', () => {
  test('root', () => expect(canonicalText(rootJson(readRoot(ROOT)))).toBe(canonicalText(ROOT)));
  test('snapshot', () => expect(canonicalText(snapshotJson(readSnapshot(SNAPSHOT)))).toBe(canonicalText(SNAPSHOT)));
  test('timestamp', () =>
    expect(canonicalText(timestampJson(readTimestamp(TIMESTAMP)))).toBe(canonicalText(TIMESTAMP)));

  test('targets, but for null that becomes an empty list (protocol G-15)', () => {
    const written = canonicalText(targetsJson(readTargets('targets', TARGETS)));
    expect(canonicalText(TARGETS)).toContain('"keyids":null');
    expect(written).toBe(canonicalText(TARGETS).replace('"keyids":null', '"keyids":[]'));
  });

  for (const version of [1, 2, 3, 4]) {
    test(`root ${version}`, () => {
      const payload = payloadOf(vector(`roots/${version}.root.json`));
      expect(canonicalText(rootJson(readRoot(payload)))).toBe(canonicalText(payload));
    });
  }
});

describe('root', () => {
  const own = [...(ROOT.get('keys') as ReadonlyMap<string, JsonValue>).keys()];
  refusals(ROOT, readRoot, [
    ...BASE_ROLES.map(
      (role): Case => [
        `a root without the role ${role}`,
        put(['roles', role], undefined),
        'metadata-malformed',
        `root type metadata invalid: missing ${role} role specification`,
      ],
    ),
    ...[0, -1].map(
      (threshold): Case => [
        `threshold ${threshold}`,
        put(['roles', 'targets', 'threshold'], threshold),
        'threshold-invalid',
        `root type metadata invalid: invalid threshold specified for targets: ${threshold}`,
      ],
    ),
    ['a threshold above the number of keys', put(['roles', 'root', 'threshold'], 2), 'threshold-invalid'],
    ['a threshold that is a text', put(['roles', 'root', 'threshold'], '1'), 'json-unexpected'],
    ['no threshold', put(['roles', 'root', 'threshold'], undefined), 'json-unexpected'],
    ['a threshold in another case', put(['roles', 'root', 'Threshold'], 1), 'json-unexpected'],
    ['a role without keys', first(['roles', 'timestamp', 'keyids'], []), 'threshold-invalid'],
    ['a role with null for keys', put(['roles', 'timestamp', 'keyids'], null), 'threshold-invalid'],
    [
      'a key ID without a key',
      first(['roles', 'root', 'keyids'], ['0'.repeat(64)]),
      'metadata-malformed',
      `root type metadata invalid: key ID ${'0'.repeat(64)} specified in root without corresponding key`,
    ],
    ['a key ID twice', first(['roles', 'root', 'keyids'], [own[0], own[0]]), 'metadata-malformed'],
    ['a key ID that is none', first(['roles', 'root', 'keyids'], ['x']), 'key-id-invalid'],
    ['a key ID that is a number', first(['roles', 'root', 'keyids'], [1]), 'json-unexpected'],
    ['a key under another ID', first(['keys', '0'.repeat(64)], KEY), 'key-id-mismatch'],
    ['a key under a name that is no ID', first(['keys', 'abc'], KEY), 'key-id-invalid'],
    ['a key that is no object', first(['keys', KEY_ID], 'x'), 'json-unexpected'],
    [
      'a key with a private half',
      first(['keys', KEY_ID], { ...KEY, keyval: { private: 'YWJj', public: 'YWJj' } }),
      'key-malformed',
    ],
    ['keys that are a list', first(['keys'], []), 'json-unexpected'],
    ['no keys at all', put(['keys'], undefined), 'metadata-malformed'],
    ['no roles at all', put(['roles'], null), 'metadata-malformed'],
    ['a role that is null', put(['roles', 'root'], null), 'json-unexpected'],
    ['roles in another case', first(['Roles'], {}), 'json-unexpected'],
    ['an empty payload', () => new Map(), 'json-unexpected'],
  ]);

  test('may list further roles and keys, and keys of kinds that are not known', () => {
    const strange = makePublicKey('sphincs', Buffer.from('abc'));
    const keys = readRoot(put(['keys', strange.id], publicKeyJson(strange))(ROOT)).keys;
    expect(keys.get(strange.id)).toEqual(strange);
    const root = readRoot(first(['roles', 'mirrors'], { keyids: [], threshold: 0 })(ROOT));
    expect([...root.roles.keys()]).toEqual([...BASE_ROLES]);
  });

  test('names the keys of its roles', () => {
    const root = readRoot(ROOT);
    expect(baseRoleKeys(root, 'root')).toEqual({
      keyIds: readRoot(payloadOf(vector('roots/4.root.json'))).roles.get('root')?.keyIds ?? [],
      threshold: 1,
    });
    expect(baseRoleKeys(root, 'root').keyIds).toHaveLength(1);
    return failure(() => baseRoleKeys({ ...root, roles: new Map() }, 'root'), 'role-unknown');
  });
});

describe('targets', () => {
  const A = parseDelegation('targets/a');
  const read = (signed: JsonValue) => readTargets('targets', signed);
  const delegating = (...roles: unknown[]) => first(['delegations'], { keys: { [KEY_ID]: KEY }, roles });
  refusals(TARGETS, read, [
    ['a delegation that is no child', delegating({ ...DELEGATION, name: 'targets/a/b' }), 'metadata-malformed'],
    ['a delegation of the role itself', delegating({ ...DELEGATION, name: 'targets' }), 'metadata-malformed'],
    ['a delegation of a base role', delegating({ ...DELEGATION, name: 'snapshot' }), 'metadata-malformed'],
    ['a delegation that climbs', delegating({ ...DELEGATION, name: 'targets/..' }), 'metadata-malformed'],
    ['a delegation without a name', delegating({ ...DELEGATION, name: undefined }), 'json-unexpected'],
    ['a delegation twice', delegating(DELEGATION, DELEGATION), 'metadata-malformed'],
    ['a delegation with threshold 0', delegating({ ...DELEGATION, threshold: 0 }), 'threshold-invalid'],
    ['a delegation with threshold 513', delegating({ ...DELEGATION, threshold: 513 }), 'threshold-invalid'],
    [
      'a delegation that lists a key twice',
      delegating({ ...DELEGATION, keyids: [KEY_ID, KEY_ID] }),
      'metadata-malformed',
    ],
    ['a delegation with an unknown key', delegating({ ...DELEGATION, keyids: ['0'.repeat(64)] }), 'metadata-malformed'],
    ['a delegation with a look-alike of its paths', delegating({ ...DELEGATION, Paths: ['x'] }), 'json-unexpected'],
    ['a delegation with paths that are no texts', delegating({ ...DELEGATION, paths: [1] }), 'json-unexpected'],
    ['a delegation that is null', delegating(null), 'json-unexpected'],
    ['a delegation key under another ID', first(['delegations', 'keys', '0'.repeat(64)], KEY), 'key-id-mismatch'],
    ['a look-alike of the delegated roles', first(['delegations', 'Roles'], []), 'json-unexpected'],
    ['targets that are a list', first(['targets'], []), 'json-unexpected'],
    ['a target without hashes', first(['targets', 'a'], { length: 1, hashes: {} }), 'checksum-missing'],
    ['a target with null for hashes', first(['targets', 'a'], { length: 1, hashes: null }), 'checksum-missing'],
    [
      'a target with an unknown hash only',
      first(['targets', 'a'], { length: 1, hashes: { md5: 'YWJj' } }),
      'checksum-missing',
    ],
    [
      'a target with a short hash',
      first(['targets', 'a'], { length: 1, hashes: { sha256: 'YWJj' } }),
      'json-unexpected',
    ],
    [
      'a target with a hash of another size',
      first(['targets', 'a'], { length: 1, hashes: { sha256: HASH512 } }),
      'json-unexpected',
    ],
    [
      'a target with a hash that is not base64',
      first(['targets', 'a'], { length: 1, hashes: { sha256: `${HASH} ` } }),
      'json-unexpected',
    ],
    [
      'a target with a hash that is a number',
      first(['targets', 'a'], { length: 1, hashes: { sha256: 1 } }),
      'json-unexpected',
    ],
    ['a target without a length', first(['targets', 'a'], { hashes: { sha256: HASH } }), 'json-unexpected'],
    ['a target with a negative length', first(['targets', 'a'], { ...FILE, length: -1 }), 'json-unexpected'],
    ['a target with a second length', first(['targets', 'a'], { ...FILE, Length: 2 }), 'json-unexpected'],
    ['a target that is null', first(['targets', 'a'], null), 'json-unexpected'],
    ['a target with a control character in its name', first(['targets', 'a\tb'], FILE), 'metadata-malformed'],
    ['a target without a name', first(['targets', ''], FILE), 'metadata-malformed'],
  ]);

  test('may have null and absent for what is empty', () => {
    const empty = { version: 1, expires: '2029-01-01T00:00:00Z', _type: 'Targets' };
    for (const payload of [
      empty,
      { ...empty, targets: null, delegations: null },
      { ...empty, targets: {}, delegations: { keys: null, roles: null } },
      { ...empty, delegations: {} },
    ]) {
      const { targets, delegations, delegationKeys } = read(tree(payload));
      expect([targets.size, delegations.length, delegationKeys.size]).toEqual([0, 0, 0]);
    }
  });

  test('of a delegation may delegate to its own children only', () => {
    const payload = (name: string) => delegating({ ...DELEGATION, name })(TARGETS);
    expect(readTargets(A, payload('targets/a/b')).delegations[0]?.name as string).toBe('targets/a/b');
    return failure(() => readTargets(A, payload('targets/b')), 'metadata-malformed');
  });

  test('may have a delegation that lost its keys, or asks for more than it has', () => {
    for (const change of [{ keyids: null }, { keyids: [] }, { threshold: 2 }]) {
      expect(read(delegating({ ...DELEGATION, ...change })(TARGETS)).delegations).toHaveLength(1);
    }
  });

  test('may have a delegation without paths, which speaks for nothing', () => {
    for (const paths of [undefined, null, []]) {
      const delegation = read(delegating({ ...DELEGATION, paths })(TARGETS)).delegations[0];
      expect(delegation?.paths).toEqual([]);
    }
  });

  test('keep names that look like members of objects, in their order', () => {
    const names = ['b', '2', '1', '__proto__', 'constructor'];
    const payload = put(['targets'], new Map(names.map((name) => [name, tree(FILE)])))(TARGETS);
    const { targets } = read(payload);
    expect([...targets.keys()]).toEqual(names);
    expect(targets.get('__proto__')?.length).toBe(1);
    expect(targets.has('toString')).toBe(false);
  });

  test('keep custom data, null included, and unknown hashes', () => {
    const custom = { b: [1, null], a: 'x' };
    const more = { ...FILE, hashes: { sha256: HASH, blake3: 'YWJj' }, custom };
    const payload = [
      first(['targets', 'a'], more),
      first(['targets', 'n'], { ...FILE, custom: null }),
    ].reduce<JsonValue>((value, apply) => apply(value), TARGETS);
    const { targets } = read(payload);
    expect(targets.get('a')?.custom).toEqual(tree(custom));
    expect(targets.get('n')).toHaveProperty('custom', null);
    expect(targets.get('v2')).not.toHaveProperty('custom');
    expect(targets.get('a')?.hashes.get('blake3')).toEqual(Buffer.from('abc'));
    expect(canonicalText(targetsJson(read(payload)))).toContain('"custom":{"a":"x","b":[1,null]}');
    expect(canonicalText(targetsJson(read(payload)))).toContain('"custom":null');
  });

  test('of Notary’s vector H.3', () => {
    const { version, expires, targets } = read(
      tree({
        _type: 'Targets',
        delegations: { keys: {}, roles: [] },
        expires: '2029-11-22T17:40:23.902247513Z',
        targets: { v1: { hashes: { sha256: HASH, sha512: HASH512 }, length: 6 } },
        version: 2,
      }),
    );
    expect([version, expires.text, targets.get('v1')?.length]).toEqual([2, '2029-11-22T17:40:23.902247513Z', 6]);
  });
});

describe('snapshot', () => {
  refusals(SNAPSHOT, readSnapshot, [
    [
      'a snapshot without root',
      put(['meta', 'root'], undefined),
      'metadata-malformed',
      'snapshot type metadata invalid: missing root sha256 checksum information',
    ],
    ['a snapshot without targets', put(['meta', 'targets'], undefined), 'metadata-malformed'],
    ['a snapshot without entries', put(['meta'], undefined), 'metadata-malformed'],
    [
      'an entry with SHA-512 alone for root',
      put(['meta', 'root', 'hashes', 'sha256'], undefined),
      'metadata-malformed',
    ],
    ['an entry without hashes', put(['meta', 'targets', 'hashes'], undefined), 'checksum-missing'],
    ['an entry without length', put(['meta', 'targets/jeff', 'length'], undefined), 'json-unexpected'],
    ['an entry that is null', put(['meta', 'targets/jeff'], null), 'json-unexpected'],
    ['entries in another case', first(['Meta'], {}), 'json-unexpected'],
  ]);

  test('may list what is no role, and SHA-512 alone for a delegation', () => {
    const { meta } = readSnapshot(
      [
        first(['meta', '../../x'], FILE),
        first(['meta', 'targets/b'], { length: 1, hashes: { sha512: HASH512 } }),
      ].reduce<JsonValue>((value, apply) => apply(value), SNAPSHOT),
    );
    expect(meta.has('../../x')).toBe(true);
    expect(meta.get('targets/b')?.hashes.has('sha512')).toBe(true);
  });

  test('does not break lines of errors with its names', async () => {
    const name = `a\n\u001b[2J${'x'.repeat(4000)}`;
    const error = await failure(() => readSnapshot(first(['meta', name], {})(SNAPSHOT)), 'json-unexpected');
    expect(error.message.length).toBeLessThan(200);
  });
});

describe('timestamp', () => {
  refusals(TIMESTAMP, readTimestamp, [
    [
      'a timestamp without snapshot',
      put(['meta', 'snapshot'], undefined),
      'metadata-malformed',
      'timestamp type metadata invalid: missing snapshot sha256 checksum information',
    ],
    ['a timestamp without entries', put(['meta'], null), 'metadata-malformed'],
    ['SHA-512 alone', put(['meta', 'snapshot', 'hashes', 'sha256'], undefined), 'metadata-malformed'],
    ['no hash at all', first(['meta', 'snapshot', 'hashes'], {}), 'checksum-missing'],
    ['no length', put(['meta', 'snapshot', 'length'], undefined), 'json-unexpected'],
    ['a length that is a text', change(['meta', 'snapshot', 'length'], String), 'json-unexpected'],
  ]);

  test('promises one snapshot', () => {
    expect(readTimestamp(TIMESTAMP).snapshot.length).toBe(vector('acme-app/snapshot.json').length);
  });
});

test('the role of a targets file is the one in its errors', async () => {
  const role: TargetsRole = parseDelegation('targets/a/b');
  const error = await failure(() => readTargets(role, put(['version'], 0)(TARGETS)), 'metadata-malformed');
  expect(error.message).toBe('targets/a/b type metadata invalid: version cannot be less than one');
});
