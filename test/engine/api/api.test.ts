import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerEngine } from '../../../src/engine/api/api.ts';
import { encodeAuth } from '../../../src/engine/api/auth.ts';
import { EngineClient } from '../../../src/engine/api/client.ts';
import { findProgram } from '../../support/clis.ts';
import { failure } from '../../support/failure.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { type FakeEngineOptions, type SeenRequest, startFakeEngine, stream } from '../fake-engine.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const INVALID_RESPONSE = { code: 'engine-response-invalid' };
const LOGIN = { username: 'u', password: Buffer.from('p'), identityToken: undefined, serverAddress: 'h' };
const REFUSED = { code: 'engine-refused' };
const INVALID_NAME = { code: 'reference-invalid' };

function fake(answer: FakeEngineOptions['answer'], options: Partial<FakeEngineOptions> = {}) {
  const { host, socketPath, requests } = startFakeEngine({ answer, ...options });
  return { engine: new DockerEngine(new EngineClient({ host, socketPath })), requests, socketPath };
}

/** An engine whose push answers with these records, and which describes the image as given. */
function pushing(records: readonly (object | string)[], description?: object, apiVersion = '1.41') {
  const answer = ({ path }: SeenRequest) => {
    if (path.endsWith('/push')) return stream(...records);
    return description && Response.json({ Id: 'sha256:1', ...description });
  };
  return fake(answer, { apiVersion });
}

const result = (tag: string, digest: string, size: unknown) => ({
  progressDetail: {},
  aux: { Tag: tag, Digest: digest, Size: size },
});
const line = (tag: string, digest: string, size = 528) => ({ status: `${tag}: digest: ${digest} size: ${size}` });

describe('the version', () => {
  test.each([
    ['1.41', '1.41'],
    ['1.24', '1.24'],
    ['1.48', '1.48'],
    ['1.52', '1.48'],
    ['2.0', '1.48'],
    [null, '1.24'],
  ])('an engine of %p is spoken to in %s', async (apiVersion, spoken) => {
    const { engine, requests } = fake(() => undefined, { apiVersion });
    expect(await engine.version()).toBe(spoken);
    await engine.inspectImage('a');
    await engine.inspectImage('a');
    expect(requests.map(({ path, version }) => `${version}${path}`)).toEqual([
      '/_ping',
      `${spoken}/images/a/json`,
      `${spoken}/images/a/json`,
    ]);
  });

  test('is refused where it is no version', async () => {
    for (const apiVersion of ['latest', '1', '1.2.3', '../1.41']) {
      await expect(fake(() => undefined, { apiVersion }).engine.version()).rejects.toMatchObject(INVALID_RESPONSE);
    }
  });
});

