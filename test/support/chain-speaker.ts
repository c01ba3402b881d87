import { ChainWriter, type KnownFiles, parseChain } from '../../src/core/chain.ts';
import { digestHex, digestOf } from '../../src/core/names/digest.ts';
import type { Simulator } from './simulator.ts';

/** Makes the simulator answer as Signet's server does, modified by `change`; its lies are included. */
export function speakChain(simulator: Simulator, change: (files: Map<string, Buffer>) => void = () => {}): void {
  simulator.chainFor = (known, timestamp) => {
    if (known.timestamp === sha256(timestamp)) return undefined;
    const files = currentFiles(simulator, known, timestamp);
    change(files);
    const writer = new ChainWriter();
    for (const [name, bytes] of files) writer.add(name, bytes);
    return parseChain(writer.finish());
  };
}

function currentFiles(simulator: Simulator, known: KnownFiles, timestamp: Buffer): Map<string, Buffer> {
  const files = new Map([['timestamp', timestamp]]);
  const add = (name: string, truth: Buffer | undefined) => {
    const said = simulator.lies.get(name) ?? truth;
    if (said instanceof Uint8Array) files.set(name, Buffer.from(said));
  };
  if (known.root !== sha256(simulator.file('root'))) {
    add('root', simulator.file('root'));
    for (let version = 2; simulator.byName(`${version + 1}.root`) !== undefined; version++) {
      add(`${version}.root`, simulator.byName(`${version}.root`));
    }
  }
  for (const [role, bytes] of simulator.state) if (role !== 'timestamp' && role !== 'root') add(role, bytes);
  return files;
}

function sha256(bytes: Uint8Array): string {
  return digestHex(digestOf(bytes));
}
