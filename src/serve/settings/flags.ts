import { SignetError } from '../../core/errors/index.ts';
import { printable } from '../../core/printable.ts';

/** Texts by the name of their flag, in the order given. */
export type Flags = ReadonlyMap<string, readonly string[]>;

/**
 * Splits arguments of the form `--name value` and `--name=value`, and `switches`, which have no value; `help` where
 * `--help` or `-h` is among them. Throws `usage`, in docker's words and with docker's exit codes: 125 for flags that are not
 * known, a flag without its value and a switch with one, 1 for any other argument.
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
    if (name === undefined) {
      throw /^-[^-]/.test(arg) ? wrongFlag(`unknown flag: ${printable(arg, 100)}`) : surplus();
    }
    if (switches.has(name)) {
      if (joined !== undefined) throw wrongFlag(`flag takes no value: --${name}`);
      found.set(name, []);
      continue;
    }
    if (!known.has(name)) throw wrongFlag(`unknown flag: --${printable(name, 100)}`);
    const value = joined ?? rest.shift();
    if (value === undefined) throw wrongFlag(`flag needs an argument: --${name}`);
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

const NEXT = "See 'signet serve --help'.";

function wrongFlag(message: string): SignetError {
  return new SignetError('usage', message, { exitCode: 125, next: NEXT });
}

function surplus(): SignetError {
  return new SignetError('usage', '"signet serve" accepts no arguments.', { next: NEXT });
}
