import { beforeEach, describe, expect, test } from 'bun:test';
import type { RefusalName } from '../../../src/core/accept/refusal.ts';
import type { StoredFile } from '../../../src/core/accept/stored-file.ts';
import { acceptUpload, refreshOnline } from '../../../src/core/accept/upload.ts';
import { Editor } from '../../../src/core/edit/editor.ts';
import type { ErrorCode } from '../../../src/core/errors/index.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { fileInfoOf } from '../../../src/core/metadata/file-info.ts';
import { baseRoleKeys, readRoot } from '../../../src/core/metadata/root.ts';
import { readSnapshot } from '../../../src/core/metadata/snapshot.ts';
import { readTimestamp } from '../../../src/core/metadata/timestamp.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation, RELEASES, type RoleName } from '../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../src/core/time.ts';
import { baseSigners } from '../../../src/core/verify/signers.ts';
import { validSigners } from '../../../src/core/verify/verify.ts';
import { failure } from '../../support/failure.ts';
import { type Change, payloadOf, put, type Signer, sealed, tree, withSignatures } from '../../support/forgery.ts';
import { expiring, GUN, NOW, Simulator, target, versioned } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';

const ALICE = parseDelegation('targets/alice');
const SUB = parseDelegation('targets/alice/sub');
type Files = ReadonlyMap<string, Buffer>;

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start();
});

function offer(files: Files, current = simulator.state): Promise<readonly StoredFile[]> {
  const parts = [...files].map(([role, bytes]) => ({ role, bytes }));
  return acceptUpload({ gun: GUN, parts, current, signer: simulator.online, now: simulator.now });
}

const names = (files: readonly StoredFile[]) => files.map(({ role, version }) => `${role} ${version}`);
const bytesIn = (files: readonly StoredFile[], role: RoleName) =>
  files.find((file) => file.role === role)?.bytes ?? Buffer.of();

/** Expects that the publish is refused in this class (protocol B.6.4), with Notary's message where one is given. */
async function refused(files: Files, name: RefusalName, code: ErrorCode, message?: string, current = simulator.state) {
  const error = await failure(offer(files, current), code);
  expect(error.detail.name).toBe(name);
  if (message !== undefined) expect(error.message).toBe(message);
  return error;
}

async function conflicts(files: Files) {
  const error = await failure(offer(files), 'version-conflict');
  expect(error.detail.name).toBeUndefined();
}

/** What an edit of the published collection leads to. */
async function edited(edit: (editor: Editor) => void): Promise<Map<RoleName, Buffer>> {
  const { set, unusable } = await simulator.trusted();
  const editor = Editor.of(set, unusable);
  edit(editor);
  return new Map(await editor.sign(simulator.owner, simulator.now));
}

/** The current file of a role with a changed payload, signed by the role or by others. */
function forged(
  role: RoleName,
  changes: readonly Change[],
  signers: readonly Signer[] = simulator.signersOf(role),
): Buffer {
  const honest = simulator.state;
  simulator.forge(role, changes, signers);
  const bytes = simulator.file(role);
  simulator.serve(honest);
  return bytes;
}

/** The files of a repository that no server has yet. */
async function firstFiles(options: { root?: number } = {}): Promise<Map<RoleName, Buffer>> {
  const editor = Editor.create({
    root: [simulator.owner.makeRoot(GUN, NOW)],
    targets: simulator.owner.make(),
    snapshot: await simulator.publicKey(GUN, 'snapshot'),
    timestamp: await simulator.publicKey(GUN, 'timestamp'),
  });
  const files = new Map(await editor.sign(simulator.owner, NOW));
  if (options.root === undefined) return files;
  const root = readRoot(payloadOf(files.get('root') ?? Buffer.of()));
  const signers = baseRoleKeys(root, 'root').keyIds.flatMap((id) => {
    const key = root.keys.get(id);
    return key === undefined ? [] : [{ key, private: simulator.owner.private(key) }];
  });
  const payload = versioned(options.root)(payloadOf(files.get('root') ?? Buffer.of()));
  return files.set('root', sealed(payload, signers));
}

const NONE = new Map<RoleName, Buffer>();
const without = (files: Files, role: string) => new Map([...files].filter(([name]) => name !== role));
const only = (role: string, bytes: Buffer) => new Map([[role, bytes]]);

