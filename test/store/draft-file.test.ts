import { beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DraftFile } from '../../src/store/draft-file.ts';
import { isDraft } from '../../src/store/drafts.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'file');
});

describe('a draft', () => {
  test('is in its place only when it is kept, for its owner alone', () => {
    writeFileSync(path, 'old', { mode: 0o644 });
    const file = new DraftFile(path);
    for (const piece of ['a', '', 'bc']) file.write(Buffer.from(piece));
    expect([readFileSync(path, 'utf8'), isDraft(file.draft)]).toEqual(['old', true]);
    file.keep();
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['abc', 0o600]);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('leaves nothing where it is discarded', () => {
    const file = new DraftFile(path);
    file.write(Buffer.from('abc'));
    file.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('goes where a link leads', () => {
    const link = join(folder, 'link');
    writeFileSync(path, 'old');
    symlinkSync(path, link);
    const file = new DraftFile(link);
    file.write(Buffer.from('new'));
    file.keep();
    expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['new', ['file', 'link']]);
  });

  test('replaces neither folders nor devices, and needs a folder', async () => {
    mkdirSync(path);
    await failure(() => new DraftFile(path), 'file-unsafe');
    await failure(() => new DraftFile('/dev/null'), 'file-unsafe');
    await failure(() => new DraftFile(join(folder, 'none/file')), 'file-unwritable');
    await failure(() => new DraftFile(join(folder, 'file\0')), 'file-unwritable');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});
