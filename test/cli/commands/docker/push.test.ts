import { expect, test } from 'bun:test';
import { runPush } from '../../../../src/cli/commands/docker/push.ts';
import type { DockerTask } from '../../../../src/cli/commands/docker/task.ts';
import { ParsedArgs } from '../../../../src/engine/cli/flags.ts';
import { parseHelp } from '../../../../src/engine/cli/help.ts';
import { readTree } from '../../../engine/command-tree.ts';
import { empty, type FakeSession, fakeImage, NAME } from '../../fake-session.ts';

const HELP = readTree('docker-29').find(({ words }) => words.join(' ') === 'push')?.help ?? '';
const IMAGE = fakeImage('pushed');
const INDEX = fakeImage('index').digest;

/** Pushes `NAME:v1`, which the engine has, under trust. */
async function push(...options: readonly string[]): Promise<FakeSession> {
  return pushIn(await empty(), options);
}

async function pushIn(session: FakeSession, options: readonly string[]): Promise<FakeSession> {
  session.inEngine.set(`${NAME}:v1`, IMAGE);
  const args = new ParsedArgs(parseHelp(HELP, ['push']), [...options, `${NAME}:v1`]);
  expect(await runPush({ session, args, trust: true } as unknown as DockerTask)).toBe(0);
  return session;
}

test('a quiet push prints what was pushed and nothing else', async () => {
  for (const option of ['-q', '--quiet']) {
    const session = await push(option);
    expect(session.output).toEqual({ stdout: `${NAME}:v1\n`, stderr: '' });
    expect(session.pushOptions).toEqual([{ auth: undefined, show: undefined, platform: undefined }]);
  }
  expect((await push('-q=false')).output.stdout).toContain(`Successfully signed ${NAME}:v1\n`);
});

test('a push of one platform says that the others are not signed', async () => {
  const session = await push('--platform', 'linux/amd64');
  expect(session.pushOptions.map(({ platform }) => platform)).toEqual(['linux/amd64']);
  expect(session.output.stderr).toBe(
    `What is signed is ${IMAGE.digest} alone; other platforms are not covered by ${NAME}:v1\n`,
  );
});

test('a push of the one platform that the engine has says what is signed in place of the index', async () => {
  const session = await empty();
  session.indexInEngine = INDEX;
  await pushIn(session, ['-q']);
  expect(session.output.stderr).toBe(
    `Only the platform that the engine has was pushed, ${IMAGE.digest}, and not the index ${INDEX}\n` +
      `What is signed is ${IMAGE.digest} alone; other platforms are not covered by ${NAME}:v1\n`,
  );
});

test('a push of everything says nothing of platforms', async () => {
  expect((await push()).output.stderr).toBe('');
});
