import type { Flag } from './declaration.ts';

/** The flag that answers a command's question. */
export const YES: Flag = { name: 'yes', short: 'y', type: 'switch', about: 'Do not prompt for confirmation' };