describe('a first publish', () => {
  test('is stored with a snapshot and a timestamp over it', async () => {
    const files = await firstFiles();
    const accepted = await offer(files, NONE);
    expect(names(accepted)).toEqual(['root 1', 'targets 1', 'snapshot 1', 'timestamp 1']);
    expect(bytesIn(accepted, 'root')).toEqual(files.get('root') as never);
    const { meta, expires } = readSnapshot(payloadOf(bytesIn(accepted, 'snapshot')));
    expect([...meta]).toEqual([...files].map(([role, bytes]) => [role, fileInfoOf(bytes)] as never));
    expect(expires.at).toBe(NOW + 1095 * DAY);
    const timestamp = readTimestamp(payloadOf(bytesIn(accepted, 'timestamp')));
    expect(timestamp.snapshot).toEqual(fileInfoOf(bytesIn(accepted, 'snapshot')));
    expect(timestamp.expires.at).toBe(NOW + 14 * DAY);
  });

  test('may begin with root 2, and with no other (protocol B.6.3)', async () => {
    expect(names(await offer(await firstFiles({ root: 2 }), NONE))[0]).toBe('root 2');
    for (const root of [3, 1000]) {
      await refused(
        await firstFiles({ root }),
        'ErrBadRoot',
        'version-jump',
        `Root modifications must increment the version. Current 1, new ${root}`,
        NONE,
      );
    }
  });

  test('needs a root', async () => {
    const files = without(await firstFiles(), 'root');
    const message = 'no pre-existing root and no root provided in update.';
    await refused(files, 'ErrValidation', 'upload-incomplete', message, NONE);
    await refused(new Map(), 'ErrValidation', 'upload-incomplete', message, NONE);
  });

  test('needs targets', async () => {
    await refused(without(await firstFiles(), 'targets'), 'ErrValidation', 'upload-incomplete', undefined, NONE);
  });

  test('needs a timestamp key that the server has', async () => {
    const files = await firstFiles();
    simulator.online.forget(await simulator.publicKey(GUN, 'timestamp'));
    await refused(files, 'ErrBadRoot', 'online-key-missing', 'no timestamp keys exist on the server', NONE);
  });

  test('needs a snapshot, or a snapshot key that the server has', async () => {
    const files = await firstFiles();
    simulator.online.forget(await simulator.publicKey(GUN, 'snapshot'));
    const error = await refused(
      files,
      'ErrBadHierarchy',
      'online-key-missing',
      'no snapshot was included in update and server does not hold current snapshot key for repository',
      NONE,
    );
    expect(error.detail.missing).toBe('snapshot');
  });

  test('needs a root for this very name', async () => {
    const gun = parseGun(`${GUN}2`);
    const files = await firstFiles();
    const parts = [...files].map(([role, bytes]) => ({ role, bytes }));
    const error = await failure(
      acceptUpload({ gun, parts, current: NONE, signer: simulator.online, now: NOW }),
      'root-untrusted',
    );
    expect(error.detail.name).toBe('ErrBadRoot');
  });
});

describe('what is uploaded', () => {
  test('is read part by part; of two for one role the later counts', async () => {
    const one = await edited((editor) => editor.addTarget('targets', 'v1', target(1)));
    const other = await edited((editor) => editor.addTarget('targets', 'v2', target(2)));
    const parts = [one, other].flatMap((files) => [...files].map(([role, bytes]) => ({ role, bytes })));
    const accepted = await acceptUpload({
      gun: GUN,
      parts,
      current: simulator.state,
      signer: simulator.online,
      now: NOW,
    });
    expect(names(accepted)).toEqual(['targets 2', 'snapshot 2', 'timestamp 2']);
    expect(bytesIn(accepted, 'targets')).toEqual(other.get('targets') as never);
  });

  test('may be empty: snapshot and timestamp get new versions (protocol G-46)', async () => {
    expect(names(await offer(new Map()))).toEqual(['snapshot 2', 'timestamp 2']);
  });

  test('is ignored if it is a timestamp (protocol G-45)', async () => {
    for (const bytes of [simulator.file('timestamp'), Buffer.from('no json'), Buffer.of()]) {
      const accepted = await offer(only('timestamp', bytes));
      expect(names(accepted)).toEqual(['snapshot 2', 'timestamp 2']);
      expect(bytesIn(accepted, 'timestamp')).not.toEqual(bytes);
    }
  });

  const unreadable: [what: string, role: string, text: string, code: ErrorCode][] = [
    ['a role that is none', 'targets/../root', '{}', 'role-invalid'],
    ['a role from a prototype', '__proto__', '{}', 'role-invalid'],
    ['a role with a suffix', 'targets.json', '{}', 'role-invalid'],
    ['text that is no JSON', 'targets', '{"signed":', 'json-malformed'],
    ['bytes after the end', 'targets', '{"signed":{},"signatures":[]}x', 'json-malformed'],
    ['a member too many', 'targets', '{"signed":{},"signatures":[],"x":1}', 'json-unexpected'],
    ['a member twice', 'targets', '{"signed":{},"signed":{},"signatures":[]}', 'json-duplicate-key'],
  ];
  for (const [what, role, text, code] of unreadable) {
    test(`is refused where it cannot be read: ${what}`, () => failure(offer(only(role, Buffer.from(text))), code));
  }
});

