import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';

test('no code stands in two parts of the catalogue, where the later would win without a word', async () => {
  const folder = join(ROOT, 'src/core/errors');
  const codes: string[] = [];
  for (const file of new Bun.Glob('*.ts').scanSync(folder)) {
    if (file === 'index.ts' || file === 'catalogue.ts') continue;
    const parts: Record<string, Record<string, unknown>> = await import(join(folder, file));
    for (const part of Object.values(parts)) codes.push(...Object.keys(part));
  }
  expect(codes.length).toBeGreaterThan(150);
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});
