import { expect, test } from 'bun:test';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOUR, SECOND } from '../../src/core/time.ts';
import { draftOf, isDraft, removeDrafts } from '../../src/store/drafts.ts';
import { writePrivateFile } from '../../src/store/files.ts';
import { temporaryFolder } from '../support/temp.ts';

/** A file that was last written to so many milliseconds ago. */
function left(path: string, age: number): string {
  writeFileSync(path, 'half a se');
  const time = (Date.now() - age) / SECOND;
  utimesSync(path, time, time);
  return path;
}

test('a write removes what killed processes have left, and nothing that may still be written or is not ours', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'config.json');
  left(draftOf(path), 2 * HOUR);
  const recent = left(draftOf(path), HOUR / 2);
  const others = ['.0434b045-9dcc-440a-90e3-d6ba0c5697ca.tmp', '.signet-notes.tmp', 'config.json.tmp'];
  for (const name of others) left(join(folder, name), 2 * HOUR);
  writePrivateFile(path, Buffer.from('{}'));
  expect(
    readdirSync(folder)
      .map((name) => join(folder, name))
      .sort(),
  ).toEqual([path, recent, ...others.map((name) => join(folder, name))].sort());
});

test('a folder that is not there, or has no drafts, is no error', () => {
  const folder = temporaryFolder();
  removeDrafts(join(folder, 'missing'));
  removeDrafts(left(join(folder, 'file'), 0));
  expect(readdirSync(folder)).toEqual(['file']);
});

test('each draft has a name of its own beside its file', () => {
  const drafts = [draftOf('/a/b'), draftOf('/a/b')];
  expect(new Set(drafts).size).toBe(2);
  for (const draft of drafts) expect([isDraft(draft), draft.startsWith('/a/.')]).toEqual([true, true]);
  expect(isDraft('/a/.signet-x/b')).toBe(false);
});
