import { expect, test } from 'bun:test';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { declarations } from '../../scripts/declarations.ts';
import { findStalePages, manualPages, referencePages, writeManual } from '../../scripts/manual.ts';
import { ROOT } from '../../scripts/paths.ts';
import { isGroup } from '../../src/cli/line/declaration.ts';
import { findProgram } from '../support/clis.ts';
import { run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

const all = await declarations();
const folder = temporaryFolder();
await writeManual(folder);

test('there is a page for each command and each group', async () => {
  const paths = all.map(({ told }) => told.path.replaceAll(' ', '-'));
  expect([...(await manualPages()).keys()]).toEqual(paths.map((path) => `signet-${path}.1`));
  expect([...(await referencePages()).keys()]).toEqual([
    'docs/reference/README.md',
    ...paths.map((path) => `docs/reference/${path}.md`),
  ]);
});

test('mandoc has nothing to say against any page', async () => {
  const pages = [...(await manualPages()).keys()].map((name) => join(folder, name));
  const { stdout } = await run([findProgram('mandoc'), '-T', 'lint', '-W', 'warning', ...pages]);
  // A page of a project, not of a system: it has no date.
  expect(stdout.split('\n').filter((line) => line !== '' && !/missing date/.test(line))).toEqual([]);
});

test.each(all.map(({ told }) => [told.path, told] as const))(
  'signet %s: the page shows it as it is',
  async (path, told) => {
    const page = join(folder, `signet-${path.replaceAll(' ', '-')}.1`);
    const { stdout } = await run([findProgram('mandoc'), '-T', 'utf8', '-O', 'width=400', page]);
    const text = stdout
      .replaceAll(/.\u0008/g, '')
      .replaceAll('‐', '-')
      .replaceAll(/[^\S\n]+/g, ' ');
    expect(text).toContain(`\nSYNOPSIS\n signet ${path}`);
    if (isGroup(told)) {
      for (const [name] of told.lists.flatMap(([, entries]) => entries))
        expect(text).toContain(`signet ${path} ${name}`);
      return;
    }
    for (const { name, about } of told.flags) {
      expect(text).toMatch(new RegExp(`--${name}\\b`));
      expect(text).toContain(about.replaceAll('\n', ' '));
    }
    for (const { line } of told.examples ?? []) expect(text).toContain(`signet ${line}`);
    for (const [member] of told.json ?? []) expect(text).toMatch(new RegExp(`^ ${member}\\s`, 'm'));
    expect(text).toContain('\nEXIT CODES\n');
  },
);

test('a page that was changed by hand, one that is missing and one of no command are found', async () => {
  const root = temporaryFolder();
  cpSync(join(ROOT, 'docs'), join(root, 'docs'), { recursive: true });
  expect(await findStalePages(root)).toEqual([]);
  const sign = join(root, 'docs/reference/trust-sign.md');
  writeFileSync(sign, readFileSync(sign, 'utf8').replace('--local', '--locale'));
  rmSync(join(root, 'docs/reference/user.md'));
  writeFileSync(join(root, 'docs/reference/trust-frob.md'), '');
  expect(await findStalePages(root)).toEqual([
    'docs/reference/trust-sign.md is not what the commands declare; run: bun scripts/manual.ts',
    'docs/reference/user.md is not what the commands declare; run: bun scripts/manual.ts',
    'docs/reference/trust-frob.md is of no command; run: bun scripts/manual.ts',
  ]);
});
