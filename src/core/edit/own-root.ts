import { SignetError } from '../errors/index.ts';
import type { KeyId } from '../names/key-id.ts';
import { type Pinning, pinFor } from '../verify/pinning.ts';
import type { TrustedRoot } from '../verify/root-trust.ts';
import { baseSigners, canonicalKeyIds } from '../verify/signers.ts';
import { validSigners } from '../verify/verify.ts';

/**
 * Refuses to sign a successor of a root with a key that the root lists, unless one of the keys that are here has signed
 * that root too, or a pin applies. Otherwise a server that lies to someone who has never seen the repository could list
 * the owner's public key beside its own, and get the owner's signature on a root of its making.
 *
 * `isHere` tells whether a key (canonical ID) can sign. Throws `root-unconfirmed`, whose next step is the pin to set.
 */
export async function checkOwnRoot(
  former: TrustedRoot,
  pinning: Pinning,
  isHere: (id: KeyId) => Promise<boolean>,
): Promise<void> {
  if (pinFor(pinning, former.gun) !== undefined) return;
  const signers = baseSigners(former.root, 'root');
  const listed = canonicalKeyIds(signers);
  const here: KeyId[] = [];
  for (const id of listed) if (await isHere(id)) here.push(id);
  const signed = validSigners(former.envelope, signers);
  if (here.length === 0 || here.some((id) => signed.has(id))) return;
  const pin = JSON.stringify({ trustPinning: { certs: { [former.gun]: listed } } });
  throw new SignetError(
    'root-unconfirmed',
    `the root of ${former.gun} lists a key that is here, which has not signed it: the server may have made it up. Its keys are ${listed.join(', ')}`,
    {
      detail: { gun: former.gun, found: listed },
      next: `If all of these keys are its owners', pin them in signet.json: ${pin}`,
    },
  );
}
