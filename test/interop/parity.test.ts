import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { DIFFERENT_SCENARIOS, differenceIn, REASONS } from '../parity/differences.ts';
import { goldenFile, goldenFolder, readGolden } from '../parity/golden.ts';
import { type Place, startPlace } from '../parity/place.ts';
import { inFrontOf, play, type Scenario } from '../parity/scenario.ts';
import { SCENARIOS } from '../parity/scenarios/index.ts';
import { type DockerCli, dockerClis } from '../support/clis.ts';

/** The docker CLI whose words the goldens are. */
const REFERENCE = 28;
const clis = await dockerClis();

describe.each(clis.map((cli) => [cli.version, cli] as const))('signet as docker, in front of docker %s', (_, cli) => {
  let place: Place;

  beforeAll(async () => {
    place = await startPlace();
  }, 120_000);
  afterAll(() => place?.stop(), 60_000);

  for (const scenario of scenariosFor(cli)) test(scenario.name, () => compare(scenario, place, cli), 60_000);
});

describe('the goldens', () => {
  test('each belongs to a scenario', async () => {
    const files = [...new Bun.Glob('**/*').scanSync(goldenFolder())].sort();
    const expected = SCENARIOS.flatMap(({ name }) => [
      goldenFile(name, 'docker'),
      ...(differenceIn(name) === undefined ? [] : [goldenFile(name, 'signet')]),
    ]);
    expect(files).toEqual(expected.sort());
  });

  test('every difference is one that docs/differences.md tells of', () => {
    const told = readFileSync(join(ROOT, 'docs/differences.md'), 'utf8');
    expect(REASONS.filter((reason) => !told.includes(`| ${reason}`))).toEqual([]);
    const names = SCENARIOS.map(({ name }) => name);
    expect(DIFFERENT_SCENARIOS.filter((name) => !names.includes(name))).toEqual([]);
  });
});

/** What Signet does without the docker command is the same in front of each, and tried with the newest. */
function scenariosFor(cli: DockerCli): readonly Scenario[] {
  const isSignets = (name: string) => /^(?:usage-)?(?:trust|login|logout)/.test(name);
  const known = SCENARIOS.filter(({ since = 0 }) => cli.major >= since);
  return cli === clis.at(-1) ? known : known.filter(({ name }) => !isSignets(name));
}

/** Where another docker than that of the goldens writes the text, only the exit code is the same. */
async function compare(scenario: Scenario, place: Place, cli: DockerCli): Promise<void> {
  const author = differenceIn(scenario.name) === undefined ? 'docker' : 'signet';
  const golden = readGolden(scenario.name, author);
  const transcript = await play(scenario, place, 'signet', inFrontOf(cli));
  if (cli.major === REFERENCE || scenario.isDockers !== true) expect(transcript).toBe(golden);
  else expect(exitCodeOf(transcript)).toBe(exitCodeOf(golden));
}

function exitCodeOf(transcript: string): string | undefined {
  return /^exit (\d+)$/m.exec(transcript)?.[1];
}
