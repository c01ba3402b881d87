import { SignetError } from '../core/errors/index.ts';

/** Texts by the name of their flag, in the order given. */
export type Flags = ReadonlyMap<string, readonly string[]>;

/**
 * Splits arguments of the form `--name value` and `--name=value`, and `switches`, which have no value; `help` where
 * `--help` or `-h` is among them. Throws `usage`, in docker's words, for flags that are not known, a flag without its
 * value, a switch with one, and any other argument.
 */
export function parseFlags(
  args: readonly string[],
  known: ReadonlySet<string>,
  switches: ReadonlySet<string> = new Set(),
): Flags | 'help' {
  const found = new Map<string, readonly string[]>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--help' || arg === '-h') return 'help';
    const [, name, joined] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) throw usage('"signet serve" accepts no arguments.');
    if (switches.has(name)) {
      if (joined !== undefined) throw usage(`flag takes no value: --${name}`);
      found.set(name, []);
      continue;
    }
    if (!known.has(name)) throw usage(`unknown flag: --${name.slice(0, 100)}`);
    const value = joined ?? rest.shift();
    if (value === undefined) throw usage(`flag needs an argument: --${name}`);
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

function usage(message: string): SignetError {
  return new SignetError('usage', message, { next: "See 'signet serve --help'." });
}