describe('root', () => {
  const rotated = (keys = [simulator.owner.makeRoot(GUN, NOW)]) => edited((editor) => editor.replaceKeys('root', keys));

  test('follows root', async () => {
    expect(names(await offer(await rotated()))).toEqual(['root 2', 'snapshot 2', 'timestamp 2']);
  });

  test('of the current version is a conflict, of any other a refusal', async () => {
    const again = forged('root', [put(['extra'], 1)]);
    await conflicts(only('root', again));
    for (const version of [3, 100, 2 ** 31 - 1]) {
      await refused(only('root', forged('root', [versioned(version)])), 'ErrBadRoot', 'version-jump');
    }
    await simulator.rotateRoot();
    await refused(
      only('root', forged('root', [versioned(1)])),
      'ErrBadRoot',
      'version-jump',
      'Root modifications must increment the version. Current 2, new 1',
    );
  });

  test('is signed by old and new keys', async () => {
    const [old] = simulator.signersOf('root');
    const fresh = simulator.owner.makeRoot(GUN, NOW);
    const file = (await rotated([fresh])).get('root') ?? Buffer.of();
    const payload = payloadOf(file);
    const byNew = sealed(payload, [{ key: fresh, private: simulator.owner.private(fresh) }]);
    await refused(only('root', byNew), 'ErrBadRoot', 'root-rotation-invalid');
    const byOld = sealed(payload, old === undefined ? [] : [old]);
    await refused(only('root', byOld), 'ErrBadRoot', 'root-untrusted');
    await refused(only('root', withSignatures('root', file, [])), 'ErrBadRoot', 'root-rotation-invalid');
  });

  test('has not expired, nor has its certificate', async () => {
    await refused(only('root', forged('root', [versioned(2), expiring(NOW - DAY)])), 'ErrBadRoot', 'metadata-expired');
    const old = simulator.owner.makeRoot(GUN, NOW - 3651 * DAY);
    await refused(await rotated([old]), 'ErrBadRoot', 'root-untrusted');
  });

  const malformed: [what: string, change: Change, code: ErrorCode][] = [
    ['without a role', put(['roles', 'snapshot'], undefined), 'metadata-malformed'],
    ['with threshold 0', put(['roles', 'targets', 'threshold'], 0), 'threshold-invalid'],
    ['with a threshold that its keys cannot meet', put(['roles', 'targets', 'threshold'], 2), 'threshold-invalid'],
    ['of another type', put(['_type'], 'Targets'), 'metadata-type-wrong'],
    ['that never expires', put(['expires'], 'never'), 'time-invalid'],
  ];
  for (const [what, apply, code] of malformed) {
    test(`${what} is refused`, () => refused(only('root', forged('root', [versioned(2), apply])), 'ErrBadRoot', code));
  }

  test('that changes the keys of targets comes with targets signed by them', async () => {
    const files = await edited((editor) => editor.replaceKeys('targets', [simulator.owner.make()]));
    expect(names(await offer(files))).toEqual(['root 2', 'targets 2', 'snapshot 2', 'timestamp 2']);
    await refused(
      without(files, 'targets'),
      'ErrBadTargets',
      'threshold-not-met',
      'valid signatures did not meet threshold for targets',
    );
    await refused(without(files, 'root'), 'ErrBadTargets', 'threshold-not-met');
  });

  test('decides at once who signs snapshot and timestamp', async () => {
    const key = await simulator.rotateKey(GUN, 'timestamp');
    const accepted = await offer(await edited((editor) => editor.replaceKeys('timestamp', [key])));
    const root = readRoot(payloadOf(bytesIn(accepted, 'root')));
    const timestamp = parseEnvelope('timestamp', bytesIn(accepted, 'timestamp'));
    expect(validSigners(timestamp, baseSigners(root, 'timestamp'))).toEqual(new Set([key.id]));
    const foreign = new TestKeys().make();
    const files = await edited((editor) => editor.replaceKeys('timestamp', [foreign]));
    await refused(files, 'ErrBadRoot', 'online-key-missing');
  });

  test('that has expired in the store still lets others publish, and a new root follow', async () => {
    simulator.forge('root', expiring(NOW - DAY));
    simulator.relist();
    const root = simulator.file('root');
    expect(names(await offer(new Map()))).toEqual(['snapshot 3', 'timestamp 3']);
    expect(names(await offer(only('root', forged('root', [versioned(2), expiring(NOW + YEAR)]))))).toContain('root 2');
    expect(simulator.file('root')).toEqual(root);
  });
});

