import { strictEqual } from 'node:assert';
import { canonicalText } from '../../../src/core/json/canonical.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { fileInfoJson, fileInfoOf } from '../../../src/core/metadata/file-info.ts';
import { isTargetsRole, parseDelegation, type RoleName } from '../../../src/core/names/role.ts';
import { type Collection, updateCollection } from '../../../src/trust/update/collection.ts';
import { put } from '../../support/forgery.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { Simulator, sourceOf, target } from '../../support/simulator.ts';
import { Dice } from '../dice.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, generated } from '../mutate.ts';
import { json } from '../mutate-json.ts';
import { importing } from './import.ts';
import { TRUST_ERRORS } from './trust-errors.ts';
import { upload } from './upload.ts';

const ALICE = parseDelegation('targets/alice');
const ROLES: readonly RoleName[] = ['root', 'timestamp', 'snapshot', 'targets', ALICE];
const SEEDS = 2 ** 31;
const change = anyOf(json(['2', '"2126-01-01T00:00:00Z"', '[]', '{}']), bytes);

/**
 * One file of a valid collection is changed, and what vouches for it is forged by one who has those keys. A client that
 * was never there refuses all, or passes over the file, or trusts what the file's own signers have signed.
 *
 * An input names a role and the seed of the change: keys and signatures are others each time, so files would say nothing.
 */
async function trustedSet(): Promise<Subject> {
  const simulator = await Simulator.start();
  await simulator.edit((editor) => {
    editor.addDelegation(ALICE, [simulator.owner.make()], ['']);
    editor.addTarget(ALICE, 'a', target(1));
    editor.addTarget('targets', 'b', target(2));
  });
  const honest = simulator.state;
  const files = [...honest.values()];
  return {
    seeds: ROLES.map((role) => Buffer.from(`${role} none`)),
    mutate: generated((dice) => `${dice.pick(ROLES)} ${dice.below(SEEDS)}`),
    refusals: TRUST_ERRORS,
    check: async (input) => {
      const [name = '', seed = ''] = input.toString('utf8').split(' ');
      const role = ROLES.find((each) => each === name);
      if (role === undefined) throw new Refused();
      simulator.serve(honest);
      const original = simulator.file(role);
      const dice = new Dice(Number(seed));
      forge(simulator, role, seed === 'none' ? original : change(change(original, dice, files), dice, files));
      const trusted = await trustedPayload(simulator, role);
      if (trusted === undefined) throw new Refused();
      strictEqual(trusted, canonicalText(parseEnvelope(role, original).signed), 'what nobody signed is trusted');
    },
  };
}

function forge(simulator: Simulator, role: RoleName, file: Buffer): void {
  if (role !== 'timestamp' && role !== 'snapshot') {
    simulator.relist(put(['meta', role], new Map(fileInfoJson(fileInfoOf(file)))));
  }
  simulator.replace(role, file);
  if (role === 'snapshot') simulator.restamp();
}

/** What a new client takes for the role's payload; undefined where it passes over the file. */
async function trustedPayload(simulator: Simulator, role: RoleName): Promise<string | undefined> {
  const { set } = await freshClient(simulator);
  const envelopes = { root: set.root.envelope, timestamp: set.timestamp.envelope, snapshot: set.snapshot.envelope };
  const envelope = isTargetsRole(role) ? set.targets.get(role)?.envelope : envelopes[role as keyof typeof envelopes];
  return envelope === undefined ? undefined : canonicalText(envelope.signed);
}

function freshClient(simulator: Simulator): Promise<Collection> {
  return updateCollection({ ...sourceOf(simulator, simulator.now), cache: new MemoryCache(), purpose: 'read' });
}

export const TRUST_SUBJECTS = { 'trusted-set': trustedSet, upload, import: importing };
