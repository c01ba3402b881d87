import { SignetError } from '../../../core/errors/index.ts';
import { LIMITS } from '../../../core/limits.ts';
import { readSmallFile } from '../../../store/files.ts';
import { countSignatures } from '../../../trust/keys/signatories.ts';
import type { Publication } from '../../../trust/publish/publication.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import { YES } from '../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { declined } from '../../terminal/answer.ts';
import { countLines, othersStep, PENDING, PENDING_EXIT } from '../../wording/pending.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';
import { ACCEPT_UNUSUAL, reviewProposal } from './review.ts';

export const APPROVE: Command<Session> = {
  program: 'signet',
  path: 'trust approve',
  summary: 'Sign a change that waits for more signatures',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [
    ACCEPT_UNUSUAL,
    {
      name: 'file',
      short: 'f',
      type: 'value',
      takes: 'file',
      about: 'Approve the proposal in this file, which somebody passed on',
    },
    ...PLACE_FLAGS,
    YES,
  ],
  exitCodes: PENDING_EXIT,
  run: approve,
};

export const DISCARD: Command<Session> = {
  program: 'signet',
  path: 'trust discard',
  summary: 'Drop a change that waits for more signatures',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [...PLACE_FLAGS, YES],
  run: discard,
};

/**
 * `signet trust approve [--file FILE] [--yes] [--accept-unusual] REPOSITORY`: shows what a pending change does, then
 * signs it.
 */
async function approve(session: Session, parsed: ParsedCommand): Promise<number> {
  const name = parsed.args[0] ?? '';
  const { repository } = (await placeOf(session, parsed)).collection(name, ['pull', 'push']);
  const file = parsed.value('file');
  const waiting = file === undefined ? await repository.proposal() : await repository.adopt(readProposal(file));
  if (waiting === undefined) {
    session.print(`Nothing waits for signatures in ${repository.gun}.\n`);
    return 0;
  }
  const answers = { yes: parsed.has('yes'), acceptUnusual: parsed.has('accept-unusual') };
  if (!(await reviewProposal(session, repository.gun, waiting, answers))) return declined(session);
  return reportPublication(session, repository, await repository.approve(waiting, true));
}

/** `signet trust discard [--yes] REPOSITORY`. */
async function discard(session: Session, parsed: ParsedCommand): Promise<number> {
  const { repository } = (await placeOf(session, parsed)).collection(parsed.args[0] ?? '', ['pull', 'push']);
  const question = `Drop the change that waits for signatures in ${repository.gun}?`;
  if (!parsed.has('yes') && !(await session.confirm(question))) return declined(session);
  const found = await repository.discard();
  session.print(found ? `Dropped. ${repository.gun} stays as it is.\n` : `Nothing waits in ${repository.gun}.\n`);
  return 0;
}

/** Reports the outcome of a change whose author knows that it may need more signatures. Returns the exit code. */
export function reportPublication(session: Session, repository: Repository, publication: Publication): number {
  const { gun } = repository;
  if (publication.kind === 'published') session.print(`Published to ${gun}.\n`);
  if (publication.kind === 'unchanged') session.print(`Nothing to change in ${gun}.\n`);
  if (publication.kind !== 'waiting') return 0;
  const counts = countSignatures(publication.collection.set, publication.files);
  session.print(`Signed, and not in force yet. More signatures are needed:\n${countLines(counts)}`);
  session.print(`${othersStep(gun, publication.place)}\n`);
  return PENDING;
}

/** Throws `file-missing`, `file-unreadable`, `file-unsafe` or `too-large`. */
function readProposal(path: string): Buffer {
  const bytes = readSmallFile(path, LIMITS.upload, true);
  if (bytes === undefined) throw new SignetError('file-missing', `there is no proposal at ${path}`);
  return bytes;
}