describe('targets and delegations', () => {
  beforeEach(() =>
    simulator.edit((editor) => {
      editor.addDelegation(ALICE, [simulator.owner.make()], ['a']);
      editor.addTarget(ALICE, 'a1', target(1));
      editor.addDelegation(SUB, [simulator.owner.make()], ['a']);
      editor.addTarget(SUB, 'a2', target(1));
    }),
  );

  for (const role of ['targets', ALICE, SUB] as const) {
    test(`${role}: the next version is taken`, async () => {
      const files = await edited((editor) => editor.witness(role));
      expect([...files.keys()]).toEqual([role]);
      expect(names(await offer(files))[0]).toStartWith(`${role} `);
    });

    const cases: [what: string, forge: () => Buffer, code: ErrorCode][] = [
      ['signed by nobody', () => forged(role, [versioned(9)], []), 'signatures-missing'],
      ['signed by others', () => forged(role, [versioned(9)], simulator.signersOf('root')), 'threshold-not-met'],
      ['that has expired', () => forged(role, [versioned(9), expiring(NOW - 1000)]), 'metadata-expired'],
      ['of another type', () => forged(role, [versioned(9), put(['_type'], 'Snapshot')]), 'metadata-type-wrong'],
      ['of version 0', () => forged(role, [versioned(0)]), 'metadata-malformed'],
      [
        'with a target nobody could read',
        () => forged(role, [versioned(9), put(['targets', 'x'], tree({}))]),
        'json-unexpected',
      ],
    ];
    for (const [what, forge, code] of cases) {
      test(`${role}: one ${what} is refused`, () => refused(only(role, forge()), 'ErrBadTargets', code));
    }

    test(`${role}: the stored version, or one before it, is a conflict`, async () => {
      const { version } = JSON.parse(simulator.file(role).toString()).signed as { version: number };
      for (let at = version; at >= 1; at--) {
        await conflicts(only(role, forged(role, [versioned(at), put(['extra'], 1)])));
      }
    });

    test(`${role}: versions rise by bounded steps`, async () => {
      const { version } = JSON.parse(simulator.file(role).toString()).signed as { version: number };
      expect(names(await offer(only(role, forged(role, [versioned(version + LIMITS.versionStep)]))))[0]).toBe(
        `${role} ${version + LIMITS.versionStep}`,
      );
      for (const step of [LIMITS.versionStep + 1, 2 ** 30]) {
        await refused(only(role, forged(role, [versioned(version + step)])), 'ErrBadTargets', 'version-jump');
      }
    });
  }

  test('are checked in the order of the tree, whatever the order of the parts', async () => {
    const files = await edited((editor) => {
      const key = simulator.owner.make();
      editor.addDelegation(RELEASES, [key], ['']);
      editor.addTarget(RELEASES, 'v1', target(1));
      editor.witness(SUB);
    });
    for (const order of [[...files], [...files].reverse()]) {
      expect(names(await offer(new Map(order))).sort()).toEqual(
        ['snapshot 3', 'targets 3', `${SUB} 2`, `${RELEASES} 1`, 'timestamp 3'].sort(),
      );
    }
    await refused(
      without(files, 'targets'),
      'ErrBadTargets',
      'role-unknown',
      'tuf: invalid role targets/releases. delegation does not exist',
    );
  });

  test('of a delegator that is not stored are refused', async () => {
    const file = forged(SUB, []);
    const orphan = new Map([...simulator.state].filter(([role]) => role !== ALICE));
    await refused(only(SUB, file), 'ErrBadTargets', 'upload-incomplete', undefined, orphan);
  });

  test('are not checked against path restrictions (protocol B.6.3): clients pass over what they may not say', async () => {
    const file = forged(ALICE, [
      versioned(2),
      put(['targets', 'zzz'], tree({ hashes: { sha256: Buffer.alloc(32).toString('base64') }, length: 1 })),
    ]);
    expect(names(await offer(only(ALICE, file)))).toContain(`${ALICE} 2`);
  });

  test('with a key that lost its trust in the same publish are refused', async () => {
    const files = await edited((editor) => {
      const ids = editor.delegationsOf('targets')[0]?.keyIds ?? [];
      editor.removeDelegationKeys(ALICE, ids);
      editor.addDelegation(ALICE, [simulator.owner.make()], []);
    });
    const stale = forged(ALICE, [versioned(2)]);
    await refused(new Map([...files, [ALICE, stale]]), 'ErrBadTargets', 'threshold-not-met');
  });

  test('one bad file makes the whole upload fail', async () => {
    const files = await edited((editor) => editor.addTarget('targets', 'v2', target(2)));
    await refused(new Map([...files, [SUB, forged(SUB, [versioned(2)], [])]]), 'ErrBadTargets', 'signatures-missing');
  });
});

