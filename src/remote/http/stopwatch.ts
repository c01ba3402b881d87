/** Aborts a request that does not make progress in the time it is allowed. */
export class Stopwatch {
  private readonly deadline: number;
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private runOut = false;

  /** `deadline` is the moment, on the clock of `performance.now()`, that no allowance reaches beyond. */
  constructor(deadline: number) {
    this.deadline = deadline;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whether time ran out, as opposed to every other reason for an abort. */
  get hasRunOut(): boolean {
    return this.runOut;
  }

  /** Gives that many milliseconds from now, in place of what was left. */
  allow(milliseconds: number): void {
    clearTimeout(this.timer);
    const left = Math.max(0, Math.min(milliseconds, this.deadline - performance.now()));
    this.timer = setTimeout(() => {
      this.runOut = true;
      this.controller.abort();
    }, left);
  }

  /** Ends the watch, and with it whatever of the response was not read. */
  stop(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }
}
