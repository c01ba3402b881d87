import type { Scenario } from '../scenario.ts';
import { IMAGES } from './images.ts';
import { LOGINS } from './login.ts';
import { ODD_SERVER } from './odd-server.ts';
import { TRUST_INSPECT } from './trust-inspect.ts';
import { TRUST_KEY } from './trust-key.ts';
import { TRUST_REVOKE } from './trust-revoke.ts';
import { TRUST_SIGN } from './trust-sign.ts';
import { TRUST_SIGNER } from './trust-signer.ts';
import { USAGE } from './usage.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...USAGE,
  ...TRUST_INSPECT,
  ...TRUST_SIGN,
  ...TRUST_REVOKE,
  ...TRUST_SIGNER,
  ...TRUST_KEY,
  ...LOGINS,
  ...IMAGES,
  ...ODD_SERVER,
];