describe('the snapshot of a client', () => {
  beforeEach(async () => {
    simulator = await Simulator.start({ snapshotKeyBy: 'owner' });
    await simulator.edit((editor) => {
      editor.addDelegation(ALICE, [simulator.owner.make()], ['']);
      editor.addTarget(ALICE, 'a1', target(1));
    });
  });

  const update = () => edited((editor) => editor.addTarget(ALICE, 'a2', target(2)));
  /** The files with a changed snapshot. */
  const withSnapshot = (files: Map<RoleName, Buffer>, ...changes: Change[]) => {
    const payload = changes.reduce(
      (value, change) => change(value) as never,
      payloadOf(files.get('snapshot') ?? Buffer.of()),
    );
    return new Map([...files, ['snapshot', sealed(payload, simulator.signersOf('snapshot'))] as const]);
  };

  test('is taken as it is, under a timestamp of the server', async () => {
    const files = await update();
    const accepted = await offer(files);
    expect(names(accepted)).toEqual([`${ALICE} 2`, 'snapshot 3', 'timestamp 3']);
    expect(bytesIn(accepted, 'snapshot')).toEqual(files.get('snapshot') as never);
    expect(readTimestamp(payloadOf(bytesIn(accepted, 'timestamp'))).snapshot).toEqual(
      fileInfoOf(files.get('snapshot') ?? Buffer.of()),
    );
  });

  test('must come, as the server cannot make it', async () => {
    await refused(without(await update(), 'snapshot'), 'ErrBadHierarchy', 'online-key-missing');
  });

  const wrong: [what: string, change: Change, code: ErrorCode][] = [
    ['lists another file than comes with it', put(['meta', ALICE], infoOf('x')), 'length-mismatch'],
    ['lists another file than is stored', put(['meta', 'targets'], infoOf('x')), 'length-mismatch'],
    [
      'lists another root than is stored',
      put(['meta', 'root', 'hashes', 'sha256'], Buffer.alloc(32).toString('base64')),
      'checksum-mismatch',
    ],
    [
      'lists a wrong second checksum',
      put(['meta', ALICE, 'hashes', 'sha512'], Buffer.alloc(64).toString('base64')),
      'checksum-mismatch',
    ],
    ['does not list what comes with it', put(['meta', ALICE], undefined), 'checksum-missing'],
    ['does not list the root', put(['meta', 'root'], undefined), 'metadata-malformed'],
    ['lists what nobody has', put(['meta', RELEASES], infoOf('x')), 'checksum-missing'],
    ['has expired', expiring(NOW - 1000), 'metadata-expired'],
    ['jumps to a far version', versioned(5000), 'version-jump'],
    ['is of another type', put(['_type'], 'Targets'), 'metadata-type-wrong'],
  ];
  for (const [what, change, code] of wrong) {
    test(`that ${what} is refused`, async () => {
      await refused(withSnapshot(await update(), change), 'ErrBadSnapshot', code);
    });
  }

  test('that someone else signed is refused', async () => {
    const files = await update();
    const payload = payloadOf(files.get('snapshot') ?? Buffer.of());
    files.set('snapshot', sealed(payload, simulator.signersOf('targets')));
    await refused(files, 'ErrBadSnapshot', 'threshold-not-met');
    files.set('snapshot', sealed(payload, []));
    await refused(files, 'ErrBadSnapshot', 'signatures-missing');
  });

  test('of the stored version is a conflict', async () => {
    await conflicts(withSnapshot(await update(), versioned(2)));
  });

  test('may leave out a delegation that is gone', async () => {
    const files = new Map(await edited((editor) => editor.removeDelegation(ALICE)));
    const accepted = await offer(withSnapshot(files, put(['meta', ALICE], undefined)));
    expect(readSnapshot(payloadOf(bytesIn(accepted, 'snapshot'))).meta.has(ALICE)).toBe(false);
  });

  test('may keep the entry of a file that the server no longer has', async () => {
    const files = await edited((editor) => editor.witness('targets'));
    const pruned = new Map([...simulator.state].filter(([role]) => role !== ALICE));
    expect(names(await offer(files, pruned))).toContain('snapshot 3');
    const other = withSnapshot(files, put(['meta', ALICE], infoOf('x')));
    await refused(other, 'ErrBadSnapshot', 'checksum-missing', undefined, pruned);
  });
});