describe('inspectImage', () => {
  const description = {
    Id: 'sha256:1',
    RepoTags: ['a:1'],
    RepoDigests: [`a@${DIGEST}`],
    Os: 'linux',
    Architecture: 'arm64',
    Descriptor: { mediaType: 'application/vnd.oci.image.index.v1+json', digest: DIGEST, size: 1609 },
    Size: 1.5e9,
    GraphDriver: { Data: null },
  };

  test('reads what the engine says', async () => {
    const { engine } = fake(() => Response.json(description));
    expect(await engine.inspectImage('a:1')).toEqual({
      id: 'sha256:1',
      repoTags: ['a:1'],
      repoDigests: [`a@${DIGEST}`],
      descriptor: { digest: DIGEST as never, size: 1609 },
      os: 'linux',
      architecture: 'arm64',
    });
  });

  test('older engines say less', async () => {
    const { engine } = fake(() => Response.json({ Id: 'sha256:1', RepoTags: null }));
    expect(await engine.inspectImage('a')).toMatchObject({ repoTags: [], repoDigests: [], descriptor: undefined });
  });

  test('asks under the name as docker writes it', async () => {
    const { engine, requests } = fake(() => undefined);
    for (const name of ['a', 'h:5000/b/c:tag', `a@${DIGEST}`, DIGEST, '[::1]:5000/a']) await engine.inspectImage(name);
    expect(requests.slice(1).map(({ path }) => decodeURIComponent(path))).toEqual([
      '/images/a/json',
      '/images/h:5000/b/c:tag/json',
      `/images/a@${DIGEST}/json`,
      `/images/${DIGEST}/json`,
      '/images/[::1]:5000/a/json',
    ]);
  });

  test.each([
    '',
    '.',
    '..',
    '../containers',
    'a/../../b',
    'a//b',
    '/a',
    'a/',
    'a?x=1',
    'a#b',
    'a b',
    'a%2fb',
    'a\nb',
    'é',
    '-a',
    'x'.repeat(2000),
  ])('never asks under the name %p', async (name) => {
    const { engine, requests } = fake(() => Response.json(description));
    await expect(engine.inspectImage(name)).rejects.toMatchObject(INVALID_NAME);
    expect(requests).toEqual([]);
  });

  test.each([
    ['no JSON', () => new Response('x')],
    ['a list', () => Response.json([])],
    ['no ID', () => Response.json({})],
    ['tags that are no texts', () => Response.json({ Id: 'x', RepoTags: [1] })],
    ['an endless answer', () => new Response(`"${'x'.repeat(5 * 1024 * 1024)}"`)],
  ])('refuses %s', async (_, answer) => {
    await expect(fake(answer).engine.inspectImage('a')).rejects.toMatchObject(INVALID_RESPONSE);
  });

  test('a descriptor that names no content is none', async () => {
    for (const Descriptor of [
      {},
      { digest: 'sha256:1', size: 1 },
      { digest: DIGEST, size: 0 },
      { digest: DIGEST, size: '1' },
      'x',
    ]) {
      const { engine } = fake(() => Response.json({ Id: 'x', Descriptor }));
      expect((await engine.inspectImage('a'))?.descriptor).toBeUndefined();
    }
  });

  test("says the engine's own words where it refuses", async () => {
    const answers = [
      [() => Response.json({ message: 'disk full\n' }, { status: 500 }), 'Error response from daemon: disk full'],
      [() => new Response('<html>', { status: 502 }), 'Error response from daemon: status 502'],
      [
        () => new Response(null, { status: 301, headers: { Location: 'http://evil/' } }),
        'Error response from daemon: status 301',
      ],
    ] as const;
    for (const [answer, text] of answers) {
      await expect(fake(answer).engine.inspectImage('a')).rejects.toMatchObject({ ...REFUSED, message: text });
    }
    const endless = fake(() => new Response('x'.repeat(100_000), { status: 500 }));
    await expect(endless.engine.inspectImage('a')).rejects.toMatchObject(INVALID_RESPONSE);
  });
});

describe('tag', () => {
  test('asks as docker does', async () => {
    const { engine, requests } = fake(() => new Response(null, { status: 201 }));
    await engine.tag(`alpine@${DIGEST}`, 'alpine:3');
    await engine.tag('a:1', 'h:5000/b/c');
    expect(requests.slice(1).map(({ method, path, query }) => [method, path, Object.fromEntries(query)])).toEqual([
      ['POST', `/images/alpine@${DIGEST}/tag`, { repo: 'alpine', tag: '3' }],
      ['POST', '/images/a:1/tag', { repo: 'h:5000/b/c', tag: 'latest' }],
    ]);
  });

  test('an image that is not there', async () => {
    await expect(fake(() => undefined).engine.tag('a', 'b')).rejects.toMatchObject({
      ...REFUSED,
      message: 'Error response from daemon: No such image: it',
    });
    await expect(fake(() => undefined).engine.tag('a', 'B')).rejects.toMatchObject(INVALID_NAME);
  });
});

