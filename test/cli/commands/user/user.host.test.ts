import { expect, test } from 'bun:test';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../support/run.ts';
import { temporaryFolder } from '../../../support/temp.ts';

test('a data folder that this user may not enter is not taken for a missing one', async () => {
  const parent = temporaryFolder();
  chmodSync(parent, 0o755);
  const folder = join(parent, 'data');
  mkdirSync(folder, { mode: 0o700 });
  const module = JSON.stringify(join(import.meta.dir, '../../../../src/cli/commands/user/user.ts'));
  const script = `
    import { userCommand } from ${module};
    process.setgid(12345); process.setuid(12345);
    const words = ['list', '--data', ${JSON.stringify(folder)}];
    await userCommand(words).catch((error) => console.log(error.code, error.message));`;
  const { stdout } = await run([process.execPath, '-e', script]);
  expect(stdout).toStartWith(`data-folder-unusable cannot use the data folder ${folder}: EACCES`);
});
