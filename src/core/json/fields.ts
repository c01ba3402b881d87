import { SignetError } from '../errors/index.ts';
import { printable } from '../printable.ts';
import type { JsonObject, JsonValue } from './parse.ts';

/**
 * Reads the members of one JSON object by name and type. `what` names the object in errors.
 *
 * A member whose name differs from a known one only by case is refused: Go's parser would take it for the known one.
 * Every getter throws `json-unexpected` for a value of another type.
 */
export class Fields {
  private readonly object: JsonObject;
  private readonly what: string;

  constructor(value: JsonValue | undefined, what: string, known: readonly string[], others: 'refuse' | 'ignore') {
    if (!(value instanceof Map)) throw new SignetError('json-unexpected', `${what} is not a JSON object`);
    this.object = value;
    this.what = what;
    for (const name of this.object.keys()) {
      if (known.includes(name)) continue;
      const lookAlike = known.some((member) => foldCase(member) === foldCase(name));
      if (lookAlike || others === 'refuse') {
        throw new SignetError('json-unexpected', `${what} has an unknown member ${printable(JSON.stringify(name))}`);
      }
    }
  }

  /** The member's raw value, undefined if absent. */
  raw(name: string): JsonValue | undefined {
    return this.object.get(name);
  }

  string(name: string): string {
    const value = this.object.get(name);
    return typeof value === 'string' ? value : this.fail(name, 'a string');
  }

  optionalString(name: string): string | undefined {
    return this.isAbsent(name) ? undefined : this.string(name);
  }

  integer(name: string): number {
    const value = this.object.get(name);
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : this.fail(name, 'an integer');
  }

  boolean(name: string): boolean {
    const value = this.object.get(name);
    return typeof value === 'boolean' ? value : this.fail(name, 'true or false');
  }

  /** An array; `null` and absent read as empty, as Go writes them (protocol G-15). */
  array(name: string): readonly JsonValue[] {
    const value = this.object.get(name);
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? value : this.fail(name, 'an array');
  }

  /** An array of strings; `null` and absent read as empty. */
  strings(name: string): readonly string[] {
    return this.array(name).map((item) => (typeof item === 'string' ? item : this.fail(name, 'an array of strings')));
  }

  /** An object as a Map; `null` and absent read as empty. */
  map(name: string): JsonObject {
    const value = this.object.get(name);
    if (value === undefined || value === null) return new Map();
    return value instanceof Map ? value : this.fail(name, 'an object');
  }

  private isAbsent(name: string): boolean {
    const value = this.object.get(name);
    return value === undefined || value === null;
  }

  private fail(name: string, expected: string): never {
    throw new SignetError('json-unexpected', `${this.what}: ${name} is not ${expected}`);
  }
}

/**
 * Go folds the long s and the Kelvin sign into the letters they look like; `toLowerCase` alone handles only the second.
 */
function foldCase(name: string): string {
  return name.toLowerCase().toUpperCase();
}
