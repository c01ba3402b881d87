import { SignetError } from '../errors/index.ts';
import type { RootCertificate } from '../keys/certificate.ts';
import { canonicalKeyId } from '../keys/public-key.ts';
import type { Gun } from '../names/gun.ts';
import type { TrustOnFirstUse } from './pinning.ts';

const REASONS: Readonly<Record<Exclude<TrustOnFirstUse, 'on'>, string>> = {
  off: 'trust on first use is off',
  'off-in-ci': 'trust on first use is off because CI is set; pin the key, or set SIGNET_TOFU=on',
  ask: 'nobody at a terminal has agreed to trust it on first use',
};
const ALLOWING: Readonly<Record<Exclude<TrustOnFirstUse, 'on'>, string>> = {
  off: 'For one command, SIGNET_TOFU=ask asks at the terminal instead.',
  'off-in-ci': 'Or trust on first use: "tofu": "on" below "trustPinning", or SIGNET_TOFU=on for one command.',
  ask: 'Or run the command at a terminal, and answer y.',
};

/**
 * The error for a first root that is valid but matches no pin: `root-unpinned`. It lists the root keys by their
 * canonical IDs, and its next step is the pin to add to `signet.json`.
 */
export function unpinnedError(
  gun: Gun,
  certificates: readonly RootCertificate[],
  tofu: Exclude<TrustOnFirstUse, 'on'>,
): SignetError {
  const ids = [...new Set(certificates.map(({ key }) => canonicalKeyId(key)))];
  const pin = JSON.stringify({ trustPinning: { certs: { [gun]: ids } } });
  return new SignetError(
    'root-unpinned',
    `invalid trust pinning specified: nothing is pinned for ${gun}, whose root key is ${ids.join(', ')}, and ${REASONS[tofu]}`,
    {
      detail: { gun, found: ids, tofu },
      next: `If its owner confirms that key, pin it in signet.json: ${pin}\n${ALLOWING[tofu]}`,
    },
  );
}
