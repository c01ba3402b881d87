import { isatty } from 'node:tty';
import { SignetError } from '../../../../core/errors/index.ts';
import { formatKeyBundle } from '../../../../core/keys/key-bundle.ts';
import type { KeyFile } from '../../../../core/keys/key-file.ts';
import type { Gun } from '../../../../core/names/gun.ts';
import type { KeyId } from '../../../../core/names/key-id.ts';
import { writePrivateFile } from '../../../../store/files.ts';
import type { StoredKey } from '../../../../store/key-store.ts';
import type { FileVault } from '../../../../trust/keys/file-vault.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { existingPlaceOf, PLACE_FLAGS } from '../place-flags.ts';
import { chosenKey } from './chosen-key.ts';
import { checkNew } from './new-file.ts';

export const KEY_EXPORT: Command<Session> = {
  program: 'signet',
  path: 'trust key export',
  summary: 'Write private keys, encrypted as they are, for a copy or another machine',
  args: [],
  flags: [
    { name: 'force', type: 'switch', about: 'Replace the file that is there' },
    { name: 'gun', type: 'list', takes: 'repository', about: 'Only keys of this repository' },
    { name: 'key', type: 'list', takes: 'key', about: 'Only the key with this ID or name' },
    { name: 'output', short: 'o', type: 'value', takes: 'file', about: 'File to write, in place of standard output' },
    ...PLACE_FLAGS,
  ],
  examples: [{ about: 'Keep a copy of all keys, sealed as they are', line: 'trust key export --output keys.pem' }],
  run: exportKeys,
};

const STDOUT = 1;

/**
 * `signet trust key export [--gun G]… [--key ID]… [-o FILE]` (protocol C.2.5): exports every key that matches one of
 * the filters, all keys if there are no filters.
 */
async function exportKeys(session: Session, parsed: ParsedCommand): Promise<number> {
  const place = await existingPlaceOf(session, parsed);
  const output = parsed.value('output');
  if (output !== undefined && !parsed.has('force')) checkNew(output, 'Name another file, or replace it: --force');
  const guns = parsed.values('gun').map((name) => place.gun(name));
  const chosen = choose(await place.keys.list(), guns, parsed.values('key'));
  if (output === undefined && isatty(STDOUT)) refuseOpen(chosen);
  const bundle = formatKeyBundle(await load(place.keyFiles, chosen));
  try {
    if (output === undefined) session.write(bundle);
    else writePrivateFile(output, bundle);
  } finally {
    bundle.fill(0);
  }
  if (output !== undefined) session.print(`Exported ${counted(chosen.length)} to ${output}\n`);
  session.printError(warnings(chosen));
  return 0;
}

function choose(keys: readonly StoredKey[], guns: readonly Gun[], ids: readonly string[]): readonly StoredKey[] {
  if (keys.length === 0) throw new SignetError('signing-key-missing', 'no signing keys found');
  if (guns.length + ids.length === 0) return keys;
  const ofGuns = guns.map((gun) => {
    const found = keys.filter((key) => key.gun === gun);
    if (found.length > 0) return found;
    throw new SignetError('signing-key-missing', `no key here belongs to ${gun}`, {
      next: 'See which keys there are: signet trust key list',
    });
  });
  return [...new Set([...ofGuns.flat(), ...ids.map((id) => chosenKey(keys, id))])];
}

async function load(keys: FileVault, chosen: readonly StoredKey[]): Promise<ReadonlyMap<KeyId, KeyFile>> {
  const files = new Map<KeyId, KeyFile>();
  for (const { id } of chosen) {
    const file = await keys.load(id);
    if (file === undefined) throw new SignetError('signing-key-missing', `signing key not found: ${id}`);
    files.set(id, file);
  }
  return files;
}

function refuseOpen(chosen: readonly StoredKey[]): void {
  const open = chosen.filter(({ encrypted }) => !encrypted);
  if (open.length === 0) return;
  throw new SignetError('key-unprotected', `not encrypted, and not to be shown on a terminal: ${ids(open)}`, {
    next: 'Write the keys into a file: --output FILE',
  });
}

function warnings(chosen: readonly StoredKey[]): string {
  const roots = chosen.filter(({ role }) => role === 'root');
  const open = chosen.filter(({ encrypted }) => !encrypted);
  return [
    roots.length === 0 ? '' : `Root keys are among them, keep the copy offline: ${ids(roots)}\n`,
    open.length === 0 ? '' : `Not encrypted, whoever reads the copy can sign with them: ${ids(open)}\n`,
  ].join('');
}

function ids(keys: readonly StoredKey[]): string {
  return keys.map(({ id }) => id).join(', ');
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'key' : 'keys'}`;
}
