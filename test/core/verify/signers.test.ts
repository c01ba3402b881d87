import { expect, test } from 'bun:test';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { readTargets, type Targets } from '../../../src/core/metadata/targets.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { parseDelegation, type TargetsRole } from '../../../src/core/names/role.ts';
import { baseSigners, canonicalIdIn, canonicalKeyIds, targetsSigners } from '../../../src/core/verify/signers.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf } from '../../support/forgery.ts';
import { certified } from '../../support/private-keys.ts';
import { GUN, NOW, Simulator } from '../../support/simulator.ts';

const ALICE = parseDelegation('targets/alice');
const SUB = parseDelegation('targets/alice/sub');

async function world() {
  const key = generatePrivateKey('ecdsa').publicKey;
  const other = generatePrivateKey('ed25519').publicKey;
  const simulator = await Simulator.start({
    edit: (editor) => editor.addDelegation(ALICE, [key, other], ['a'], 2),
  });
  const root = readRoot(payloadOf(simulator.file('root')));
  const targets = readTargets('targets', payloadOf(simulator.file('targets')));
  return { key, other, root, targets };
}

test('a role is looked up under its own delegator only', async () => {
  const { key, other, root, targets } = await world();
  const payloads = new Map<TargetsRole, Targets>([['targets', targets]]);
  const payloadOfRole = (role: TargetsRole) => payloads.get(role);
  expect(targetsSigners('targets', root, payloadOfRole)).toEqual(baseSigners(root, 'targets'));
  expect(targetsSigners(ALICE, root, payloadOfRole)).toMatchObject({ keyIds: [key.id, other.id], threshold: 2 });
  const error = await failure(() => targetsSigners(SUB, root, payloadOfRole), 'role-unknown');
  expect(error.message).toBe('tuf: invalid role targets/alice/sub. delegation does not exist');
  // What `targets` says of a role two levels below it counts for nothing.
  const [alice] = targets.delegations;
  if (alice === undefined) throw new Error('no delegation');
  payloads.set('targets', { ...targets, delegations: [alice, { ...alice, name: SUB }] });
  await failure(() => targetsSigners(SUB, root, payloadOfRole), 'role-unknown');
  payloads.delete('targets');
  await failure(() => targetsSigners(ALICE, root, payloadOfRole), 'role-unknown');
});

test('keys have the IDs of their private halves, whatever certificate lists them', () => {
  const key = generatePrivateKey('ecdsa');
  const certificate = certified(key, GUN, NOW);
  const keys = new Map([[certificate.id, certificate]]);
  expect(certificate.id).not.toBe(key.id);
  expect(canonicalIdIn(keys, certificate.id)).toBe(key.id);
  const unlisted = parseKeyId('ab'.repeat(32));
  expect(canonicalKeyIds({ keys, keyIds: [certificate.id, unlisted] })).toEqual([key.id, unlisted]);
});
