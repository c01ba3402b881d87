import { BASE_ROLES, type RoleName } from './names/role.ts';
import { DAY, type Instant, YEAR } from './time.ts';

/** How long a file is valid once it is signed (protocol A.12). */
export function lifetimeOf(role: RoleName): Instant {
  switch (role) {
    case 'root':
      return 10 * YEAR;
    case 'timestamp':
      return 14 * DAY;
    default:
      return 3 * YEAR;
  }
}

/** Metadata that expires within this time is worth a warning; Notary warns six months ahead. The timestamp renews itself. */
export const NEAR_EXPIRY: Instant = 182 * DAY;

/** The base roles whose keys a client may hold; the timestamp's is always the server's. */
export const CLIENT_ROLES = BASE_ROLES.filter((role) => role !== 'timestamp');