describe('pull', () => {
  const seen = ({ method, path, query }: SeenRequest) => [method, path, Object.fromEntries(query)];

  test('by digest, by tag, for a platform', async () => {
    const { engine, requests } = fake(() => stream({ status: 'Pulling' }));
    await engine.pull(`alpine@${DIGEST}`);
    await engine.pull(`h:5000/a/b:1@${DIGEST}`, { platform: 'linux/arm64' });
    await engine.pull('docker.io/library/alpine:3');
    expect(requests.slice(1).map(seen)).toEqual([
      ['POST', '/images/create', { fromImage: 'alpine', tag: DIGEST }],
      ['POST', '/images/create', { fromImage: 'h:5000/a/b', tag: DIGEST, platform: 'linux/arm64' }],
      ['POST', '/images/create', { fromImage: 'alpine', tag: '3' }],
    ]);
    expect(requests[1]?.headers.get('x-registry-auth')).toBe('e30=');
  });

  test("fails with the engine's words when the stream does", async () => {
    const { engine } = fake(() =>
      stream({ status: 'Pulling' }, { errorDetail: { message: 'manifest unknown' }, error: 'x' }),
    );
    await expect(engine.pull('a')).rejects.toMatchObject({ ...REFUSED, message: 'manifest unknown' });
  });

  test('fails when the engine goes away', async () => {
    const { engine } = fake(() => stream({ status: 'Pulling' }, '{"status":"Pul'));
    await expect(engine.pull('a')).rejects.toMatchObject(INVALID_RESPONSE);
  });

  test('ends when it is told to', async () => {
    const controller = new AbortController();
    const endless = new ReadableStream({
      start: (sink) => sink.enqueue(new TextEncoder().encode('{"status":"x"}\n')),
    });
    const { engine } = fake(() => new Response(endless));
    const show = { write: () => controller.abort(new Error('enough')) };
    await expect(engine.pull('a', { signal: controller.signal, show })).rejects.toThrow('enough');
    await expect(engine.pull('a', { signal: AbortSignal.abort(new Error('at once')) })).rejects.toThrow('at once');
  });
});

