import { freePort } from '../support/signet-server.ts';
import { startTrustRelay } from '../support/trust-relay.ts';
import { takenBack, triedNext } from './after-steps.ts';
import { attackedByReplay, attackedInTheRegistry, trustServerDown } from './attack-steps.ts';
import { credentialHelper } from './credential-steps.ts';
import { everyday } from './everyday-steps.ts';
import type { World } from './place.ts';
import type { Step } from './step.ts';
import { lessonSteps, type Place } from './steps.ts';

/** A part of the whole lesson. Each builds on what those before it have left. */
export interface Act {
  readonly title: string;
  /** Prepares the people that take part, and returns what they type. */
  begin(world: World, place: Place): Step[] | Promise<Step[]>;
}

/** The lesson, what a user tries next, and the attacks. */
export const ACTS: readonly Act[] = [
  { title: 'the lesson', begin: (_, place) => lessonSteps(place) },
  { title: 'what a user tries next', begin: (_, place) => triedNext(place) },
  { title: 'docker as every day', begin: (_, place) => everyday(place) },
  { title: 'a credential helper', begin: (world, place) => credentialHelper(place, world.person('newcomer')) },
  {
    title: 'a tag overwritten in the registry',
    begin: async (world, place) => attackedInTheRegistry(place, await world.loggedIn(world.person('mallory'))),
  },
  {
    title: "yesterday's trust data",
    begin: async (world, place) =>
      attackedByReplay(place, await world.loggedIn(world.person('victim')), startTrustRelay(world.server)),
  },
  {
    title: 'a trust server that is down',
    begin: async (world, place) =>
      trustServerDown(place, await world.loggedIn(world.person('newcomer')), await freePort()),
  },
  { title: 'trust taken back', begin: (_, place) => takenBack(place) },
];
