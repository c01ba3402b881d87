import { SharedInput } from './shared-input.ts';

/** What is to be fuzzed. */
export interface Plan {
  /** The URL of a module that exports `SUBJECTS`. */
  readonly module: string;
  readonly names: readonly string[];
  readonly seed: number;
  /** The folder of inputs that once broke a subject; they are tried first. */
  readonly corpus: string;
}

/** How far one subject is. */
export interface Progress {
  readonly name: string;
  readonly rounds: number;
  readonly accepted: number;
  readonly seconds: number;
}

/** What the worker tells: how far all subjects are, or what broke one. */
export type Report =
  | { readonly kind: 'progress'; readonly current: string; readonly subjects: readonly Progress[] }
  | { readonly kind: 'failure'; readonly name: string; readonly input: Uint8Array; readonly message: string };

/** What the worker is told to begin with. */
export interface Order extends Plan {
  readonly memory: SharedArrayBuffer;
}

const LOOK_MS = 250;
/** The longest that anything may take before it counts as never ending. */
const HANG_MS = 30_000;

/**
 * Fuzzes in another thread, one subject after the other and again from the start, until it is stopped or something
 * breaks. An input that a subject does not come back from within `hang` milliseconds is a failure too.
 */
export class Campaign {
  private readonly worker: Worker;
  private readonly watch: ReturnType<typeof setInterval>;
  private readonly shared = new SharedInput();
  private count = 0;
  private since = performance.now();

  constructor(plan: Plan, report: (report: Report) => void, hang = HANG_MS) {
    this.worker = new Worker(new URL('./worker.ts', import.meta.url).href);
    const tell = (told: Report) => {
      if (told.kind === 'failure') this.stop();
      report(told);
    };
    this.worker.onmessage = ({ data }) => tell(data as Report);
    this.worker.onerror = ({ message }) => tell({ ...this.tried(plan), message });
    const order: Order = { ...plan, memory: this.shared.memory };
    this.worker.postMessage(order);
    this.watch = setInterval(() => {
      if (this.isHanging(hang)) tell({ ...this.tried(plan), message: `no end after ${hang} ms` });
    }, LOOK_MS);
  }

  stop(): void {
    clearInterval(this.watch);
    this.worker.terminate();
  }

  private isHanging(hang: number): boolean {
    const { count } = this.shared;
    if (count !== this.count || count === 0) this.since = performance.now();
    this.count = count;
    return performance.now() - this.since > hang;
  }

  private tried({ names }: Plan): { kind: 'failure'; name: string; input: Uint8Array } {
    const { subject, input } = this.shared.current;
    return { kind: 'failure', name: names[subject] ?? '', input };
  }
}
