import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerEngine } from '../../src/engine/api/api.ts';
import { EngineClient } from '../../src/engine/api/client.ts';
import { type SeenRequest, startFakeEngine } from './fake-engine.ts';

/** What a Docker Engine 29.7 with its containerd image store answered. */
const recorded = (name: string) => readFileSync(join(import.meta.dir, 'fixtures/docker-29', `${name}.txt`), 'utf8');

const NAME = 'localhost:5000/alice/app:1';
const INDEX = 'sha256:1012aeb69e3a53adecd8c19cda5e5164e6eb70d46878f17e472c48a7d21f29fb';
const AMD64 = 'sha256:0f69e350e9ab669af4563aa90bd92e9b95d3f729694052bf05e1ba57478cb4a2';
const IMAGE = 'sha256:4f3177f0a3478cc0af4972f21d8faa0e6e51199bf0f27bb0ba23a6be870d96f8';

/** An engine that has the amd64 manifest of an index, and answers as docker 29 did. */
function engine29() {
  const { host, socketPath, requests } = startFakeEngine({ apiVersion: '1.55', answer });
  return { engine: new DockerEngine(new EngineClient({ host, socketPath })), requests };
}

function answer({ path, query }: SeenRequest): Response {
  if (path.endsWith('/json')) return new Response(recorded('image'));
  if (path === '/images/create') return new Response(recorded('pull'));
  const platform = query.get('platform');
  if (platform === null) return new Response(recorded('push-one-of-index'));
  if (!platform.startsWith('{')) return new Response(recorded('push-platform-as-text'), { status: 400 });
  return new Response(recorded(platform.includes('"amd64"') ? 'push-one-platform' : 'push-absent-platform'));
}

describe('a docker engine 29', () => {
  test('pushes one platform, told in JSON', async () => {
    const pushed = { digest: AMD64 as never, size: 476, insteadOf: undefined, source: 'push-result' } as const;
    for (const platform of ['linux/amd64', 'linux/x86_64']) {
      expect(await engine29().engine.push(NAME, { platform })).toEqual(pushed);
    }
  });

  test('says which platform it does not have', async () => {
    await expect(engine29().engine.push(NAME, { platform: 'linux/arm64' })).rejects.toMatchObject({
      code: 'engine-refused',
      message: `image with reference ${NAME} was found but does not provide the specified platform (linux/arm64)`,
    });
  });

  test('pushes the manifest that it has in place of the index', async () => {
    let shown = '';
    const pushed = await engine29().engine.push(NAME, { show: { write: (text) => (shown += text) } });
    expect(pushed).toEqual({ digest: AMD64 as never, size: 476, insteadOf: INDEX as never, source: 'push-result' });
    expect(shown).toBe(
      'The push refers to repository [localhost:5000/alice/app]\n' +
        `fffdcdd7c144: Mounted from alice/multi\n1: digest: ${AMD64} size: 476\n`,
    );
  });

  test('pulls for a platform, told as text', async () => {
    const { engine, requests } = engine29();
    let shown = '';
    await engine.pull(NAME, { platform: 'linux/amd64', show: { write: (text) => (shown += text) } });
    expect(requests.at(-1)?.query.get('platform')).toBe('linux/amd64');
    expect(shown.split('\n')).toContain('fffdcdd7c144: Pull complete');
    expect(shown).toEndWith(`Digest: ${INDEX}\nStatus: Downloaded newer image for localhost:5000/alice/multi:1\n`);
  });

  test('describes an image by its index, which is its ID, too', async () => {
    expect(await engine29().engine.inspectImage('localhost:5000/alice/dct-test:signed')).toEqual({
      id: IMAGE,
      repoTags: ['localhost:5000/alice/dct-test:signed'],
      repoDigests: [`localhost:5000/alice/dct-test@${IMAGE}`],
      descriptor: { digest: IMAGE as never, size: 855 },
      os: 'linux',
      architecture: 'amd64',
    });
  });
});