describe('push', () => {
  test('sends name, tag, platform and credentials, and shows everything but the records', async () => {
    const records = [{ status: 'Pushing' }, line('2', DIGEST), result('2', DIGEST, 528)];
    const { engine, requests } = pushing(records, undefined, '1.46');
    let shown = '';
    const pushed = await engine.push('h:5000/a/b:2', {
      auth: { username: 'me', password: Buffer.from('ÿ~?secret'), identityToken: undefined, serverAddress: 'h:5000' },
      platform: 'linux/amd64',
      show: { write: (text) => (shown += text) },
    });
    expect(pushed).toEqual({ digest: DIGEST as never, size: 528, insteadOf: undefined, source: 'push-result' });
    const request = requests.at(-1);
    expect(request?.path).toBe('/images/h:5000/a/b/push');
    const platform = '{"architecture":"amd64","os":"linux"}';
    expect(Object.fromEntries(request?.query ?? [])).toEqual({ tag: '2', platform });
    const header = request?.headers.get('x-registry-auth') ?? '';
    expect(header).toMatch(/^[A-Za-z0-9_=-]+$/);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      username: 'me',
      password: 'ÿ~?secret',
      serveraddress: 'h:5000',
    });
    expect(shown).toBe(`Pushing\n2: digest: ${DIGEST} size: 528\n`);
  });

  test('that is refused with a login of the environment names the variable', async () => {
    const { engine } = pushing([{ error: 'denied' }]);
    const auth = { ...LOGIN, source: 'DOCKER_AUTH_CONFIG' } as const;
    expect((await failure(engine.push('h/a', { auth }), 'engine-refused')).next).toBe(
      'The engine was given the login of DOCKER_AUTH_CONFIG. If that is wrong, correct or unset DOCKER_AUTH_CONFIG.',
    );
  });

  describe('to podman', () => {
    const records = [line('latest', DIGEST)];
    const token = { ...LOGIN, username: '', password: Buffer.of(), identityToken: Buffer.from('r.t') };
    const podman = (answers: readonly object[]) =>
      fake(({ path }) => (path.endsWith('/push') ? stream(...answers) : undefined), { isPodman: true });

    test('sends user names and passwords, and leaves all else to the logins of its service', async () => {
      for (const [auth, isSent] of [
        [LOGIN, true],
        [token, false],
        [undefined, false],
      ] as const) {
        const { engine, requests } = podman(records);
        await engine.push('h/a', { auth });
        expect(requests.at(-1)?.headers.has('x-registry-auth')).toBe(isSent);
      }
    });

    test('says what to do where that is refused', async () => {
      const { engine } = podman([{ error: 'denied: requested access to the resource is denied' }]);
      const error = await failure(engine.push('h/a', { auth: token }), 'engine-refused');
      expect(error.message).toBe('denied: requested access to the resource is denied');
      expect(error.next).toBe(
        "Podman's API service takes no identity token. If it is the login that it lacks: podman login h",
      );
      expect((await failure(engine.push('h/a', { auth: LOGIN }), 'engine-refused')).next).toBeUndefined();
    });

    test('says how to start its service where that does not run', async () => {
      const socketPath = join(temporaryFolder(), 'none.sock');
      const host = `unix://${socketPath}`;
      const engine = new DockerEngine(new EngineClient({ host, socketPath, kind: 'podman' }));
      const error = await failure(engine.version(), 'engine-unreachable');
      const unit = process.getuid?.() === 0 ? 'systemctl' : 'systemctl --user';
      expect(error.message).toBe(
        `podman's API service, which Signet needs here, does not run at ${host}; start it: ${unit} start podman.socket`,
      );
      expect(error.next).toBe(`Without systemd: podman system service --time=0 ${host} &`);
    });
  });

  test.each([
    ['the record', [result('latest', DIGEST, 528)]],
    ['the line that the containerd store prints', [line('latest', DIGEST)]],
    ['both', [line('latest', DIGEST), result('latest', DIGEST, 528)]],
    [
      'the record among others',
      [{ aux: { contentMissing: true } }, { aux: 7 }, result('latest', DIGEST, 528), { aux: {} }],
    ],
    [
      'the one manifest of an index',
      [
        {
          aux: {
            manifestPushedInsteadOfIndex: true,
            originalIndex: { digest: OTHER, size: 9 },
            selectedManifest: { digest: DIGEST, size: 528 },
          },
        },
        line('latest', DIGEST),
      ],
    ],
    [
      'the one manifest of an index, told only once',
      [{ aux: { manifestPushedInsteadOfIndex: true, selectedManifest: { digest: DIGEST, size: 528 } } }],
    ],
    ['its own tag among others', [line('other', OTHER), result('other', OTHER, 1), line('latest', DIGEST)]],
  ])('takes %s', async (_, records) => {
    expect(await pushing(records).engine.push('a')).toMatchObject({
      digest: DIGEST as never,
      size: 528,
      source: 'push-result',
    });
  });

  test('tells of which index only one manifest was pushed', async () => {
    const selected = { digest: DIGEST, size: 528 };
    const note = {
      aux: {
        manifestPushedInsteadOfIndex: true,
        originalIndex: { digest: OTHER, size: 9 },
        selectedManifest: selected,
      },
    };
    expect((await pushing([note, line('latest', DIGEST)]).engine.push('a')).insteadOf).toBe(OTHER as never);
    expect((await pushing([line('latest', DIGEST)]).engine.push('a')).insteadOf).toBeUndefined();
  });

  test('says what to do where the engine has neither all of the index nor its own platform', async () => {
    const records = [
      { aux: { contentMissing: true, desc: { digest: OTHER } } },
      { errorDetail: { message: 'not found' } },
    ];
    await expect(pushing(records).engine.push('a')).rejects.toMatchObject({
      ...REFUSED,
      message: 'the engine does not have all platforms of the image: not found',
      next: 'Pull the platforms that are missing, or push one that is here: signet push --platform OS/ARCH IMAGE',
    });
  });

  test('an engine that cannot push one platform is not asked to', async () => {
    const { engine, requests } = pushing([line('latest', DIGEST)], undefined, '1.45');
    await expect(engine.push('a', { platform: 'linux/amd64' })).rejects.toMatchObject({
      ...REFUSED,
      message: '"--platform" requires API version 1.46, but the Docker daemon API version is 1.45',
    });
    expect(requests.map(({ path }) => path)).toEqual(['/_ping']);
    await engine.push('a', { platform: '' });
    expect(requests.at(-1)?.query.has('platform')).toBe(false);
  });

  const OWN = `h:5000/a@${DIGEST}`;
  const FOREIGN = [`h:5000/b@${OTHER}`, `a@${OTHER}`, '<none>@<none>'];

  test('falls back to what the engine says of the image', async () => {
    const Descriptor = { digest: DIGEST, size: 1609 };
    expect(await pushing([], { Descriptor, RepoDigests: [`h:5000/a@${OTHER}`] }).engine.push('h:5000/a:1')).toEqual({
      digest: DIGEST as never,
      size: 1609,
      insteadOf: undefined,
      source: 'descriptor',
    });
    expect(await pushing([], { RepoDigests: [...FOREIGN, OWN, OWN] }).engine.push('h:5000/a:1')).toEqual({
      digest: DIGEST as never,
      size: undefined,
      insteadOf: undefined,
      source: 'repo-digest',
    });
  });

  test.each([
    ['nothing is known', undefined],
    ['no digest belongs to the repository', { RepoDigests: FOREIGN }],
    ['several digests belong to the repository', { RepoDigests: [OWN, `h:5000/a@${OTHER}`] }],
  ])('says so where %s', async (_, description) => {
    await expect(pushing([], description).engine.push('h:5000/a:1')).rejects.toMatchObject({
      code: 'push-result-missing',
    });
  });

  test('of one platform of an image the description says nothing', async () => {
    const { engine } = pushing([], { Descriptor: { digest: DIGEST, size: 1609 } }, '1.48');
    await expect(engine.push('a', { platform: 'linux/arm64' })).rejects.toMatchObject({ code: 'push-result-missing' });
  });

  test.each([
    ['a digest that is none', result('latest', 'sha256:1', 528)],
    ['a digest in capitals', result('latest', DIGEST.toUpperCase(), 528)],
    ['no size', result('latest', DIGEST, 0)],
    ['a size that is text', result('latest', DIGEST, '528')],
    ['a size beyond numbers', { status: `latest: digest: ${DIGEST} size: ${'9'.repeat(20)}` }],
    ['a line of a layer', { id: 'aa', ...line('latest', DIGEST) }],
    ['a line with more', { status: `latest: digest: ${DIGEST} size: 528 and more` }],
  ])('does not take %s', async (_, record) => {
    await expect(pushing([record]).engine.push('a')).rejects.toMatchObject({ code: 'push-result-missing' });
  });

  test('refuses two answers', async () => {
    const { engine } = pushing([line('latest', DIGEST), result('latest', OTHER, 528)]);
    await expect(engine.push('a')).rejects.toMatchObject({
      code: 'push-result-ambiguous',
      detail: { digests: [DIGEST, OTHER] },
    });
  });

  test('nothing counts in a push that failed', async () => {
    const { engine } = pushing([
      result('latest', DIGEST, 528),
      { errorDetail: { message: 'denied' }, error: 'denied' },
    ]);
    await expect(engine.push('a')).rejects.toMatchObject({ ...REFUSED, message: 'denied' });
  });

  test('refuses a digest as a name to push to', async () => {
    await expect(pushing([]).engine.push(`a@${DIGEST}`)).rejects.toMatchObject({
      ...INVALID_NAME,
      message: 'cannot push a digest reference',
    });
  });
});

