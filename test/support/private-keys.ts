import { draftRootCertificate } from '../../src/core/keys/certificate.ts';
import type { BundledKey } from '../../src/core/keys/key-bundle.ts';
import { parseKeyFile, sealKey } from '../../src/core/keys/key-file.ts';
import type { PrivateKey } from '../../src/core/keys/private-key.ts';
import type { PublicKey } from '../../src/core/keys/public-key.ts';
import type { Gun } from '../../src/core/names/gun.ts';
import type { KeyId } from '../../src/core/names/key-id.ts';
import type { Instant } from '../../src/core/time.ts';

import type { KeyStore } from '../../src/store/key-store.ts';
import type { KeyRing } from '../../src/trust/keys/key-ring.ts';

/** What `issueRootCertificate` makes of a private key that is at hand, without waiting. */
export function certified(key: PrivateKey, gun: Gun, now: Instant): PublicKey {
  const draft = draftRootCertificate(key, gun, now);
  return draft.signed(key.signCertificate(draft.body));
}

/** A private key as it comes out of a file, in the clear or under a passphrase, to be imported. */
export function fileOf(
  key: PrivateKey,
  role = '',
  { passphrase = '', gun }: { readonly passphrase?: string; readonly gun?: Gun | undefined } = {},
): BundledKey {
  const options = { role, passphrase: Buffer.from(passphrase), iterations: 1, ...(gun === undefined ? {} : { gun }) };
  const [file] = parseKeyFile(sealKey(key, options));
  if (file === undefined) throw new Error('no key in the file');
  return { file, id: undefined };
}

/** Gives a copy of a key of one person to another, as a file does that is passed on. */
export async function passOn(from: KeyStore, id: KeyId, to: KeyRing): Promise<void> {
  const file = await from.load(id);
  if (file === undefined) throw new Error(`the key ${id} is not here`);
  await to.import({ file, id: undefined }, { name: file.role });
}
