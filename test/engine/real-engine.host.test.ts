import { beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectEngine, type Engine } from '../../src/engine/api/api.ts';
import { type DockerCli, findDocker } from '../../src/engine/cli/cli.ts';
import { readCommandLine } from '../../src/engine/cli/command.ts';
import { LearnedSyntax } from '../../src/engine/cli/learn.ts';
import { captureDocker } from '../../src/engine/cli/run.ts';
import { atEnd } from '../support/cleanup.ts';
import { findProgram, trustingClis } from '../support/clis.ts';
import { importBusybox, startEngine } from '../support/dockerd.ts';
import { run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

const START_MS = 90_000;

let cli: DockerCli;
let engine: Engine;
let env: NodeJS.ProcessEnv;
let registry: string;

/** Debian's registry on a port of its own, without users. */
async function startRegistry(): Promise<string> {
  const folder = temporaryFolder();
  const probe = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  const address = `127.0.0.1:${probe.port}`;
  await probe.stop(true);
  const settings = { version: '0.1', storage: { filesystem: { rootdirectory: folder } }, http: { addr: address } };
  const file = join(folder, 'config.yml');
  writeFileSync(file, JSON.stringify(settings));
  const child = Bun.spawn([findProgram('docker-registry'), 'serve', file], { stdout: 'ignore', stderr: 'ignore' });
  atEnd(async () => {
    child.kill();
    await child.exited;
  });
  while (
    !(await fetch(`http://${address}/v2/`).then(
      (answer) => answer.ok,
      () => false,
    ))
  )
    await Bun.sleep(50);
  return address;
}

beforeAll(async () => {
  const daemon = await startEngine();
  const [debian] = await trustingClis();
  if (debian === undefined) throw new Error('there is no docker command');
  env = { ...process.env, DOCKER_HOST: daemon.host, XDG_CACHE_HOME: temporaryFolder() };
  cli = await findDocker({ ...env, SIGNET_DOCKER: debian.path });
  const { globals } = await readCommandLine(new LearnedSyntax(cli, env), ['ps'], (words) => words.length === 0);
  engine = await connectEngine(cli, globals, env);
  await importBusybox(daemon, cli.path, 'busybox:latest');
  registry = await startRegistry();
}, START_MS);

function plainEnv(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: temporaryFolder(), DOCKER_HOST: env.DOCKER_HOST ?? '' };
}

async function digestInRegistry(path: string, tag: string): Promise<{ digest: string | null; size: number }> {
  const answer = await fetch(`http://${registry}/v2/${path}/manifests/${tag}`, {
    headers: { Accept: 'application/vnd.docker.distribution.manifest.v2+json' },
  });
  return { digest: answer.headers.get('docker-content-digest'), size: (await answer.arrayBuffer()).byteLength };
}

describe('a real engine', () => {
  test('says what decides how it builds', async () => {
    const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
    const said = await engine.describe();
    expect(said).toMatchObject({ platform: `linux/${arch}`, prefersBuildKit: false });
    expect(said.version).toStartWith('20.10.');
  });

  test.each(['0', '1'])(
    'of 20.10 refuses a here-document for its end, and only for that: DOCKER_BUILDKIT=%s',
    async (value) => {
      const build = async (lines: readonly string[]) => {
        const stdin = ['FROM busybox', 'RUN <<EOF', ...lines, 'EOF', ''].join('\n');
        return run([cli.path, 'build', '-'], { env: { ...plainEnv(), DOCKER_BUILDKIT: value }, stdin });
      };
      const refused = await build(['FROM scratch', 'LABEL a=b']);
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stdout + refused.stderr).toContain('unknown instruction: EOF');
      const joined = await build(['FROM busybox', 'LABEL a=b \\']);
      expect(joined.stdout + joined.stderr).not.toContain('unknown instruction: EOF');
    },
  );

  test('describes its images, and knows what it does not have', async () => {
    const image = await engine.inspectImage('busybox');
    expect(image).toMatchObject({ repoTags: ['busybox:latest'], repoDigests: [], os: 'linux', descriptor: undefined });
    expect(await engine.inspectImage(image?.id ?? '')).toEqual(image);
    expect(await engine.inspectImage('busybox:nope')).toBeUndefined();
    expect(await engine.inspectImage(`busybox@sha256:${'0'.repeat(64)}`)).toBeUndefined();
  });

  test('tags, pushes and tells what the registry then has', async () => {
    const name = `${registry}/alice/dct-test:signed`;
    await engine.tag('busybox', name);
    let shown = '';
    const pushed = await engine.push(name, { show: { write: (text) => (shown += text) } });
    expect(pushed).toMatchObject({
      source: 'push-result',
      ...(await digestInRegistry('alice/dct-test', 'signed')),
    } as never);
    expect(shown).toStartWith(`The push refers to repository [${registry}/alice/dct-test]\n`);
    expect(shown).toEndWith(`signed: digest: ${pushed.digest} size: ${pushed.size}\n`);
    expect((await engine.inspectImage(name))?.repoDigests).toEqual([`${registry}/alice/dct-test@${pushed.digest}`]);
  });

  test('a second push prints the same bytes as docker push', async () => {
    const name = `${registry}/alice/again:1`;
    await engine.tag('busybox', name);
    await engine.push(name);
    let shown = '';
    await engine.push(name, { show: { write: (text) => (shown += text) } });
    const { stdout } = await captureDocker(cli.path, ['push', name], env);
    expect(shown).toBe(stdout);
  });

  test('pulls by digest, and the tag is given afterwards', async () => {
    const name = `${registry}/alice/pulled`;
    await engine.tag('busybox', `${name}:1`);
    const { digest } = await engine.push(`${name}:1`);
    await captureDocker(cli.path, ['rmi', `${name}:1`, `${name}@${digest}`], env);
    expect(await engine.inspectImage(`${name}:1`)).toBeUndefined();
    let shown = '';
    await engine.pull(`${name}@${digest}`, { show: { write: (text) => (shown += text) } });
    expect(shown).toContain(`Digest: ${digest}\n`);
    expect(await engine.inspectImage(`${name}:1`)).toBeUndefined();
    await engine.tag(`${name}@${digest}`, `${name}:1`);
    expect((await engine.inspectImage(`${name}:1`))?.repoTags).toContain(`${name}:1`);
  });

  test("fails with the engine's own words", async () => {
    await expect(engine.push(`${registry}/alice/absent:1`)).rejects.toMatchObject({
      code: 'engine-refused',
      message: `An image does not exist locally with the tag: ${registry}/alice/absent`,
    });
    await expect(engine.tag('absent', 'other')).rejects.toMatchObject({
      code: 'engine-refused',
      message: 'Error response from daemon: No such image: absent:latest',
    });
    await expect(engine.pull(`${registry}/alice/absent:1`)).rejects.toMatchObject({ code: 'engine-refused' });
  });
});