describe("the server's own files", () => {
  test('keep every entry, that of deleted delegations too (protocol B.7.1, G-16)', async () => {
    await simulator.edit((editor) => {
      editor.addDelegation(ALICE, [simulator.owner.make()], ['']);
      editor.addTarget(ALICE, 'a1', target(1));
    });
    const accepted = await offer(await edited((editor) => editor.removeDelegation(ALICE)));
    const { meta } = readSnapshot(payloadOf(bytesIn(accepted, 'snapshot')));
    expect(meta.get(ALICE)).toEqual(fileInfoOf(simulator.file(ALICE)));
    expect(meta.get('targets')).toEqual(fileInfoOf(bytesIn(accepted, 'targets')));
  });

  test('are signed by the threshold that the root asks for', async () => {
    const two = [simulator.online.make(), simulator.online.make()];
    const files = await edited((editor) => editor.replaceKeys('snapshot', two, 2));
    const accepted = await offer(files);
    expect(parseEnvelope('snapshot', bytesIn(accepted, 'snapshot')).signatures).toHaveLength(2);
    simulator.online.forget(two[0] as never);
    await refused(files, 'ErrBadHierarchy', 'online-key-missing');
  });
});

describe('renewal (protocol B.7.3)', () => {
  const refresh = (current = simulator.state) =>
    refreshOnline({ gun: GUN, current, signer: simulator.online, now: simulator.now });

  test('is not made before something has expired', async () => {
    expect(await refresh()).toEqual([]);
    simulator.now = NOW + 14 * DAY;
    expect(await refresh()).toEqual([]);
  });

  test('makes a new timestamp over the same snapshot', async () => {
    simulator.now = NOW + 14 * DAY + 1;
    const files = await refresh();
    expect(names(files)).toEqual(['timestamp 2']);
    const timestamp = readTimestamp(payloadOf(bytesIn(files, 'timestamp')));
    expect(timestamp.snapshot).toEqual(fileInfoOf(simulator.file('snapshot')));
    expect(timestamp.expires.at).toBe(Math.floor(simulator.now / 1000) * 1000 + 14 * DAY);
  });

  test('makes a new snapshot with the same entries, and a timestamp over it', async () => {
    simulator.now = NOW + 3 * YEAR + DAY;
    const files = await refresh();
    expect(names(files)).toEqual(['snapshot 2', 'timestamp 2']);
    const { meta } = readSnapshot(payloadOf(bytesIn(files, 'snapshot')));
    expect(meta).toEqual(readSnapshot(payloadOf(simulator.file('snapshot'))).meta as never);
    expect(readTimestamp(payloadOf(bytesIn(files, 'timestamp'))).snapshot).toEqual(
      fileInfoOf(bytesIn(files, 'snapshot')),
    );
  });

  test('of the snapshot needs a root that has not expired, and the key', async () => {
    simulator.now = NOW + 11 * YEAR;
    await failure(refresh(), 'metadata-expired');
    simulator.now = NOW + 4 * YEAR;
    simulator.online.forget(await simulator.publicKey(GUN, 'snapshot'));
    await failure(refresh(), 'online-key-missing');
  });

  test('does nothing if there is no collection', async () => {
    expect(await refresh(NONE)).toEqual([]);
  });
});

function infoOf(text: string) {
  const { length, hashes } = fileInfoOf(Buffer.from(text));
  return tree({
    length,
    hashes: Object.fromEntries([...hashes].map(([name, hash]) => [name, hash.toString('base64')])),
  });
}
