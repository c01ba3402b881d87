import { SignetError } from '../../../core/errors/index.ts';
import { parseRole, type RoleName } from '../../../core/names/role.ts';
import { type DueRole, planRenewal, type RenewalPlan, renew } from '../../../trust/changes/renew.ts';
import { describeContent } from '../../../trust/report/describe.ts';
import { YES } from '../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { declined } from '../../terminal/answer.ts';
import { dockerTable } from '../../terminal/table.ts';
import { PENDING_EXIT } from '../../wording/pending.ts';
import { reportPublication } from './approve.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';
import { differenceLines } from './review.ts';

export const RENEW: Command<Session> = {
  program: 'signet',
  path: 'trust renew',
  summary: 'Sign anew what has expired or expires within half a year',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'ROLE', takes: 'role', isOptional: true, isRepeated: true },
  ],
  flags: [...PLACE_FLAGS, YES],
  examples: [{ about: 'Renew all roles that you have keys of', line: 'trust renew --yes alice/app' }],
  exitCodes: PENDING_EXIT,
  run: renewRoles,
};

/**
 * `signet trust renew REPOSITORY [ROLE…]`: renews all roles that are due, or exactly the given ones, even if they are
 * not due.
 */
async function renewRoles(session: Session, parsed: ParsedCommand): Promise<number> {
  const [name = '', ...named] = parsed.args;
  const asked = named.map(parseRole);
  const { repository } = (await placeOf(session, parsed)).collection(name, ['pull', 'push']);
  const { collection, due } = await planRenewal(repository, asked);
  const wanted = asked.length === 0 ? due : due.filter(({ role }) => asked.includes(role));
  refuseUnknown(asked, wanted);
  if (wanted.length > 0) session.print(`${planText(wanted)}\n`);
  const possible = wanted.filter(({ isHere, why }) => isHere && (why !== 'unsigned' || asked.length > 0));
  session.print(unsignedText(repository.gun, collection, wanted, asked.length > 0));
  if (possible.length === 0) return nothingToSign(session, repository.gun, wanted);
  const question = `Sign ${possible.length === 1 ? 'this role anew, with all that is in it' : 'these roles anew, with all that is in them'} now?`;
  if (!parsed.has('yes') && !(await session.confirm(question))) return declined(session);
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

/**
 * A file without valid signatures may say whatever the server wants. It is signed only if the user was shown it and
 * named its role.
 */
function unsignedText(
  gun: string,
  { unusable }: RenewalPlan['collection'],
  wanted: readonly DueRole[],
  areNamed: boolean,
): string {
  const unsigned = wanted.filter(({ why, isHere }) => why === 'unsigned' && isHere).map(({ role }) => role);
  if (areNamed) {
    const contents = [...unusable].filter(([role]) => unsigned.includes(role));
    return contents
      .map(
        ([role, { payload }]) =>
          `Nobody else vouches for what ${role} says:\n${differenceLines(describeContent(payload))}\n`,
      )
      .join('');
  }
  if (unsigned.length === 0) return '';
  return `Nobody vouches for what ${unsigned.join(', ')} says. To see and sign it: signet trust renew ${gun} ${unsigned.join(' ')}\n`;
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
  const roles = wanted.filter(({ isHere }) => !isHere).map(({ role }) => role);
  if (roles.length === 0) return 1;
  throw new SignetError('signing-key-missing', `no key here can renew ${roles.join(', ')}`, { detail: { roles } });
}
