/** Runs tasks one after the other, in the order of the calls. If one fails, the others still run. */
export class InTurn {
  private last: Promise<unknown> = Promise.resolve();

  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(task);
    this.last = result.catch(() => undefined);
    return result;
  }
}
