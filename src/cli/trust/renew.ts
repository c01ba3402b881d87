import { SignetError } from '../../core/errors/index.ts';
import { parseRole, type RoleName } from '../../core/names/role.ts';
import { type DueRole, planRenewal, renew } from '../../trust/renew.ts';
import { type CommandSpec, parseCommand } from '../command.ts';
import type { Session } from '../session.ts';
import { dockerTable } from '../table.ts';
import { reportPublication } from './approve.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';

export const RENEW: CommandSpec = {
  program: 'signet',
  path: 'trust renew',
  usage: '[OPTIONS] REPOSITORY [ROLE...]',
  summary: 'Sign anew what has expired, expires within half a year, or lost its signatures',
  flags: [{ name: 'yes', short: 'y', kind: 'switch' }, ...PLACE_FLAGS],
  options: `${PLACE_OPTIONS}
  -y, --yes                Do not prompt for confirmation`,
  minArguments: 1,
};

/** `signet trust renew REPOSITORY [ROLE…]`: only these roles where some are named, and those even if nothing presses. */
export async function renewRoles(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(RENEW, words);
  const [name = '', ...named] = parsed.args;
  const asked = named.map(parseRole);
  const { repository } = (await placeOf(session, parsed)).collection(name, ['pull', 'push']);
  const { due } = await planRenewal(repository, asked);
  const wanted = asked.length === 0 ? due : due.filter(({ role }) => asked.includes(role));
  refuseUnknown(asked, wanted);
  const possible = wanted.filter(({ isHere }) => isHere);
  if (wanted.length > 0) session.print(`${planText(wanted)}\n`);
  if (possible.length === 0) return nothingToSign(session, repository.gun, wanted);
  const question = `Sign ${possible.length === 1 ? 'this role' : 'these roles'} anew, with all that is in them now?`;
  if (!parsed.has('yes') && !(await session.confirm(question))) return 0;
  return reportPublication(
    session,
    repository,
    await renew(
      repository,
      possible.map(({ role }) => role),
    ),
  );
}

function refuseUnknown(asked: readonly RoleName[], wanted: readonly DueRole[]): void {
  const unknown = asked.find((role) => !wanted.some((each) => each.role === role));
  if (unknown === undefined) return;
  const isServers = unknown === 'timestamp' || unknown === 'snapshot';
  throw new SignetError(
    'role-unknown',
    isServers ? `${unknown} is renewed by the trust server, which has its key` : `role does not exist: ${unknown}`,
    { detail: { role: unknown } },
  );
}

function planText(due: readonly DueRole[]): string {
  return dockerTable(
    ['ROLE', 'EXPIRES', 'WHY', 'KEY'],
    due.map(({ role, expires, why, isHere }) => [
      role,
      new Date(expires).toISOString().slice(0, 10),
      why,
      isHere ? 'here' : 'not here',
    ]),
  );
}

function nothingToSign(session: Session, gun: string, wanted: readonly DueRole[]): number {
  if (wanted.length === 0) {
    session.print(`Nothing in ${gun} expires within half a year.\n`);
    return 0;
  }
  throw new SignetError('signing-key-missing', `no key here can renew ${wanted.map(({ role }) => role).join(', ')}`, {
    detail: { roles: wanted.map(({ role }) => role) },
  });
}
