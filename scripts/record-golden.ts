import { differenceIn } from '../test/parity/differences.ts';
import { type Author, writeGolden } from '../test/parity/golden.ts';
import { startPlace } from '../test/parity/place.ts';
import { inFrontOf, play } from '../test/parity/scenario.ts';
import { SCENARIOS } from '../test/parity/scenarios/index.ts';
import { cleanUp } from '../test/support/cleanup.ts';
import { dockerClis } from '../test/support/clis.ts';

/** The last docker CLI with complete content trust. */
const REFERENCE = 28;

/**
 * Records the output of the docker CLI 28 in every scenario whose name contains one of `filters` (all without filters),
 * and Signet's output where it differs on purpose. Review the difference before you commit it.
 */
async function main(filters: readonly string[]): Promise<void> {
  const docker = (await dockerClis()).find(({ major }) => major === REFERENCE);
  if (docker === undefined) throw new Error(`there is no docker CLI ${REFERENCE} on this machine`);
  const chosen = SCENARIOS.filter(({ name }) => filters.length === 0 || filters.some((part) => name.includes(part)));
  const record = async (author: Author, command: readonly string[], of: typeof chosen) => {
    const place = await startPlace();
    for (const scenario of of) {
      console.log(`${author}: ${scenario.name}`);
      writeGolden(scenario.name, author, await play(scenario, place, author, command));
    }
    await place.stop();
  };
  await record('docker', [docker.path], chosen);
  await record(
    'signet',
    inFrontOf(docker),
    chosen.filter(({ name }) => differenceIn(name) !== undefined),
  );
}

try {
  await main(process.argv.slice(2));
} finally {
  await cleanUp();
}
