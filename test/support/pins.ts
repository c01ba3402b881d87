import type { Gun } from '../../src/core/names/gun.ts';
import { type Pinning, type RootPin, TRUST_ON_FIRST_USE } from '../../src/core/verify/pinning.ts';

/** No pins, and no trust on first use. */
export const NO_FIRST_USE: Pinning = { ...TRUST_ON_FIRST_USE, tofu: 'off' };

/** Pins one repository to these root keys; others are not trusted on first use. */
export function pinnedTo(gun: Gun, ...pins: readonly RootPin[]): Pinning {
  return { ...NO_FIRST_USE, certs: new Map([[gun, pins]]) };
}
