import { isSignetError } from '../../../core/errors/index.ts';
import { formatTime } from '../../../core/time.ts';
import { EXPIRY_NOTICE } from '../../../core/verify/expiry-warnings.ts';
import { type RoleStatus, type Status, statusOf } from '../../../trust/report/status.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { dockerTable } from '../../terminal/table.ts';
import { signatoryNames } from '../../wording/pending.ts';
import { isColoured, red } from './colour.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';
import { proposalText, unusualText } from './review.ts';
import { stagedText } from './staged-text.ts';

export const STATUS: Command<Session> = {
  program: 'signet',
  path: 'trust status',
  summary: 'Show who signed what until when, what waits for signatures, and what is staged',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [...PLACE_FLAGS],
  examples: [{ about: 'See what expires, waits for signatures or is staged', line: 'trust status alice/app' }],
  run: status,
};

/** `signet trust status REPOSITORY`. Staged changes are shown even if the server cannot be reached (exit code 1). */
async function status(session: Session, parsed: ParsedCommand): Promise<number> {
  const { repository, changelist } = (await placeOf(session, parsed)).collection(parsed.args[0] ?? '', [
    'pull',
    'push',
  ]);
  const { gun } = repository;
  const staged = await changelist.read();
  try {
    session.print(statusText(session, gun, await statusOf(repository)));
  } catch (error) {
    if (!isSignetError(error) || error.code === 'cancelled') throw error;
    session.print(stagedText(gun, staged));
    throw error;
  }
  session.print(`\n${stagedText(gun, staged)}`);
  return 0;
}

function statusText(session: Session, gun: string, { roles, waiting, mirror }: Status): string {
  const rows = roles.map((role) => [
    role.role,
    `${role.version}`,
    signatures(role),
    signedBy(role),
    `${role.here} of ${role.keys}`,
    expiry(session, role),
  ]);
  return [
    `Trust data of ${gun}\n\n`,
    dockerTable(['ROLE', 'VERSION', 'SIGNATURES', 'SIGNED BY', 'KEYS HERE', 'EXPIRES'], rows),
    '\n',
    mirrorText(session, mirror),
    waitingText(gun, waiting),
  ].join('');
}

function mirrorText(session: Session, mirror: Status['mirror']): string {
  if (mirror === undefined) return '';
  const { server = 'a copy', read, until } = mirror;
  const end =
    until < session.now()
      ? `no client uses it since ${formatTime(until)}`
      : `clients can use it until ${formatTime(until)}`;
  return `This server is a mirror of ${server}, read at ${formatTime(read)}: ${end}, and it takes no changes.\n`;
}

function signatures({ signed, threshold }: RoleStatus): string {
  return `${signed.length}, needs ${threshold}`;
}

/** Keys of the server have no owner to name. */
function signedBy({ role, signed }: RoleStatus): string {
  if (role === 'snapshot' || role === 'timestamp') return signed.length === 0 ? 'no one' : `${role} key`;
  return signed.length === 0 ? 'no one' : signatoryNames(signed);
}

function expiry(session: Session, { role, expires }: RoleStatus): string {
  const now = session.now();
  const day = new Date(expires).toISOString().slice(0, 10);
  if (expires < now) return red(`${day} (expired)`, isColoured(session.env));
  // The server renews a timestamp every two weeks, so one that expires within half a year is normal.
  return role !== 'timestamp' && expires < now + EXPIRY_NOTICE ? `${day} (soon)` : day;
}

function waitingText(gun: string, waiting: Status['waiting']): string {
  if (waiting === undefined) return `Nothing waits for signatures in ${gun}.\n`;
  if (waiting === 'hidden') return 'What waits for signatures is shown to those who may publish.\n';
  if (waiting instanceof Error) return `A change that waits is of no use: ${waiting.message}\n`;
  return `A change waits for signatures (signet trust approve ${gun}):\n${proposalText(waiting)}${unusualText(waiting)}`;
}
