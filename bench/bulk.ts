/**
 * How long bulk edits of a collection take: n targets are added, signed, replaced and removed by one editor, and read again by
 * a client, for n, 2n and 4n. Work that is linear has a ratio near 2 from one row to the next, quadratic work one of 4.
 *
 *     npx bun bench/bulk.ts [N]
 */
import { Editor } from '../src/core/edit/editor.ts';
import { parseDelegation } from '../src/core/names/role.ts';
import { allTargets } from '../src/core/verify/lookup.ts';
import { Simulator, target } from '../test/support/simulator.ts';

const START = Number(process.argv[2] ?? 5000);
const ROLE = parseDelegation('targets/releases');
const STEPS = ['add', 'sign and publish', 'read', 'look up', 'replace', 'remove'] as const;
type Step = (typeof STEPS)[number];

function forEachName(count: number, work: (name: string) => void): void {
  for (let index = 0; index < count; index++) work(`v${index}`);
}

async function measure(count: number): Promise<ReadonlyMap<Step, number>> {
  const times = new Map<Step, number>();
  const timed = async <T>(step: Step, work: () => T | Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    times.set(step, performance.now() - start);
    return result;
  };
  const simulator = await Simulator.start();
  await simulator.edit((editor) => editor.addDelegation(ROLE, [simulator.owner.make()], ['']));
  const editor = Editor.of((await simulator.trusted()).set);
  await timed('add', () => forEachName(count, (name) => editor.addTarget(ROLE, name, target(1))));
  await timed('sign and publish', async () =>
    simulator.publish(simulator.gun, await editor.sign(simulator.owner, simulator.now)),
  );
  const { set } = await timed('read', () => simulator.trusted());
  await timed('look up', () => forEachName(count, (name) => allTargets(set, name)));
  const next = Editor.of(set);
  await timed('replace', () => forEachName(count, (name) => next.addTarget(ROLE, name, target(2))));
  await timed('remove', () => forEachName(count, (name) => next.removeTarget(ROLE, name)));
  return times;
}

await measure(100);
const counts = [START, 2 * START, 4 * START];
const results: ReadonlyMap<Step, number>[] = [];
for (const count of counts) results.push(await measure(count));

const cell = (text: string) => text.padStart(16);
console.log([cell('targets'), ...STEPS.map(cell)].join(''));
for (const [row, count] of counts.entries()) {
  const before = results[row - 1];
  const figures = STEPS.map((step) => {
    const time = results[row]?.get(step) ?? 0;
    const ratio = before === undefined ? '' : ` (x${(time / (before.get(step) ?? time)).toFixed(1)})`;
    return cell(`${time.toFixed(0)} ms${ratio}`);
  });
  console.log([cell(String(count)), ...figures].join(''));
}
