import type { DockerCli } from '../support/clis.ts';
import { ACTS, type Act } from './acts.ts';
import { dockerBesideSignet, type Frontend, signetAsDocker, stockDocker } from './frontend.ts';
import { byTurns, keysOfSignet, type Program, sameStory, secondSigner } from './mixed-steps.ts';

/** A way to go through the lesson. */
export interface Way {
  readonly title: string;
  readonly face: Frontend;
  readonly acts: readonly Act[];
}

/** A: with Signet as docker. */
export function wayA(cli: DockerCli): Way {
  return { title: `A: signet as docker, with docker ${cli.version} behind it`, face: signetAsDocker(cli), acts: ACTS };
}

/** B: with a stock docker CLI, which must be one that knows content trust. */
export function wayB(cli: DockerCli): Way {
  return { title: `B: stock docker ${cli.version}`, face: stockDocker(cli), acts: ACTS };
}

/** C: docker and signet by turns in the same home; `first` begins. */
export function wayC(cli: DockerCli, first: Program): Way {
  const last = ACTS.slice(-1);
  const acts = [...ACTS.slice(0, -1).map((act) => typedByTurns(act, first)), ...MIXED_ACTS];
  return {
    title: `C: docker ${cli.version} and signet by turns, ${first} first`,
    face: dockerBesideSignet(cli),
    acts: [...acts, ...last.map((act) => typedByTurns(act, first))],
  };
}

const MIXED_ACTS: readonly Act[] = [
  { title: 'docker, signet and notary tell the same story', begin: ({ server }, place) => sameStory(place, server) },
  {
    title: 'a second signer comes and goes',
    begin: async (world, place) => secondSigner(place, await world.loggedIn(world.person('bob'), 'bob')),
  },
  {
    title: 'keys of signet in the hands of docker',
    begin: async (world, place) => keysOfSignet(place, await world.loggedIn(world.person('alice'))),
  },
];

function typedByTurns({ title, begin }: Act, first: Program): Act {
  return { title, begin: async (world, place) => byTurns(first, await begin(world, place)) };
}
