/** Aborts a request that makes no progress within the allowed time. */
export class Stopwatch {
  private readonly deadline: number;
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private runOut = false;

  /** `deadline`, on the clock of `performance.now()`, is the end of the last allowance. */
  constructor(deadline: number) {
    this.deadline = deadline;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whether the time limit was the reason for an abort. */
  get hasRunOut(): boolean {
    return this.runOut;
  }

  /** Allows that many milliseconds from now, replacing the current limit. */
  allow(milliseconds: number): void {
    clearTimeout(this.timer);
    const left = Math.max(0, Math.min(milliseconds, this.deadline - performance.now()));
    this.timer = setTimeout(() => {
      this.runOut = true;
      this.controller.abort();
    }, left);
  }

  /** Stops the watch, and aborts whatever is left of the response. */
  stop(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }
}
