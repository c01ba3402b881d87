/** Runs tasks one after the other, in the order of the calls. If one fails, the others still run, unless it ends all. */
export class InTurn {
  private last: Promise<unknown> = Promise.resolve();
  private readonly endsAll: (error: unknown) => boolean;
  private ended: { readonly error: unknown } | undefined;

  /** With the error of a task for which `endsAll` is true, all tasks fail that have not begun. */
  constructor(endsAll: (error: unknown) => boolean = () => false) {
    this.endsAll = endsAll;
  }

  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(() => this.begin(task));
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Begins no further task: all that wait, and all that come, fail with `error`. */
  end(error: unknown): void {
    this.ended ??= { error };
  }

  private async begin<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.ended !== undefined) throw this.ended.error;
    try {
      return await task();
    } catch (error) {
      if (this.endsAll(error)) this.end(error);
      throw error;
    }
  }
}
