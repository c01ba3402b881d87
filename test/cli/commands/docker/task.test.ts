import { expect, test } from 'bun:test';
import { platformOf } from '../../../../src/cli/commands/docker/task.ts';
import { recordedBook } from '../../../engine/command-tree.ts';

test.each([
  [[], {}, undefined],
  [[], { DOCKER_DEFAULT_PLATFORM: 'linux/arm64' }, 'linux/arm64'],
  [['--platform', 'linux/386'], { DOCKER_DEFAULT_PLATFORM: 'linux/arm64' }, 'linux/386'],
  [['--platform='], { DOCKER_DEFAULT_PLATFORM: 'linux/arm64' }, undefined],
  [[], { DOCKER_DEFAULT_PLATFORM: '' }, undefined],
] as const)('an image is pulled and run for a platform as docker does: %j %j', async (options, env, expected) => {
  for (const command of ['run', 'create', 'pull']) {
    const args = await recordedBook('docker-29').parse([command], [...options, 'image']);
    expect(platformOf({ args, env })).toBe(expected);
  }
});
