import { afterAll, beforeAll, describe, test } from 'bun:test';
import { trustingClis } from '../support/clis.ts';
import { freePort } from '../support/signet-server.ts';
import { startTrustRelay } from '../support/trust-relay.ts';
import { takenBack, triedNext } from './after-steps.ts';
import { attackedByReplay, attackedInTheRegistry, trustServerDown } from './attack-steps.ts';
import { credentialHelper } from './credential-steps.ts';
import { startWorld, type World } from './place.ts';
import { runSteps } from './step.ts';
import { lessonSteps, type Place } from './steps.ts';

for (const cli of await trustingClis()) {
  describe(`docker ${cli.version}`, () => {
    let world: World;
    let place: Place;
    beforeAll(async () => {
      world = await startWorld(cli);
      place = world.lessonFor(world.person([cli.path]));
    }, 60_000);
    afterAll(() => world?.stop(), 60_000);

    test('the lesson', () => runSteps(lessonSteps(place)), 120_000);

    test('what a user tries next', () => runSteps(triedNext(place)), 120_000);

    test('a credential helper', () => runSteps(credentialHelper(place, world.person([cli.path]))), 60_000);

    test('a tag overwritten in the registry', async () => {
      const attacker = await world.loggedIn(world.person([cli.path]));
      await runSteps(attackedInTheRegistry(place, attacker));
    }, 60_000);

    test("yesterday's trust data", async () => {
      const victim = await world.loggedIn(world.person([cli.path]));
      await runSteps(attackedByReplay(place, victim, startTrustRelay(world.server)));
    }, 60_000);

    test('a trust server that is down', async () => {
      const newcomer = await world.loggedIn(world.person([cli.path]));
      await runSteps(trustServerDown(place, newcomer, await freePort()));
    }, 60_000);

    test('trust taken back', () => runSteps(takenBack(place)), 60_000);
  });
}
