import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { Reference } from '../../../core/names/reference.ts';
import { allTargets } from '../../../core/verify/lookup.ts';
import type { TrustedSet } from '../../../core/verify/trusted-set.ts';
import { revokeTags } from '../../../trust/changes/sign.ts';
import { resolveAllTags } from '../../../trust/decide/resolve.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import { YES } from '../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { missingKeys } from '../../wording/docker-texts.ts';
import { inForce, PENDING_EXIT } from '../../wording/pending.ts';

export const REVOKE: Command<Session> = {
  path: 'trust revoke',
  summary: 'Remove trust for an image',
  args: [{ name: 'IMAGE[:TAG]', takes: 'image' }],
  flags: [YES],
  examples: [{ about: 'Take the signature of a tag back', line: 'trust revoke alice/app:1.0' }],
  exitCodes: PENDING_EXIT,
  run: revoke,
};

/** `docker trust revoke [--yes] IMAGE[:TAG]` (protocol D.15). */
async function revoke(session: Session, parsed: ParsedCommand): Promise<number> {
  const typed = parsed.args[0] ?? '';
  const reference = session.resolve(typed);
  if (reference.digest !== undefined) {
    throw new SignetError('image-reference-unsupported', 'cannot use a digest reference for IMAGE:TAG');
  }
  if (reference.tag === undefined && !parsed.has('yes')) {
    const question = `Confirm you would like to delete all signature data for ${typed}?`;
    if (!(await session.confirm(question))) return 0;
  }
  try {
    const repository = await session.repository(reference, 'push');
    const { publication, remaining } = await revokeTags(repository, await tagsToRevoke(repository, reference));
    inForce(repository, publication);
    if (remaining.length > 0) throw stillSigned(remaining);
  } catch (error) {
    if (!isSignetError(error) || error.code === 'cancelled' || error.code === 'signatures-pending') throw error;
    throw error.reworded(`could not remove signature for ${typed}: ${missingKeys(error)}`);
  }
  session.print(`Successfully deleted signature for ${typed}\n`);
  return 0;
}

function stillSigned(tags: readonly string[]): SignetError {
  return new SignetError('trust-incomplete', `${tags.join(', ')} is still signed with keys that are not here`, {
    next: 'Whoever has the repository key must revoke it as well: signet trust inspect shows which key that is.',
  });
}

async function tagsToRevoke(repository: Repository, reference: Reference): Promise<readonly string[]> {
  const collection = await repository.current();
  if (collection === undefined)
    throw new SignetError('trust-data-missing', `${repository.host} does not have trust data for ${repository.gun}`);
  if (reference.tag !== undefined) return [knownTag(collection.set, reference.tag)];
  const { tags } = resolveAllTags(collection.set);
  if (tags.length === 0) throw new SignetError('target-not-found', 'no signed tags to remove');
  return tags.map(({ tag }) => tag);
}

/** Checks only that some role has signed the tag. The user's keys decide what can be revoked. */
function knownTag(set: TrustedSet, tag: string): string {
  if (allTargets(set, tag).length > 0) return tag;
  throw new SignetError('target-not-found', `No valid trust data for ${tag}`, { detail: { tag } });
}
