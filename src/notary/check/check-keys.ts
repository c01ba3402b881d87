import { isSignetError } from '../../core/errors/index.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { quoted } from '../../core/printable.ts';
import type { OnlineKey } from '../store/online-key-store.ts';
import type { ListedKey, SignerKeyVault } from '../store/signer-key-vault.ts';
import { passphraseVariable, type SignerPassphrases } from '../store/signer-passphrases.ts';
import type { KnownKey } from './check-repository.ts';
import type { AliasReport, Finding, NotaryReport } from './report.ts';

/** The result for the keys of a signer. */
interface KeysReport {
  readonly keys: ReadonlyMap<KeyId, KnownKey>;
  readonly aliases: readonly AliasReport[];
  readonly newKeys: NotaryReport['newKeys'];
  readonly findings: readonly Finding[];
}

interface AliasTally {
  keys: number;
  open: number;
  /** Why the first failing key does not open. */
  trouble: { readonly message: string; readonly next: string | undefined } | undefined;
}

/** Keys opened at the same time. Opening is slow on purpose, and runs outside the JavaScript thread. */
const AT_ONCE = 8;

/** Tries to open every key of a signer. Calls `onKey` after each. */
export async function checkKeys(
  vault: SignerKeyVault,
  passphrases: SignerPassphrases,
  onKey: () => void,
): Promise<KeysReport> {
  const keys = new Map<KeyId, KnownKey>();
  const tallies = new Map<string, AliasTally>();
  const findings: Finding[] = [];
  const check = async (listed: ListedKey) => {
    const { key } = listed;
    if (key === undefined) findings.push(unusable(listed));
    else {
      const tally = tallies.get(listed.alias) ?? { keys: 0, open: 0, trouble: undefined };
      tallies.set(listed.alias, tally);
      tally.keys++;
      const trouble = await troubleOf(vault, key);
      if (trouble === undefined) tally.open++;
      else tally.trouble ??= trouble;
      keys.set(key.id, { gun: key.gun, trouble: trouble?.message });
    }
    onKey();
  };
  const waiting = vault.all();
  const work = async () => {
    for (let next = await waiting.next(); next.done !== true; next = await waiting.next()) await check(next.value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));

  const newKeys = await newKeysOf(vault, passphrases, findings);
  for (const [alias, tally] of tallies) {
    const finding = aliasFinding(alias, tally, passphrases);
    if (finding !== undefined) findings.push(finding);
  }
  const aliases = [...tallies].map(([alias, { keys: count, open }]) => ({ alias, keys: count, open }));
  return { keys, aliases, newKeys, findings };
}

async function troubleOf(
  vault: SignerKeyVault,
  key: OnlineKey,
): Promise<{ readonly message: string; readonly next: string | undefined } | undefined> {
  try {
    (await vault.open(key)).fill(0);
    return undefined;
  } catch (error) {
    if (!isSignetError(error, 'online-key-unreadable')) throw error;
    return { message: error.message, next: error.next };
  }
}

/** The finding for an alias without a passphrase, or with keys that its passphrase does not open. */
function aliasFinding(
  alias: string,
  { keys, open, trouble }: AliasTally,
  passphrases: SignerPassphrases,
): Finding | undefined {
  if (trouble === undefined) return undefined;
  const passphrase = passphrases.of(alias);
  passphrase?.fill(0);
  const count = keys === 1 ? 'one key' : `${keys} keys`;
  const message =
    passphrase === undefined
      ? `there is no passphrase for ${count} of the alias ${quoted(alias, 60)}`
      : `${keys === 1 ? 'the one key' : `${keys - open} of ${keys} keys`} of the alias ${quoted(alias, 60)} ${keys - open === 1 ? 'does' : 'do'} not open: ${trouble.message}`;
  const next = trouble.next;
  return {
    level: 'error',
    code: 'online-key-unreadable',
    about: alias,
    message,
    ...(next === undefined ? {} : { next }),
  };
}

async function newKeysOf(
  vault: SignerKeyVault,
  passphrases: SignerPassphrases,
  findings: Finding[],
): Promise<NotaryReport['newKeys']> {
  try {
    const [alias, type] = [await vault.newKeysAlias(), await vault.newKeysType()];
    const passphrase = passphrases.of(alias);
    if (passphrase === undefined) {
      findings.push({
        level: 'error',
        code: 'online-key-unreadable',
        about: alias,
        message: `no new key could be made: there is no passphrase for the alias ${quoted(alias, 60)}`,
        next: `Give it as notary-signer takes it: ${passphraseVariable(alias)}=PASSPHRASE`,
      });
    }
    passphrase?.fill(0);
    return { alias, type };
  } catch (error) {
    if (!isSignetError(error, 'online-key-unreadable')) throw error;
    const next = error.next;
    findings.push({
      level: 'error',
      code: error.code,
      message: error.message,
      ...(next === undefined ? {} : { next }),
    });
    return undefined;
  }
}

function unusable({ id, gun, role }: ListedKey): Finding {
  const whose = gun === '' ? 'no repository, as before Notary 0.3' : quoted(gun, 200);
  return {
    level: 'note',
    code: 'online-key-unusable',
    about: id,
    message: `Signet does not sign with this key: it is of ${whose}, role ${quoted(role, 60)}`,
  };
}
