import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { type BundleEntry, type KeyFallbacks, parseKeyBundle } from '../../../../core/keys/key-bundle.ts';
import { LIMITS } from '../../../../core/limits.ts';
import { isBaseRole, isDelegation } from '../../../../core/names/role.ts';
import type { KeyRing } from '../../../../trust/keys/key-ring.ts';
import { checkName } from '../../../line/command.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { PLACE_FLAGS, placeOf } from '../place-flags.ts';
import { keyText } from './chosen-key.ts';
import { checkPrivate, explainingOldForms, readPrivateFile } from './private-file.ts';

export const KEY_IMPORT: Command<Session> = {
  program: 'signet',
  path: 'trust key import',
  summary: 'Import private keys that were exported, or come from elsewhere',
  args: [{ name: 'FILE', takes: 'file', isRepeated: true }],
  flags: [
    {
      name: 'gun',
      short: 'g',
      type: 'value',
      takes: 'repository',
      about: 'Repository of keys that do not say it themselves',
    },
    {
      name: 'role',
      short: 'r',
      type: 'value',
      takes: 'role',
      about: 'Role or name of keys that do not say it themselves',
      default: 'delegation',
    },
    ...PLACE_FLAGS,
  ],
  run: importKeys,
};

/**
 * `signet trust key import [--role R] [--gun G] FILE…` (protocol C.2.5). Prints what cannot be imported, imports the
 * rest, and then fails.
 */
async function importKeys(session: Session, parsed: ParsedCommand): Promise<number> {
  const place = await placeOf(session, parsed);
  const gun = parsed.value('gun');
  const fallbacks = { role: checkRole(parsed.value('role')), gun: gun === undefined ? undefined : place.gun(gun) };
  const failures = new Map<string, readonly SignetError[]>();
  for (const path of parsed.args) {
    const errors = await importFile(session, place.keys, path, fallbacks);
    if (errors.length > 0) failures.set(path, errors);
  }
  if (failures.size === 0) return 0;
  const [first] = [...failures.values()].flat();
  throw new SignetError('import-incomplete', `failed to import all keys from: ${[...failures.keys()].join(', ')}`, {
    cause: first,
    ...(first?.next === undefined ? {} : { next: first.next }),
  });
}

/** Imports the usable keys of a file. Returns the errors of the others, already printed. */
async function importFile(
  session: Session,
  keys: KeyRing,
  path: string,
  fallbacks: KeyFallbacks,
): Promise<readonly SignetError[]> {
  const errors: SignetError[] = [];
  const tell = (what: string, error: SignetError) => {
    session.printError(`${what}: ${error.message}\n`);
    errors.push(error);
  };
  const entries = readBundle(path, fallbacks);
  if (entries instanceof SignetError) tell(`error importing keys from ${path}`, entries);
  else {
    for (const [index, entry] of entries.entries()) {
      const error = await importEntry(session, keys, path, entry);
      if (error !== undefined) tell(`error importing key ${index + 1} of ${entries.length} from ${path}`, error);
    }
  }
  return errors;
}

function readBundle(path: string, fallbacks: KeyFallbacks): readonly BundleEntry[] | SignetError {
  try {
    const file = readPrivateFile(path, LIMITS.keyBundle);
    const entries = parseKeyBundle(file.bytes, fallbacks);
    file.bytes.fill(0);
    if (entries.some((entry) => !(entry instanceof SignetError) && !entry.file.encrypted)) checkPrivate(file);
    return entries;
  } catch (error) {
    if (isSignetError(error)) return error;
    throw error;
  }
}

async function importEntry(
  session: Session,
  keys: KeyRing,
  path: string,
  entry: BundleEntry,
): Promise<SignetError | undefined> {
  if (entry instanceof SignetError) return entry;
  try {
    const { id, isNew } = await explainingOldForms(path, () =>
      keys.import(entry, { name: entry.file.role, alias: entry.file.role }),
    );
    const what = keyText(entry.file);
    session.print(isNew ? `Imported the ${what}: ${id}\n` : `The ${what} is here already: ${id}\n`);
    return undefined;
  } catch (error) {
    if (!isSignetError(error) || error.code === 'cancelled') throw error;
    return error;
  }
}

/** Requires a role that keys can be stored for. Throws `name-invalid`. */
function checkRole(text: string | undefined): string | undefined {
  if (text !== undefined && !isBaseRole(text) && !isDelegation(text)) checkName('key', text);
  return text;
}
