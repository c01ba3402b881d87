import { SignetError } from '../../core/errors/index.ts';

/** Lets few expensive tasks run at once, and few more wait for their turn: preferred ones first, in places of their own. */
export class Slots {
  private free: number;
  private readonly maxWaiting: number;
  private readonly preferred: (() => void)[] = [];
  private readonly others: (() => void)[] = [];

  /** `running` tasks at once; of each kind, at most `waiting` more wait. */
  constructor(running: number, waiting: number) {
    this.free = running;
    this.maxWaiting = waiting;
  }

  /** Runs `task` when a slot is free. Throws `login-busy` if too many of its kind wait already. */
  async run<T>(task: () => Promise<T>, isPreferred = false): Promise<T> {
    await this.take(isPreferred ? this.preferred : this.others);
    try {
      return await task();
    } finally {
      this.release();
    }
  }

  private async take(waiting: (() => void)[]): Promise<void> {
    if (this.free > 0) {
      this.free--;
      return;
    }
    if (waiting.length >= this.maxWaiting) throw loginBusy();
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  private release(): void {
    const next = this.preferred.shift() ?? this.others.shift();
    if (next === undefined) this.free++;
    else next();
  }
}

/** The error for a login while too many passwords are being checked. */
export function loginBusy(): SignetError {
  return new SignetError('login-busy', 'too many logins at once, try again in a moment', { detail: { retryAfter: 1 } });
}
