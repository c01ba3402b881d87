import { acceptImport } from '../../../src/core/accept/import.ts';
import type { StoredFile } from '../../../src/core/accept/stored-file.ts';
import { Editor } from '../../../src/core/edit/editor.ts';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { readSnapshot } from '../../../src/core/metadata/snapshot.ts';
import { parseDelegation, type RoleName } from '../../../src/core/names/role.ts';
import { updateCollection } from '../../../src/trust/update/collection.ts';
import { payloadOf, type Signer, sealed } from '../../support/forgery.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { Simulator, type State, sourceOf, target } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';
import { Dice } from '../dice.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, generated } from '../mutate.ts';
import { json } from '../mutate-json.ts';
import { UPLOAD_ERRORS } from './trust-errors.ts';

const ALICE = parseDelegation('targets/alice');
const NAMES = ['1.root', '2.root', '3.root', 'timestamp', 'snapshot', 'targets', ALICE] as const;
/** What becomes of a changed file: nothing more; it is signed again; what vouches for it is forged as well. */
const WAYS = ['plain', 'signed', 'listed'] as const;
const SEEDS = 2 ** 31;
const change = anyOf(
  json(['2', '3', '"2126-01-01T00:00:00Z"', '"2020-01-01T00:00:00Z"', '[]', '{}', '2147483647']),
  bytes,
);

/**
 * One file of a collection that moves is changed, by one who has every key of the old server. An import that is accepted is one
 * that clients go on with: those who come anew, and those who have loaded that very collection on the old server.
 *
 * An input names the file, what becomes of it and the seed of the change: keys and signatures are others each time.
 */
export async function importing(): Promise<Subject> {
  const [old, fresh] = [await Simulator.start(), await Simulator.start()];
  await old.rotateRoot();
  await old.edit((editor) => {
    editor.addDelegation(ALICE, [old.owner.make()], ['']);
    editor.addTarget(ALICE, 'a', target(1));
  });
  const honest = old.state;
  const online = new TestKeys();
  const editor = Editor.of((await old.trusted()).set);
  for (const role of ['timestamp', 'snapshot'] as const) editor.replaceKeys(role, [online.make('ed25519')]);
  const root = (await editor.sign(old.owner, old.now)).get('root') ?? Buffer.of();
  const roots = new Map([
    ['1.root', old.byName('1.root') ?? Buffer.of()],
    ['3.root', root],
  ]);
  const everyone = signersIn(old);
  return {
    seeds: NAMES.map((name) => Buffer.from(`${name} plain none`)),
    mutate: generated((dice) => `${dice.pick(NAMES)} ${dice.pick(WAYS)} ${dice.below(SEEDS)}`),
    refusals: [...UPLOAD_ERRORS, 'too-large'],
    check: async (input) => {
      const [name = '', way = '', seed = ''] = input.toString('utf8').split(' ');
      const role = name === '2.root' ? 'root' : name;
      const original = roots.get(name) ?? honest.get(role as RoleName);
      if (original === undefined) throw new Refused();
      const dice = new Dice(Number(seed));
      const changed = seed === 'none' ? original : change(original, dice, [original]);
      const file = way === 'plain' || seed === 'none' ? changed : sealed(payloadOf(changed), everyone);
      old.serve(honest);
      if (!roots.has(name)) old.replace(role as RoleName, file);
      if (way === 'listed' && role === 'snapshot') old.restamp();
      else if (way === 'listed' && role !== 'timestamp' && !roots.has(name)) old.relist();
      const files = new Map([
        ...roots,
        ['2.root', old.file('root')],
        ...[...old.state].filter(([each]) => each !== 'root'),
      ]);
      if (roots.has(name)) files.set(name, file);
      const parts = [...files].map(([each, content]) => ({ role: each, bytes: content }));
      const accepted = await acceptImport({ gun: old.gun, parts, signer: online, now: old.now });
      // What no client could load there need not be loaded here.
      if (!(await isLoaded(old, undefined))) throw new Refused();
      serve(fresh, accepted);
      for (const before of [undefined, old.state]) {
        if (!(await isLoaded(fresh, before))) throw new Error('a client refuses what was imported');
      }
    },
  };
}

/** Every key that ever signed for a role. */
function signersIn(simulator: Simulator): readonly Signer[] {
  return (['root', 'timestamp', 'snapshot', 'targets', ALICE] as const).flatMap((role) => simulator.signersOf(role));
}

/** Serves the last file of each role that the last snapshot lists, and every root by its version. */
function serve(simulator: Simulator, accepted: readonly StoredFile[]): void {
  const last = new Map(accepted.map(({ role, bytes: content }) => [role, content] as const));
  const { meta } = readSnapshot(payloadOf(last.get('snapshot') ?? Buffer.of()));
  simulator.serve(new Map([...last].filter(([role]) => role === 'timestamp' || role === 'snapshot' || meta.has(role))));
  simulator.lies.clear();
  for (const { role, version, bytes: content } of accepted)
    if (role === 'root') simulator.lies.set(`${version}.root`, content);
}

async function isLoaded(simulator: Simulator, before: State | undefined): Promise<boolean> {
  const cache = new MemoryCache();
  for (const [role, content] of before ?? []) await cache.write(simulator.gun, role, content);
  try {
    await updateCollection({ ...sourceOf(simulator, simulator.now), cache, purpose: 'read' });
    return true;
  } catch (error) {
    if (isSignetError(error)) return false;
    throw error;
  }
}
