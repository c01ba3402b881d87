/** A value that a client changes repeatedly on a server that may die before it responds. */
export class Uncertain<T> {
  private known: T | undefined;
  private begun: T[] = [];

  /** A change to `value` is about to be requested. */
  begin(value: T): void {
    this.begun.push(value);
  }

  /** The last requested change is done; earlier requests can no longer take effect. */
  acknowledge(): void {
    this.settle(this.begun.at(-1));
  }

  /** The possible values: the last known one, or any requested since. */
  get possible(): readonly (T | undefined)[] {
    return [this.known, ...this.begun];
  }

  /** The value was read while no request was pending. */
  settle(value: T | undefined): void {
    this.known = value;
    this.begun = [];
  }
}
