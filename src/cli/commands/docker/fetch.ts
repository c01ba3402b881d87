import { wipe } from '../../../core/login.ts';
import { familiarReference, type Reference } from '../../../core/names/reference.ts';
import type { ProgressOutput } from '../../../engine/api/progress.ts';
import type { ResolvedTag } from '../../../trust/decide/decision.ts';
import type { Session } from '../../session.ts';

/**
 * Pulls an image by its signed digest and tags it, as docker does under content trust (protocol D.4 steps 4 and 5).
 * Progress goes to `show`.
 */
export async function fetchTrusted(
  session: Session,
  { asked, use }: ResolvedTag,
  options: { readonly platform: string | undefined; readonly show: ProgressOutput | undefined },
): Promise<void> {
  const engine = await session.engine();
  const auth = await session.engineAuth(use);
  await engine.pull(familiarReference(use), { ...options, auth }).finally(() => auth && wipe(auth));
  await tagAs(session, use, { ...asked, digest: undefined });
}

/** Tags the image of a digest. Docker reports this on standard error. */
export async function tagAs(session: Session, pinned: Reference, tag: Reference): Promise<void> {
  session.printError(`Tagging ${familiarReference(pinned)} as ${familiarReference(tag)}\n`);
  await (await session.engine()).tag(familiarReference(pinned), familiarReference(tag));
}
