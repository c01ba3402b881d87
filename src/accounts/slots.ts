import { SignetError } from '../core/errors/index.ts';

/** Lets few expensive tasks run at once, and few more wait for their turn. */
export class Slots {
  private free: number;
  private readonly maxWaiting: number;
  private readonly waiting: (() => void)[] = [];

  constructor(running: number, waiting: number) {
    this.free = running;
    this.maxWaiting = waiting;
  }

  /** Runs `task` when a slot is free. Throws `login-busy` where too many wait already. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await task();
    } finally {
      this.release();
    }
  }

  private async take(): Promise<void> {
    if (this.free > 0) {
      this.free--;
      return;
    }
    if (this.waiting.length >= this.maxWaiting) {
      throw new SignetError('login-busy', 'too many logins at once, try again in a moment', {
        detail: { retryAfter: 1 },
      });
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private release(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free++;
    else next();
  }
}
