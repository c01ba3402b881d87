import type { Order, Progress, Report } from './campaign.ts';
import { corpusOf } from './corpus.ts';
import { seedFor } from './dice.ts';
import { attempt, type Failure, Fuzzer, type Subject, shrink } from './engine.ts';
import { SharedInput } from './shared-input.ts';

declare const self: Worker;

/** How long one subject has its turn, in milliseconds. */
const TURN_MS = 250;
const SHRINK_MS = 20_000;

/** A subject and how far it is. */
interface Runner {
  readonly name: string;
  readonly subject: Subject;
  readonly fuzzer: Fuzzer;
  readonly before: (input: Buffer) => void;
  milliseconds: number;
}

self.onmessage = ({ data }) => void work(data as Order);

async function work(order: Order): Promise<void> {
  const runners = await prepare(order);
  const broken = (await replay(runners, order)) ?? (await fuzz(runners));
  const { name, subject, before, failure } = broken;
  const { input, error } = await shrink(subject, failure, SHRINK_MS, before);
  tell({ kind: 'failure', name, input, message: error.stack ?? error.message });
}

async function prepare({ module, names, seed, memory }: Order): Promise<Runner[]> {
  const { SUBJECTS } = (await import(module)) as { SUBJECTS: ReadonlyMap<string, () => Subject | Promise<Subject>> };
  const shared = new SharedInput(memory);
  const runners: Runner[] = [];
  for (const [index, name] of names.entries()) {
    const subject = await SUBJECTS.get(name)?.();
    if (subject === undefined) throw new Error(`there is no subject ${name}`);
    const before = (input: Buffer) => shared.set(index, input);
    runners.push({ name, subject, before, fuzzer: new Fuzzer(subject, seedFor(name, seed), before), milliseconds: 0 });
  }
  return runners;
}

/** Tries what once broke a subject. */
async function replay(runners: readonly Runner[], { corpus }: Order) {
  for (const runner of runners) {
    for (const input of corpusOf(corpus, runner.name).values()) {
      runner.before(input);
      const error = await attempt(runner.subject, input).then(
        () => undefined,
        (thrown) => thrown as Error,
      );
      if (error !== undefined) return { ...runner, failure: { input, error } };
    }
  }
  return undefined;
}

/** Ends only where something breaks. */
async function fuzz(runners: readonly Runner[]): Promise<Runner & { failure: Failure }> {
  for (let turn = 0; ; turn++) {
    const runner = runners[turn % runners.length] as Runner;
    const started = performance.now();
    const end = started + TURN_MS;
    let failure: Failure | undefined;
    while (failure === undefined && performance.now() < end) failure = await runner.fuzzer.round();
    runner.milliseconds += performance.now() - started;
    if (failure !== undefined) return { ...runner, failure };
    tell({ kind: 'progress', current: runner.name, subjects: runners.map(progressOf) });
  }
}

function progressOf({ name, fuzzer, milliseconds }: Runner): Progress {
  return { name, rounds: fuzzer.rounds, accepted: fuzzer.accepted, seconds: milliseconds / 1000 };
}

function tell(report: Report): void {
  self.postMessage(report);
}
