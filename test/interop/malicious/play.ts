import { expect, test } from 'bun:test';
import type { ErrorCode } from '../../../src/core/errors/index.ts';
import { EVIL, GOOD } from './images.ts';
import { type Command, type Ended, READING, type Victim } from './victim.ts';
import { type Circumstances, makeWorld, type World } from './world.ts';

/** How a command must end: refused with this code, or done with the image that is rightly signed. */
export type Ending = ErrorCode | 'goes on';
/** The same for every command, or with exceptions. */
export type Endings = Ending | ({ readonly all: Ending } & Partial<Record<Command, Ending>>);

/** One attack: what the server begins to say, and what becomes of it. */
export interface Attack extends Circumstances {
  readonly name: string;
  readonly lie: (world: World) => void | Promise<void>;
  /** For somebody who was here before; absent where the attack is none on them. */
  readonly warm?: Endings;
  /** For somebody who was not; absent where nobody who comes first can know. */
  readonly cold?: Endings;
  /** The attacker has keys that are rightly trusted, so that what they sign is taken note of though it leads to nothing. */
  readonly isNoted?: boolean;
}

/** Plays each attack on every command of both victims. */
export function play(attacks: readonly Attack[]): void {
  test.each(attacks.map((attack) => [attack.name, attack] as const))(
    '%s',
    async (_name, attack) => {
      const world = await makeWorld(attack);
      await attack.lie(world);
      const { warm, cold } = world;
      await Promise.all([face(world, warm, attack.warm, attack), face(world, cold, attack.cold, attack)]);
      const wasUsed = [attack.warm, attack.cold].some((endings) => endings !== undefined && goesOn(endings, 'run'));
      const image = `${world.server.gun}@${GOOD.digest}`;
      if (wasUsed) expect(world.started()).toContain(`docker run --rm ${image}`);
      else expect(world.started()).toEqual([]);
      expect(JSON.stringify(world.started())).not.toContain(EVIL.digest);
      expect(world.server.requests.filter((request) => request.includes('..'))).toEqual([]);
      for (const files of world.server.published) {
        for (const file of files.values()) expect(file.toString()).not.toContain(evilHash);
      }
    },
    60_000,
  );
}

const evilHash = Buffer.from(EVIL.digest.slice('sha256:'.length), 'hex').toString('base64');

async function face(world: World, victim: Victim, endings: Endings | undefined, attack: Attack): Promise<void> {
  if (endings === undefined) return;
  const before = victim.belongings();
  const read = await Promise.all(READING.map(async (command) => [command, await victim.type(command)] as const));
  for (const [command, ended] of read) check(command, ended, endingOf(endings, command));
  const learns = attack.isNoted === true || (victim === world.cold && goesOn(endings, 'run'));
  if (!learns) expect(victim.belongings()).toEqual(before);
  const published = world.server.published.length;
  const known = victim.belongings();
  const signing = endingOf(endings, 'sign');
  check('sign', await victim.type('sign'), signing);
  if (signing === 'goes on') return;
  expect(world.server.published).toHaveLength(published);
  if (!learns) expect(victim.belongings()).toEqual(known);
}

function check(command: Command, ended: Ended, ending: Ending): void {
  const exitCode = ending === 'goes on' ? 0 : command === 'run' ? 125 : 1;
  const code = ending === 'goes on' ? undefined : ending;
  const { stdout, stderr } = ended;
  expect({ command, code: ended.code, exitCode: ended.exitCode, stdout, stderr }).toMatchObject({
    command,
    code,
    exitCode,
  });
  expect(stdout).not.toContain(EVIL.digest.slice('sha256:'.length));
}

function endingOf(endings: Endings, command: Command): Ending {
  return typeof endings === 'string' ? endings : (endings[command] ?? endings.all);
}

function goesOn(endings: Endings, command: Command): boolean {
  return endingOf(endings, command) === 'goes on';
}
