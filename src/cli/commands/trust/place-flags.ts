import type { Flag, ParsedCommand } from '../../line/declaration.ts';
import type { TrustPlace } from '../../place.ts';
import type { Session } from '../../session.ts';

/** The flags of every command that can work in another trust folder. */
export const PLACE_FLAGS: readonly Flag[] = [
  { name: 'server', short: 's', type: 'value', about: 'Trust server of the folder that --trust-dir names' },
  { name: 'tlscacert', type: 'value', takes: 'file', about: 'Trust server certificates signed only by this CA' },
  {
    name: 'trust-dir',
    short: 'd',
    type: 'value',
    takes: 'folder',
    about: 'Work in the folder of a notary client, where names are GUNs as they stand',
  },
];

/** The place given by a command's flags, docker's own if they give none. */
export function placeOf(session: Session, parsed: ParsedCommand): Promise<TrustPlace> {
  const [trustDir, server, authority] = ['trust-dir', 'server', 'tlscacert'].map((flag) => parsed.value(flag));
  return session.place({ ...(trustDir === undefined ? {} : { trustDir }), server, authority });
}