describe('an engine that is not there', () => {
  const at = (socketPath: string) => new DockerEngine(new EngineClient({ host: `unix://${socketPath}`, socketPath }));

  test('no socket, or none that anyone answers', async () => {
    const path = join(temporaryFolder(), 'docker.sock');
    const failure = {
      code: 'engine-unreachable',
      message: `Cannot connect to the Docker daemon at unix://${path}. Is the docker daemon running?`,
    };
    await expect(at(path).version()).rejects.toMatchObject(failure);
    writeFileSync(path, '');
    await expect(at(path).inspectImage('a')).rejects.toMatchObject(failure);
  });

  test('a proxy of the environment is not asked', async () => {
    const { socketPath } = fake(() => undefined);
    const before = process.env.HTTP_PROXY;
    process.env.HTTP_PROXY = 'http://127.0.0.1:1';
    try {
      expect(await at(socketPath).version()).toBe('1.41');
    } finally {
      if (before === undefined) delete process.env.HTTP_PROXY;
      else process.env.HTTP_PROXY = before;
    }
  });
});

test('encodeAuth leaves out what is empty', () => {
  const decode = (header: string) => JSON.parse(Buffer.from(header, 'base64url').toString());
  expect(decode(encodeAuth(undefined))).toEqual({});
  expect(decode(encodeAuth(LOGIN))).toEqual({ username: 'u', password: 'p', serveraddress: 'h' });
  const token = { username: '', password: Buffer.alloc(0), identityToken: Buffer.from('t'), serverAddress: 'h' };
  expect(decode(encodeAuth(token))).toEqual({ identitytoken: 't', serveraddress: 'h' });
});

