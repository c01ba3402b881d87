import { afterAll, beforeAll, describe, test } from 'bun:test';
import { startWorld, type World } from './place.ts';
import { runSteps } from './step.ts';
import type { Place } from './steps.ts';
import type { Way } from './ways.ts';

const STARTING_AND_STOPPING_MS = 60_000;
const ACT_MS = 120_000;

/** Tests one way through the whole lesson, on an engine and a server of its own. */
export function testLesson({ title, face, acts }: Way): void {
  describe(title, () => {
    let world: World;
    let place: Place;
    beforeAll(async () => {
      world = await startWorld(face);
      place = world.lessonFor(world.person('alice'));
    }, STARTING_AND_STOPPING_MS);
    afterAll(() => world?.stop(), STARTING_AND_STOPPING_MS);

    for (const act of acts) {
      test(act.title, async () => runSteps(await act.begin(world, place)), ACT_MS);
    }
  });
}
