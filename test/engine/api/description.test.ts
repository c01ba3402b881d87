import { expect, test } from 'bun:test';
import { DockerEngine } from '../../../src/engine/api/api.ts';
import { EngineClient } from '../../../src/engine/api/client.ts';
import { startFakeEngine } from '../fake-engine.ts';

function engineThat(says: unknown, builder?: string) {
  const { host, socketPath, requests } = startFakeEngine({
    ...(builder === undefined ? {} : { builder }),
    answer: ({ path }) => (path === '/version' ? Response.json(says) : undefined),
  });
  return { engine: new DockerEngine(new EngineClient({ host, socketPath })), requests };
}

test.each([
  ['2', true],
  ['1', false],
  [undefined, false],
])('an engine whose builder is %p is described', async (builder, prefersBuildKit) => {
  const { engine, requests } = engineThat({ Version: '20.10.24', Os: 'linux', Arch: 'arm', Other: 1 }, builder);
  expect(await engine.describe()).toEqual({ version: '20.10.24', platform: 'linux/arm', prefersBuildKit });
  await engine.describe();
  expect(requests.map(({ path }) => path)).toEqual(['/_ping', '/version', '/version']);
});

test.each([[[]], [{ Os: 'linux', Arch: 'arm' }], [{ Version: 1, Os: 'linux', Arch: 'arm' }]])(
  '%j is no description',
  async (says) => {
    await expect(engineThat(says).engine.describe()).rejects.toMatchObject({ code: 'engine-response-invalid' });
  },
);
