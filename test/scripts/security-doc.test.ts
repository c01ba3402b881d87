import { expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
/** `test/file.test.ts › title`, or the file alone. */
const REFERENCE = /`(test\/[\w/.-]+\.ts)(?: › ([^`]+))?`/g;

test('every test that docs/security.md names exists, with that title', () => {
  const references = [...DOCUMENT.matchAll(REFERENCE)];
  expect(references.length).toBeGreaterThan(60);
  const missing = references.filter(([, file = '', title]) => {
    const path = join(ROOT, file);
    return !existsSync(path) || (title !== undefined && !readFileSync(path, 'utf8').includes(title));
  });
  expect(missing.map(([reference]) => reference)).toEqual([]);
});

test('every row of a table has a test', () => {
  const tables = DOCUMENT.split('\n## ').filter((section) => /^(?:Attacks|Mistakes)/.test(section));
  expect(tables.length).toBe(3);
  const rows = tables.flatMap((section) => section.split('\n').filter((line) => /^\| (?!---)/.test(line)));
  const bodies = rows.filter((row) => !row.endsWith('| test |') && !/^\|[-|]+\|$/.test(row));
  expect(bodies.filter((row) => !row.includes('`test/'))).toEqual([]);
});
