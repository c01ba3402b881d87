import { SignetError } from '../../core/errors/index.ts';
import { parseGun } from '../../core/names/gun.ts';
import { quoted } from '../../core/printable.ts';

/** Which repositories the server serves, by the beginnings of their names; all of them if none is given (protocol B.13). */
export class GunPrefixes {
  private readonly prefixes: readonly string[];

  /** Throws `gun-prefix-invalid` for a prefix that is not a clean path with a slash at its end. */
  constructor(prefixes: readonly string[]) {
    for (const prefix of prefixes) checkPrefix(prefix);
    this.prefixes = prefixes;
  }

  admit(gun: string): boolean {
    return this.prefixes.length === 0 || this.prefixes.some((prefix) => gun.startsWith(prefix));
  }

  /** What a refused publisher is told (protocol B.3). */
  get requirement(): string {
    return `Require GUNs with prefix: [${this.prefixes.join(' ')}]`;
  }
}

function checkPrefix(prefix: string): void {
  try {
    if (!prefix.endsWith('/')) throw new SignetError('name-invalid', 'there is no slash at its end');
    parseGun(prefix.slice(0, -1));
  } catch (cause) {
    throw new SignetError('gun-prefix-invalid', `invalid repository prefix ${quoted(prefix, 300)}`, {
      cause,
    });
  }
}
