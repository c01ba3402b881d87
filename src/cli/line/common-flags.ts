import type { Flag } from './declaration.ts';

/** The flag that answers the question of a command. */
export const YES: Flag = { name: 'yes', short: 'y', type: 'switch', about: 'Do not prompt for confirmation' };
