import { describe, expect, test } from 'bun:test';
import { rootSigners, shortfallOf, signSnapshot } from '../../../src/core/edit/edition.ts';
import { Editor } from '../../../src/core/edit/editor.ts';
import type { SigningKeys } from '../../../src/core/edit/signing.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { matchesFile } from '../../../src/core/metadata/file-info.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { readSnapshot } from '../../../src/core/metadata/snapshot.ts';
import { readTargets } from '../../../src/core/metadata/targets.ts';
import { parseDelegation } from '../../../src/core/names/role.ts';
import { YEAR } from '../../../src/core/time.ts';
import { baseSigners } from '../../../src/core/verify/signers.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf, signaturesOver, withSignatures } from '../../support/forgery.ts';
import { NOW, Simulator, target } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';

const ALICE = parseDelegation('targets/alice');

describe('an edition', () => {
  test('has each file that changed, one version on, signed by all keys that are here', async () => {
    const simulator = await Simulator.start();
    const [own, others] = [simulator.owner.make(), new TestKeys().make()];
    const { set } = await simulator.trusted();
    const editor = Editor.of(set);
    editor.addDelegation(ALICE, [own, others], [''], 2);
    editor.addTarget(ALICE, 'v1', target(1));
    const { files, incomplete } = await editor.edition(simulator.owner, NOW);
    expect([...files.keys()]).toEqual(['targets', ALICE]);
    expect([...incomplete.keys()]).toEqual([ALICE]);
    expect(incomplete.get(ALICE)?.signatures.map(({ keyId }) => keyId)).toEqual([own.id]);
    expect(readTargets('targets', payloadOf(files.get('targets') ?? Buffer.of())).version).toBe(2);
    const error = await failure(editor.sign(simulator.owner, NOW), 'signing-key-missing');
    expect(error.message).toBe(
      `not enough signing keys: found 1 of 2 needed keys - 1 other possible keys (${others.id})`,
    );
  });

  test('of 10,000 new targets in one role is one signature: the signer may be slow, or far away', async () => {
    const simulator = await Simulator.start();
    const editor = Editor.of((await simulator.trusted()).set);
    for (let count = 0; count < 10_000; count++) editor.addTarget('targets', `v${count}`, target(count % 256));
    const signed: string[] = [];
    const counting: SigningKeys = {
      find: async (id, role) => {
        const signer = await simulator.owner.find(id);
        if (signer === undefined) return undefined;
        return {
          ...signer,
          sign: (message) => {
            signed.push(role);
            return signer.sign(message);
          },
        };
      },
    };
    const { files, incomplete } = await editor.edition(counting, NOW);
    expect([[...files.keys()], [...incomplete.keys()], signed]).toEqual([['targets'], [], ['targets']]);
  });

  test('of a file that no key here can sign is none', async () => {
    const simulator = await Simulator.start();
    const editor = Editor.of((await simulator.trusted()).set);
    editor.addTarget('targets', 'v2', target(2));
    await failure(editor.edition(new TestKeys(), NOW), 'signing-key-missing');
  });
});

test('a root lacks signatures as long as one of its two groups does', async () => {
  const simulator = await Simulator.start();
  const formerRoot = readRoot(payloadOf(simulator.file('root')));
  const formerSigners = simulator.signersOf('root');
  await simulator.rotateRoot();
  const file = simulator.file('root');
  const root = readRoot(payloadOf(file));
  const groups = rootSigners({ root, formerRoot });
  expect(groups).toEqual([baseSigners(root, 'root'), baseSigners(formerRoot, 'root')]);
  expect(rootSigners({ root, formerRoot: undefined })).toHaveLength(1);
  const signedBy = (signers: typeof formerSigners) =>
    parseEnvelope('root', withSignatures('root', file, signaturesOver(payloadOf(file), signers)));
  expect(shortfallOf(parseEnvelope('root', file), groups)).toBeUndefined();
  expect(shortfallOf(signedBy(formerSigners), groups)?.signers).toEqual(baseSigners(root, 'root'));
  expect(shortfallOf(signedBy(simulator.signersOf('root')), groups)?.signers).toEqual(baseSigners(formerRoot, 'root'));
});

describe('a snapshot', () => {
  test('is made where its key is here: what it listed stays, what is new takes its place', async () => {
    const simulator = await Simulator.start({ snapshotKeyBy: 'owner' });
    const { set } = await simulator.trusted();
    const targets = Buffer.from('new targets');
    const bytes = await signSnapshot(
      set.root.root,
      set.snapshot.payload,
      new Map([['targets', targets]]),
      simulator.owner,
      NOW,
    );
    const { version, expires, meta } = readSnapshot(payloadOf(bytes ?? Buffer.of()));
    expect([version, expires.at > NOW + 2 * YEAR]).toEqual([2, true]);
    expect([...meta.keys()].sort()).toEqual(['root', 'targets']);
    const [root, promised] = [meta.get('root'), meta.get('targets')];
    if (root === undefined || promised === undefined) throw new Error('not listed');
    expect(matchesFile('root', simulator.file('root'), root)).toBe(true);
    expect(matchesFile('targets', targets, promised)).toBe(true);
  });

  test('is the server’s where its key is not here, and no one’s where its keys are too few', async () => {
    const simulator = await Simulator.start();
    const { root } = (await simulator.trusted()).set.root;
    expect(await signSnapshot(root, undefined, new Map(), simulator.owner, NOW)).toBeUndefined();
    const editor = Editor.of((await simulator.trusted()).set);
    editor.replaceKeys('snapshot', [simulator.owner.make(), new TestKeys().make()], 2);
    const { files } = await editor.edition(simulator.owner, NOW);
    const two = readRoot(payloadOf(files.get('root') ?? Buffer.of()));
    await failure(signSnapshot(two, undefined, files, simulator.owner, NOW), 'signing-key-missing');
    await failure(editor.sign(simulator.owner, NOW), 'signing-key-missing');
  });
});
