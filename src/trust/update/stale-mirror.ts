import { isSignetError, type SignetError } from '../../core/errors/index.ts';
import { formatTime } from '../../core/time.ts';
import type { MirrorInfo } from '../../remote/notary/mirror-info.ts';

/** What knows whether a collection comes from a mirror. */
interface MirrorSource {
  readonly gun: string;
  readonly host: string;
  readonly mirrorInfo?: (() => Promise<MirrorInfo | undefined>) | undefined;
}

/**
 * The same error; if a file has expired and the server is a mirror, its next step says that no one can renew it there, and
 * what can be done. The server's answer decides nothing else.
 */
export async function explainingMirror(error: unknown, source: MirrorSource): Promise<unknown> {
  if (!isSignetError(error, 'metadata-expired')) return error;
  const info = await askMirror(source);
  return info === undefined ? error : error.reworded(error.message, { next: stepOf(source, info) });
}

/** What the server says of itself if it is a mirror. One that does not answer this is none. */
export async function askMirror({ mirrorInfo }: Pick<MirrorSource, 'mirrorInfo'>): Promise<MirrorInfo | undefined> {
  try {
    return await mirrorInfo?.();
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

function stepOf(
  { gun, host }: MirrorSource,
  { server = 'a copy', read }: MirrorInfo,
): NonNullable<SignetError['next']> {
  return [
    `${host} is a mirror of ${server}, read at ${formatTime(read)}: it has no key to renew anything with.`,
    `If ${server} still answers, its operator takes a newer copy: signet trust export ${gun}, then signet trust import --mirror`,
    'If not: vouch for what was signed, on a trust server of your own: signet trust adopt --from FILE',
    'Or freeze digests until a day: signet trust adopt --from FILE --freeze FILE --until DAY',
  ].join('\n');
}
