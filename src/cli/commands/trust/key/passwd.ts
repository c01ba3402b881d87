import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import type { PassphraseOwner } from '../../../../trust/keys/passphrases.ts';
import { placeFor } from '../../../../trust/settings/passphrase-places.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import { AskedPassphrases } from '../../../passphrases/asked.ts';
import { readPassphraseFile } from '../../../passphrases/file.ts';
import {
  forgetPassphrase,
  type KeychainSettings,
  keychainFor,
  rememberPassphrase,
} from '../../../passphrases/keychain.ts';
import { fileFromVariable, variableSource } from '../../../passphrases/variables.ts';
import type { TrustPlace } from '../../../place.ts';
import type { Session } from '../../../session.ts';
import { existingPlaceOf, PLACE_FLAGS } from '../place-flags.ts';
import { chosenKey, keyText } from './chosen-key.ts';

export const KEY_PASSWD: Command<Session> = {
  program: 'signet',
  path: 'trust key passwd',
  summary: 'Change the passphrase of a private key',
  args: [{ name: 'ID|NAME', takes: 'key' }],
  flags: [
    { name: 'forget', type: 'switch', about: 'Take the passphrase out of the keychain, and change nothing else' },
    { name: 'remember', type: 'switch', about: 'Keep the passphrase in the keychain, and change nothing else' },
    ...PLACE_FLAGS,
  ],
  run: changePassphrase,
};

/** Names a file with the new passphrase, for use without a terminal. */
const NEW_PASSPHRASE_FILE = 'SIGNET_NEW_PASSPHRASE_FILE';
/** The name in prompts for a key whose file gives no role. */
const NAMELESS = 'signer';

/**
 * `signet trust key passwd [--remember | --forget] ID|NAME`. Asks for the new passphrase without looking at the
 * passphrase sources, which hold the old one.
 */
async function changePassphrase(session: Session, parsed: ParsedCommand): Promise<number> {
  const [remembers, forgets] = [parsed.has('remember'), parsed.has('forget')];
  if (remembers && forgets) throw new SignetError('usage', '--remember and --forget cannot both be given');
  const { keys, keyFiles } = await existingPlaceOf(session, parsed);
  const stored = chosenKey(await keys.list(), parsed.args[0] ?? '');
  const owner = { id: stored.id, alias: stored.role === '' ? NAMELESS : stored.role };
  const settings = { places: session.configuration.passphrases, env: session.env };
  if (remembers || forgets) requireKeychain(settings, owner, keyText(stored));
  if (remembers) return remember(session, keyFiles, owner, settings);
  if (forgets) return forget(session, owner, settings);
  return change(session, keyFiles, owner, settings);
}

async function change(
  session: Session,
  keys: TrustPlace['keyFiles'],
  owner: PassphraseOwner,
  settings: KeychainSettings,
): Promise<number> {
  (await keys.passphraseOf(owner.id))?.fill(0);
  const passphrase = await newPassphrase(session, owner);
  try {
    await keys.reseal(owner.id, passphrase);
    session.print(`Successfully updated passphrase for key ID: ${owner.id}\n`);
    if (isReadElsewhere(settings, owner.alias)) {
      session.print('Put it also where the old one is read from: the environment, a file or a command.\n');
    }
    if (await updateKeychain(settings, owner, passphrase)) session.print('The keychain keeps it from now on.\n');
  } finally {
    passphrase.fill(0);
  }
  return 0;
}

async function newPassphrase(session: Session, owner: PassphraseOwner): Promise<Buffer> {
  const file = session.env[NEW_PASSPHRASE_FILE];
  return file ? readPassphraseFile(file) : new AskedPassphrases(session).fresh(owner);
}

/** Whether the passphrase comes from a source that only the user can change. */
function isReadElsewhere({ places, env }: KeychainSettings, alias: string): boolean {
  const kind = placeFor(places, alias)?.kind;
  const isVariable = variableSource(env, alias) !== undefined || fileFromVariable(env, alias) !== undefined;
  return isVariable || kind === 'file' || kind === 'command';
}

/**
 * The key already has its new passphrase, so a failure to update the keychain, which then keeps the old one, must be
 * reported.
 */
async function updateKeychain(
  settings: KeychainSettings,
  owner: PassphraseOwner,
  passphrase: Buffer,
): Promise<boolean> {
  try {
    return await rememberPassphrase(settings, owner, passphrase);
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.reworded(`the passphrase is changed, but not in the keychain: ${cause.message}`, {
      next: `Put the keychain in order: signet trust key passwd --remember ${owner.id}, or --forget in its place`,
    });
  }
}

async function remember(
  session: Session,
  keys: TrustPlace['keyFiles'],
  owner: PassphraseOwner,
  settings: KeychainSettings,
): Promise<number> {
  const passphrase = await keys.passphraseOf(owner.id);
  if (passphrase === undefined) {
    throw new SignetError('key-unprotected', `the key ${owner.id} has no passphrase`, {
      next: `Give it one: signet trust key passwd ${owner.id}`,
    });
  }
  try {
    await rememberPassphrase(settings, owner, passphrase);
  } finally {
    passphrase.fill(0);
  }
  session.print(`The keychain keeps the passphrase for key ID: ${owner.id}\n`);
  return 0;
}

async function forget(session: Session, owner: PassphraseOwner, settings: KeychainSettings): Promise<number> {
  await forgetPassphrase(settings, owner);
  session.print(`The keychain has no passphrase any more for key ID: ${owner.id}\n`);
  return 0;
}

function requireKeychain(settings: KeychainSettings, { alias }: PassphraseOwner, what: string): void {
  if (keychainFor(settings, alias) !== undefined) return;
  throw new SignetError('configuration-invalid', `no keychain is configured for the ${what}`, {
    next: 'Name one in signet.json: "passphrases": {"repository": {"keychain": "secretservice"}}',
  });
}
