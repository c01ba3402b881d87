import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { SignetError } from '../../src/core/errors/index.ts';

test('no code is in two parts of the catalogue: the later one would silently win', async () => {
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

test('an error in other words keeps its code, next step, detail and exit code, unless others are named', () => {
  const error = new SignetError('root-unpinned', 'no pin', { next: 'Pin it.', detail: { gun: 'a/b' }, exitCode: 7 });
  const reworded = error.reworded('in other words');
  expect(reworded).toMatchObject({ code: 'root-unpinned', next: 'Pin it.', detail: { gun: 'a/b' }, exitCode: 7 });
  expect([reworded.message, reworded.cause]).toEqual(['in other words', error]);
  expect(error.reworded('x', { exitCode: 125 })).toMatchObject({ next: 'Pin it.', exitCode: 125 });
  expect(new SignetError('network-unreachable', 'x').reworded('y').next).toBe(
    new SignetError('network-unreachable', 'x').next,
  );
});

test('a whole that fails because of an error keeps its next step and detail, and neither its code nor its exit code', () => {
  const error = new SignetError('name-invalid', 'no name', {
    next: 'Write it in full.',
    detail: { at: 3 },
    exitCode: 7,
  });
  const whole = error.within('docker-config-invalid', 'the file is wrong: no name');
  expect(whole).toMatchObject({
    code: 'docker-config-invalid',
    next: 'Write it in full.',
    detail: { at: 3 },
    exitCode: 1,
  });
  expect([whole.message, whole.cause]).toEqual(['the file is wrong: no name', error]);
  const located = error.within('docker-config-invalid', 'x', { next: 'Correct it.', detail: { path: '/c' } });
  expect(located).toMatchObject({ next: 'Correct it.', detail: { path: '/c' } });
});

test('an error that docker has no words for is Signet’s own, unless it is put in docker’s words', () => {
  const error = new SignetError('file-unsafe', 'x');
  expect([error.isOwn, error.reworded('y').isOwn]).toEqual([true, true]);
  expect(error.reworded('y', { isDockers: true }).reworded('z').isOwn).toBe(false);
  expect(new SignetError('network-unreachable', 'x').isOwn).toBe(false);
});
