import type { CollectionCopy } from '../../../core/copy/collection-copy.ts';
import { SignetError } from '../../../core/errors/index.ts';
import { LIMITS } from '../../../core/limits.ts';
import { digestOf } from '../../../core/names/digest.ts';
import { formatTime, type Instant } from '../../../core/time.ts';
import { readSmallFile, writePrivateFile } from '../../../store/files.ts';
import { formatFrozen, parseFrozen } from '../../../trust/decide/frozen.ts';
import type { TrustedTag } from '../../../trust/decide/resolve.ts';
import type { Session } from '../../session.ts';
import { checkFolderOf, fileOf } from './copies.ts';

/** A verified repository whose tags are frozen. */
interface FrozenRepository {
  readonly copy: CollectionCopy;
  readonly tags: readonly TrustedTag[];
}

/** Finds out before anything is read whether `freeze` can write. Throws `usage`, `file-missing`, `configuration-invalid`. */
export function checkFreeze(session: Session, path: string, until: Instant): void {
  if (until < session.now()) {
    throw new SignetError('usage', `--until ${formatTime(until).slice(0, 10)} is in the past: nothing would be frozen`);
  }
  checkFolderOf(path);
  imagesIn(path);
}

function imagesIn(path: string): ReturnType<typeof parseFrozen>['images'] {
  const bytes = readSmallFile(path, LIMITS.configFile, true);
  return bytes === undefined ? new Map() : parseFrozen(bytes, path).images;
}

/**
 * Writes a frozen list, or adds to an existing one: its other repositories stay, with the new end. Writes nothing if
 * there is nothing to freeze. Throws `configuration-invalid` if the file is something else.
 */
export function freeze(
  session: Session,
  path: string,
  until: Instant,
  repositories: readonly FrozenRepository[],
): void {
  if (repositories.length === 0) return;
  const images = new Map(imagesIn(path));
  for (const { copy, tags } of repositories) {
    images.set(copy.gun, {
      tags: new Map(tags.map(({ tag, digest }) => [tag, digest])),
      evidence: digestOf(fileOf(copy)),
      read: copy.readAt,
    });
  }
  writePrivateFile(path, formatFrozen({ until, images }));
  session.printError(
    `Frozen until ${formatTime(until)} in ${path}. In signet.json beside it: "frozen": ${JSON.stringify(path.split('/').at(-1))}\n`,
  );
}
