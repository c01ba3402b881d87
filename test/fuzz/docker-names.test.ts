import { expect, test } from 'bun:test';
import { isSignetError } from '../../src/core/errors/index.ts';
import { parseReference } from '../../src/core/names/reference.ts';
import { dockerClis } from '../support/clis.ts';
import { run } from '../support/run.ts';
import { Dice } from './dice.ts';
import { NAME_SUBJECTS } from './subjects/names.ts';

const NAMES = 80;
/** The first docker CLI whose names may have an IPv6 address for a host. */
const KNOWS_IPV6 = 23;
/** Nobody listens there: a name that docker accepts leads to the engine, and no further. */
const NOWHERE = 'unix:///nowhere/docker.sock';

/** Random names of which about half are accepted, none of them an option or one that no command line can hold. */
function someNames(seed: number): readonly string[] {
  const { seeds, mutate } = NAME_SUBJECTS.reference();
  const dice = new Dice(seed);
  const names = new Set<string>();
  for (let accepted = 0; names.size < NAMES; ) {
    const name = mutate(dice.pick(seeds), dice, seeds).toString('utf8');
    if (name === '' || name.startsWith('-') || name.includes('\0')) continue;
    const isAccepted = accepts(name);
    if (isAccepted && accepted++ > NAMES / 2) continue;
    if (!isAccepted && names.size - accepted > NAMES / 2) continue;
    names.add(name);
  }
  return [...names];
}

function accepts(name: string): boolean {
  try {
    parseReference(name);
    return true;
  } catch (error) {
    if (isSignetError(error, 'reference-invalid')) return false;
    throw error;
  }
}

for (const [index, cli] of (await dockerClis()).entries()) {
  test(`docker ${cli.version} accepts the names that Signet accepts, and refuses the others (seed ${index})`, async () => {
    const names = someNames(index).filter((name) => cli.major >= KNOWS_IPV6 || !name.includes('['));
    const verdicts: [string, boolean][] = [];
    for (const name of names) {
      const { stderr } = await run([cli.path, '--host', NOWHERE, 'pull', name]);
      const isRefused =
        /^(?:invalid (?:reference format|repository name|checksum digest)|unsupported digest algorithm|repository name must not)/.test(
          stderr,
        );
      expect([name, isRefused || /daemon running|connect to the docker/i.test(stderr), stderr]).toEqual([
        name,
        true,
        stderr,
      ]);
      verdicts.push([name, !isRefused]);
    }
    expect(verdicts).toEqual(names.map((name) => [name, accepts(name)]));
    expect(new Set(verdicts.map(([, verdict]) => verdict)).size).toBe(2);
  }, 60_000);
}
