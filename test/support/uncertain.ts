/** Something that a client changes again and again on a server that may die before it answers. */
export class Uncertain<T> {
  private known: T | undefined;
  private begun: T[] = [];

  /** A change to `value` is about to be asked for. */
  begin(value: T): void {
    this.begun.push(value);
  }

  /** The change that was asked for last is done; what was asked for before it can no longer come about. */
  acknowledge(): void {
    this.settle(this.begun.at(-1));
  }

  /** What it may be: what was last known, or whatever was asked for since. */
  get possible(): readonly (T | undefined)[] {
    return [this.known, ...this.begun];
  }

  /** It was looked at, with nothing asked for and unanswered. */
  settle(value: T | undefined): void {
    this.known = value;
    this.begun = [];
  }
}
