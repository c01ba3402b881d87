import type { ParsedCommand } from '../../line/command.ts';
import type { FlagSpec } from '../../line/flag-words.ts';
import type { TrustPlace } from '../../place.ts';
import type { Session } from '../../session.ts';

/** The flags of every command that works in a trust folder of choice. */
export const PLACE_FLAGS: readonly FlagSpec[] = [
  { name: 'trust-dir', short: 'd', kind: 'value' },
  { name: 'server', short: 's', kind: 'value' },
  { name: 'tlscacert', kind: 'value' },
];

/** The lines on `PLACE_FLAGS` in a command's help. */
export const PLACE_OPTIONS = `  -s, --server string      Trust server of the folder that --trust-dir names
      --tlscacert string   Trust server certificates signed only by this CA
  -d, --trust-dir string   Work in the folder of a notary client, where names
                           are GUNs as they stand`;

/** The place that a command's flags name: docker's own where they name none. */
export function placeOf(session: Session, parsed: ParsedCommand): Promise<TrustPlace> {
  const [trustDir, server, authority] = ['trust-dir', 'server', 'tlscacert'].map((flag) => parsed.value(flag));
  return session.place({ ...(trustDir === undefined ? {} : { trustDir }), server, authority });
}
