import type { CollectionCopy } from '../../src/core/copy/collection-copy.ts';
import { RELEASES } from '../../src/core/names/role.ts';
import { readCopy } from '../../src/trust/copy/read-copy.ts';
import { MemoryCache } from './memory-cache.ts';
import { Simulator, type SimulatorOptions, sourceOf, target } from './simulator.ts';

export const OLD_SERVER = new URL('https://notary.example.com/');

/** A repository with two root rotations behind it, `targets/releases` with the tag `1.0`, and `latest` in `targets`. */
export async function rotatedRepository(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await Simulator.start(options);
  await simulator.edit((editor) => {
    editor.addDelegation(RELEASES, [simulator.owner.make()], ['']);
    editor.addTarget(RELEASES, '1.0', target(7));
  });
  await simulator.rotateRoot();
  await simulator.rotateRoot();
  return simulator;
}

/** The copy that a client makes who was never there before. */
export function copyOf(simulator: Simulator, warn: (message: string) => void = () => {}): Promise<CollectionCopy> {
  return readCopy({ ...sourceOf(simulator, simulator.now, simulator.gun), cache: new MemoryCache(), warn }, OLD_SERVER);
}