test('the same on Node', async () => {
  const { socketPath, requests } = startFakeEngine({
    answer: ({ path }) => {
      if (path.endsWith('/push')) return stream({ status: 'Pushing' }, result('1', DIGEST, 528));
      return path === '/images/a/json' ? Response.json({ Id: 'sha256:1' }) : undefined;
    },
  });
  const folder = temporaryFolder();
  const source = join(folder, 'main.ts');
  const module = (name: string) => JSON.stringify(join(import.meta.dir, '../../../src/engine/api', name));
  writeFileSync(
    source,
    `import { DockerEngine } from ${module('api.ts')};
import { EngineClient } from ${module('client.ts')};
const connect = (socketPath) => new DockerEngine(new EngineClient({ host: 'unix://' + socketPath, socketPath }));
const engine = connect(${JSON.stringify(socketPath)});
const show = { write: (text) => process.stdout.write(text) };
const outcome = [
  await engine.version(),
  (await engine.inspectImage('a'))?.id,
  await engine.inspectImage('b') ?? 'absent',
  await engine.push('c:1', { show, auth: { username: 'u', password: Buffer.from('p'), serverAddress: 'h' } }),
  await connect('/nonexistent.sock').version().catch(({ code }) => code),
  await engine.pull('c', { signal: AbortSignal.abort(new Error('enough')) }).catch(({ message }) => message),
];
console.log(JSON.stringify(outcome));
`,
  );
  const built = await Bun.build({ entrypoints: [source], target: 'node', outdir: folder, naming: 'main.mjs' });
  expect(built.success).toBe(true);
  const { stdout, stderr } = await run([findProgram('node'), join(folder, 'main.mjs')]);
  expect(stderr).toBe('');
  const [shown = '', outcome = ''] = stdout.trim().split('\n');
  expect(shown).toBe('Pushing');
  expect(JSON.parse(outcome)).toEqual([
    '1.41',
    'sha256:1',
    'absent',
    { digest: DIGEST, size: 528, source: 'push-result' },
    'engine-unreachable',
    'enough',
  ]);
  expect(requests.find(({ path }) => path.endsWith('/push'))?.headers.get('x-registry-auth')).toBe(encodeAuth(LOGIN));
});
