import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyId } from '../../src/core/names/key-id.ts';
import { temporaryFolder } from './temp.ts';

/** A keychain in a folder, with a credential helper that is a shell script. */
export interface FakeKeychain {
  /** What follows `docker-credential-`. */
  readonly helper: string;
  /** An environment in which the helper is found. */
  readonly env: Readonly<Record<string, string>>;
  put(id: KeyId, passphrase: string): void;
  /** Passphrases by key ID. */
  all(): Readonly<Record<string, string>>;
  /** From now on the helper ignores changes. */
  lock(): void;
}

/** An entry is the JSON of its `store`, in a file named after the address without slashes. */
const SCRIPT = `#!/bin/sh
name() { /usr/bin/tr -d '/\\n'; }
input=$(/bin/cat)
cd "$KEYCHAIN" || exit 2
if [ -e locked ] && [ "$1" != get ]; then echo locked; exit 1; fi
case "$1" in
  store) printf '%s' "$input" > "entries/$(printf '%s' "$input" | /bin/sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/' | name)" ;;
  get) /bin/cat "entries/$(printf '%s' "$input" | name)" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
  erase) /bin/rm "entries/$(printf '%s' "$input" | name)" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
esac
`;
const PREFIX = 'https:signet.key';

export function fakeKeychain(): FakeKeychain {
  const [folder, programs] = [temporaryFolder(), temporaryFolder()];
  const entries = join(folder, 'entries');
  mkdirSync(entries);
  writeFileSync(join(programs, 'docker-credential-fake'), SCRIPT, { mode: 0o755 });
  return {
    helper: 'fake',
    env: { PATH: `${programs}:/usr/bin:/bin`, KEYCHAIN: folder },
    put: (id, passphrase) => {
      const entry = { ServerURL: `https://signet.key/${id}`, Username: 'signet', Secret: passphrase };
      writeFileSync(join(entries, `${PREFIX}${id}`), JSON.stringify(entry));
    },
    all: () =>
      Object.fromEntries(readdirSync(entries).map((name) => [name.slice(PREFIX.length), secretIn(entries, name)])),
    lock: () => writeFileSync(join(folder, 'locked'), ''),
  };
}

function secretIn(folder: string, name: string): string {
  return (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { Secret: string }).Secret;
}
