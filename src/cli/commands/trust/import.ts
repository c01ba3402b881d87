import type { CollectionCopy } from '../../../core/copy/collection-copy.ts';
import { parseCopies } from '../../../core/copy/copy-file.ts';
import { checkLeadsOn, type Lineage, lineageOf } from '../../../core/copy/leads-on.ts';
import { usableUntil, type VerifiedCopy, verifyCopy } from '../../../core/copy/verify-copy.ts';
import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { MirrorFolder } from '../../../store/mirror-folder.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { day, fileOf, ofFile, readCopyFile, usability } from './copies.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';

export const IMPORT: Command<Session> = {
  program: 'signet',
  path: 'trust import',
  summary: 'Take trust data that was exported, for use without a server or for a mirror',
  args: [{ name: 'FILE', takes: 'file', isRepeated: true }],
  flags: [
    { name: 'mirror', type: 'value', takes: 'folder', about: 'Put it into this folder, for "signet serve --mirror"' },
    ...PLACE_FLAGS,
  ],
  run: importCopies,
};

/**
 * `signet trust import [--mirror FOLDER] FILE…`. Reads all files before it writes anything. Prints what cannot be
 * imported, imports the rest, and then fails.
 */
async function importCopies(session: Session, parsed: ParsedCommand): Promise<number> {
  const folder = parsed.value('mirror');
  const ignored = PLACE_FLAGS.find(({ name }) => folder !== undefined && parsed.value(name) !== undefined);
  if (ignored !== undefined) {
    throw new SignetError(
      'usage',
      `--mirror names the place, and so does --${ignored.name}: only one of them can be given`,
      {
        exitCode: 125,
      },
    );
  }
  const copies = parsed.args.flatMap(readCopyFile);
  const take = folder === undefined ? await intoCache(session, parsed) : intoMirror(session, folder);
  const failed: [string, SignetError][] = [];
  for (const copy of copies) {
    try {
      session.print(`${copy.gun}: ${await take(copy)}\n`);
    } catch (error) {
      if (!isSignetError(error) || error.code === 'cancelled') throw error;
      const told = ofFile(error);
      session.printError(`${copy.gun}: ${told.message}\n`);
      failed.push([copy.gun, told]);
    }
  }
  const [first] = failed;
  if (first === undefined) return 0;
  const [, error] = first;
  throw new SignetError('import-incomplete', `not imported: ${failed.map(([gun]) => gun).join(', ')}`, {
    cause: error,
    ...(error.next === undefined ? {} : { next: error.next }),
  });
}

type Take = (copy: CollectionCopy) => Promise<string>;

async function intoCache(session: Session, parsed: ParsedCommand): Promise<Take> {
  const place = await placeOf(session, parsed);
  return async (copy) => {
    const { set } = await place.importCopy(copy);
    return `imported; without a server it can be used until ${day(usableUntil(set))}`;
  };
}

/** Accepts expired copies as well: they may be evidence, though no client uses them. */
function intoMirror(session: Session, base: string): Take {
  const folder = new MirrorFolder(base);
  return async (copy) => {
    const next = verifyCopy(copy);
    const present = folder.read(copy.gun);
    for (const known of present === undefined ? [] : parseCopies(present)) {
      checkReplaces(lineageOf(verifyCopy(known)), next);
    }
    folder.write(copy.gun, fileOf(copy));
    return `in the mirror; ${usability(copy, session.now())}`;
  };
}

function checkReplaces(before: Lineage, next: VerifiedCopy): void {
  try {
    checkLeadsOn(before, next);
  } catch (error) {
    if (!isSignetError(error, 'root-rotation-invalid')) throw error;
    throw error.reworded(error.message, {
      next: `If its owner has founded the repository again, remove the file of ${before.root.gun} from the mirror first.`,
    });
  }
}
