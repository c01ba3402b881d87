import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SignetError } from '../../../core/errors/index.ts';
import type { Flag, ParsedCommand } from '../../line/declaration.ts';
import type { TrustPlace } from '../../place.ts';
import type { Session } from '../../session.ts';

/** The flags of every command that can work in another trust folder. */
export const PLACE_FLAGS: readonly Flag[] = [
  { name: 'server', short: 's', type: 'value', about: 'Trust server of the folder that --trust-dir names' },
  {
    name: 'tlscacert',
    type: 'value',
    takes: 'file',
    about: 'With --trust-dir: trust server certificates signed only by this CA',
  },
  {
    name: 'trust-dir',
    short: 'd',
    type: 'value',
    takes: 'folder',
    about: 'Work in the folder of a notary client, where names are GUNs as they stand',
  },
];

/**
 * The place given by a command's flags, docker's own if they give none. Throws `usage` for a server or an authority without
 * a folder, as docker's settings say those.
 */
export async function placeOf(session: Session, parsed: ParsedCommand): Promise<TrustPlace> {
  const [trustDir, server, authority] = ['trust-dir', 'server', 'tlscacert'].map((flag) => parsed.value(flag));
  if (trustDir !== undefined) return session.place({ trustDir, server, authority });
  if (server !== undefined) {
    throw new SignetError('usage', '--server is for the folder that --trust-dir names', {
      exitCode: 125,
      next: 'Without that folder, name the server so: DOCKER_CONTENT_TRUST_SERVER=URL',
    });
  }
  if (authority !== undefined) {
    throw new SignetError('usage', '--tlscacert is for the folder that --trust-dir names', {
      exitCode: 125,
      next: `Without that folder, copy the CA of each server to ${join(session.folder, 'tls/HOST:PORT/ca.crt')}`,
    });
  }
  return session.place({});
}

/** `placeOf` for a command that has nothing to do in a new folder. Throws `file-missing` if there is none. */
export async function existingPlaceOf(session: Session, parsed: ParsedCommand): Promise<TrustPlace> {
  const place = await placeOf(session, parsed);
  checkFolder(place, parsed);
  return place;
}

/** Throws `file-missing` if there is no folder that `--trust-dir` names. */
export function checkFolder({ folder }: TrustPlace, parsed: ParsedCommand): void {
  if (parsed.value('trust-dir') === undefined || existsSync(folder)) return;
  throw new SignetError('file-missing', `there is no folder ${folder}`, {
    next: 'Name the folder of the notary client: --trust-dir FOLDER',
  });
}
