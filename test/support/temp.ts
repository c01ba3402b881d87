import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './cleanup.ts';

/** Makes an empty folder (0700) that is removed with its content after the tests of this process. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'signet-')));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
