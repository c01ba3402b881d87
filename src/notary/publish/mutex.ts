/** Runs the tasks of one key one after the other, in the order of their calls. Tasks of different keys run at once. */
export class KeyedMutex {
  private readonly tails = new Map<string, Promise<void>>();

  async run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    const result = (this.tails.get(key) ?? Promise.resolve()).then(task);
    const tail = result.then(
      () => {},
      () => {},
    );
    this.tails.set(key, tail);
    try {
      return await result;
    } finally {
      if (this.tails.get(key) === tail) this.tails.delete(key);
    }
  }

  /** How many keys have a task that is running or waiting. */
  get busy(): number {
    return this.tails.size;
  }
}
