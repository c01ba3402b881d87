import type { RoleName } from './names/role.ts';
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
