import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCommandWord } from '../../../src/cli/commands/docker/closed-world/commands.ts';
import { namedBuilder, parseBuilder } from '../../../src/engine/cli/builder.ts';
import { readArguments, readCommandLine } from '../../../src/engine/cli/command.ts';
import { recordedBook } from '../command-tree.ts';

const recorded = (name: string) =>
  readFileSync(join(import.meta.dir, `../fixtures/buildx/inspect-${name}.txt`), 'utf8');

test('tells the engine from a builder in a container, and whether it runs', () => {
  expect(parseBuilder(recorded('engine'))).toMatchObject({ name: 'default', driver: 'docker', isRunning: true });
  const container = recorded('container');
  expect(parseBuilder(container)).toMatchObject({ name: 'box', driver: 'docker-container', isRunning: false });
  expect(parseBuilder(container.replace('inactive', 'running'))?.isRunning).toBe(true);
  const second = 'Name: box1\nEndpoint: x\nStatus: inactive\n';
  expect(parseBuilder(container.replace('inactive', 'running') + second)?.isRunning).toBe(false);
  expect(parseBuilder(container.replace('docker-container', 'remote'))?.isRunning).toBe(true);
  expect(parseBuilder('Name: box\nDriver: docker-container\n')?.isRunning).toBe(false);
  expect(parseBuilder('')).toBeUndefined();
});

test.each([
  ['buildx build .', undefined],
  ['buildx --builder a build .', 'a'],
  ['buildx build --builder b .', 'b'],
  ['buildx --builder a build --builder b --builder c .', 'c'],
  ['builder --builder a du', 'a'],
  ['build --builder= .', undefined],
])('%s: the builder is %p', async (text, expected) => {
  const book = recordedBook('docker-29');
  const line = await readCommandLine(book, text.split(' '), isCommandWord);
  expect(namedBuilder(line, await readArguments(book, line, false))).toBe(expected as string);
});
