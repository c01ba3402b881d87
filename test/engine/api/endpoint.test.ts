import { beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectEngine, type Engine } from '../../../src/engine/api/api.ts';
import { openBridge } from '../../../src/engine/api/bridge.ts';
import { configFolder, findEndpoint } from '../../../src/engine/api/endpoint.ts';
import { type DockerCli, findDocker } from '../../../src/engine/cli/cli.ts';
import { readCommandLine } from '../../../src/engine/cli/command.ts';
import type { ParsedArgs } from '../../../src/engine/cli/flags.ts';
import { LearnedSyntax } from '../../../src/engine/cli/learn.ts';
import { dockerClis } from '../../support/clis.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { startFakeEngine } from '../fake-engine.ts';

const INVALID = { code: 'endpoint-invalid' };
const PODMAN: DockerCli = { path: '/bin/false', kind: 'podman', version: '4.3.1', stamp: '' };
const clis: DockerCli[] = [];
const home = temporaryFolder();
const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: temporaryFolder() };

beforeAll(async () => {
  for (const { path } of await dockerClis()) clis.push(await findDocker({ ...env, SIGNET_DOCKER: path }));
});

function newestCli(): DockerCli {
  const cli = clis.at(-1);
  if (cli === undefined) throw new Error('there is no docker command');
  return cli;
}

async function globalsOf(line: string): Promise<ParsedArgs> {
  return (
    await readCommandLine(
      new LearnedSyntax(newestCli(), env),
      [...line.split(' ').filter(Boolean), 'ps'],
      (words) => words.length === 0,
    )
  ).globals;
}

const find = async (line: string, variables: NodeJS.ProcessEnv = {}) =>
  findEndpoint(newestCli(), await globalsOf(line), { ...env, ...variables });

/** A configuration folder with one context, and perhaps a current one. */
function configuration(name: string, meta: string | object, config?: string | object): string {
  const folder = temporaryFolder();
  const place = join(folder, 'contexts', 'meta', createHash('sha256').update(name).digest('hex'));
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'meta.json'), typeof meta === 'string' ? meta : JSON.stringify(meta));
  if (config !== undefined) {
    writeFileSync(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  }
  return folder;
}

const metaOf = (name: string, host: string) => ({
  Name: name,
  Metadata: {},
  Endpoints: { docker: { Host: host, SkipTLSVerify: false } },
});

describe('findEndpoint', () => {
  test('docker itself, asked over the same configuration, goes to the same place', async () => {
    const folder = temporaryFolder();
    const variables: NodeJS.ProcessEnv = { ...env, DOCKER_CONFIG: folder };
    const docker = (cli: DockerCli, ...args: string[]) =>
      run([cli.path, ...args], {
        env: Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, value ?? ''])),
      });
    const created = [
      ['near', 'unix:///run/near.sock'],
      ['far', 'ssh://user@host:22'],
      ['tcp-one', 'tcp://192.0.2.1:2375'],
    ] as const;
    for (const [name, host] of created) {
      await docker(newestCli(), 'context', 'create', name, '--docker', `host=${host}`);
    }
    for (const cli of clis) {
      for (const [name, host] of created) {
        await docker(cli, 'context', 'use', name);
        const { stdout } = await docker(cli, 'context', 'inspect', '--format', '{{.Endpoints.docker.Host}}');
        expect(stdout.trim()).toBe(host);
        expect(findEndpoint(cli, await globalsOf(''), variables).host).toBe(host);
        expect(findEndpoint(cli, await globalsOf(`--context ${name}`), { ...env, DOCKER_CONFIG: folder }).host).toBe(
          host,
        );
      }
    }
  });

  test("in docker's order: the options, DOCKER_HOST, DOCKER_CONTEXT, the current context, the default", async () => {
    const DOCKER_CONFIG = configuration('work', metaOf('work', 'unix:///work.sock'), { currentContext: 'work' });
    const DOCKER_HOST = 'unix:///env.sock';
    const hosts = {
      nothing: (await find('')).host,
      current: (await find('', { DOCKER_CONFIG })).host,
      currentByOption: (await find(`--config ${DOCKER_CONFIG}`)).host,
      contextByVariable: (await find('', { DOCKER_CONFIG, DOCKER_CONTEXT: 'default' })).host,
      hostByVariable: (await find('', { DOCKER_CONFIG, DOCKER_HOST, DOCKER_CONTEXT: 'nope' })).host,
      contextByOption: (await find('-c work', { DOCKER_CONFIG, DOCKER_HOST })).host,
      defaultByOption: (await find('-c default', { DOCKER_CONFIG, DOCKER_HOST })).host,
      hostByOption: (await find('-H unix:///option.sock', { DOCKER_CONFIG, DOCKER_HOST, DOCKER_CONTEXT: 'work' })).host,
    };
    expect(hosts).toEqual({
      nothing: 'unix:///var/run/docker.sock',
      current: 'unix:///work.sock',
      currentByOption: 'unix:///work.sock',
      contextByVariable: 'unix:///var/run/docker.sock',
      hostByVariable: DOCKER_HOST,
      contextByOption: 'unix:///work.sock',
      defaultByOption: DOCKER_HOST,
      hostByOption: 'unix:///option.sock',
    });
  });

  test('only unix sockets are spoken to directly', async () => {
    expect(await find('-H unix:///a/b')).toEqual({ host: 'unix:///a/b', socketPath: '/a/b' });
    expect(await find('-H unix://')).toEqual({
      host: 'unix:///var/run/docker.sock',
      socketPath: '/var/run/docker.sock',
    });
    for (const host of ['tcp://h:1', 'ssh://u@h', 'npipe:////./pipe/docker_engine', 'fd://', 'h:2375', '/a/b']) {
      expect(await find(`-H ${host}`)).toEqual({ host, socketPath: undefined });
    }
  });

  test('TLS options without an address mean the local port, which only docker can reach', async () => {
    const local = { host: 'tcp://localhost:2376', socketPath: undefined };
    expect(await find('--tls')).toEqual(local);
    expect(await find('--tlsverify')).toEqual(local);
    expect(await find('', { DOCKER_TLS_VERIFY: '1' })).toEqual(local);
    expect((await find('--tls=false')).socketPath).toBe('/var/run/docker.sock');
    expect((await find('--tlsverify -H unix:///x')).socketPath).toBe('/x');
  });

  test('refuses what docker refuses', async () => {
    await expect(find('-H unix:///a -H unix:///b')).rejects.toMatchObject(INVALID);
    await expect(find('-H unix:///a -c work')).rejects.toMatchObject(INVALID);
    await expect(find('-c nope')).rejects.toMatchObject({ code: 'context-unknown' });
    await expect(find('', { DOCKER_CONTEXT: '../nope' })).rejects.toMatchObject({ code: 'context-unknown' });
  });

  test.each([
    ['no JSON', 'x'],
    ['not an object', '[]'],
    ['without endpoints', '{"Name":"work"}'],
    ['with another name', metaOf('play', 'unix:///x')],
    ['with a look-alike member', '{"Name":"work","endpoints":{},"Endpoints":{"docker":{"Host":"unix:///x"}}}'],
    ['with a host that is no text', '{"Name":"work","Endpoints":{"docker":{"Host":7}}}'],
    ['endless', ' '.repeat(5 * 1024 * 1024)],
  ])('refuses a context that is %s', async (_, meta) => {
    await expect(find('-c work', { DOCKER_CONFIG: configuration('work', meta) })).rejects.toMatchObject(INVALID);
  });

  test('refuses a configuration that it cannot read', async () => {
    const broken = configuration('work', metaOf('work', 'unix:///x'), '{');
    await expect(find('', { DOCKER_CONFIG: broken })).rejects.toMatchObject(INVALID);
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'config.json'));
    await expect(find('', { DOCKER_CONFIG: folder })).rejects.toMatchObject(INVALID);
  });

  test('podman has its own', async () => {
    const globals = await globalsOf('');
    expect(findEndpoint(PODMAN, globals, { CONTAINER_HOST: 'unix:///p.sock' }).socketPath).toBe('/p.sock');
    expect(findEndpoint(PODMAN, globals, { DOCKER_HOST: 'unix:///d.sock' }).socketPath).toMatch(
      /podman\/podman\.sock$/,
    );
  });

  test('configFolder', async () => {
    expect(configFolder(await globalsOf(''), { HOME: '/h' })).toBe('/h/.docker');
    expect(configFolder(await globalsOf(''), { HOME: '/h', DOCKER_CONFIG: '/c' })).toBe('/c');
    expect(configFolder(await globalsOf('--config /o'), { HOME: '/h', DOCKER_CONFIG: '/c' })).toBe('/o');
  });
});

describe('through the docker command', () => {
  const image = { Id: 'sha256:1', RepoTags: ['a:1'], RepoDigests: null, Os: 'linux', Architecture: 'amd64' };
  const answer = ({ path }: { path: string }) => (path === '/images/a:1/json' ? Response.json(image) : undefined);

  async function use<Result>(
    cli: DockerCli,
    line: string,
    variables: NodeJS.ProcessEnv,
    action: (engine: Engine) => Promise<Result>,
  ) {
    const engine = await connectEngine(cli, await globalsOf(line), { ...env, ...variables });
    try {
      return await action(engine);
    } finally {
      engine.close();
    }
  }

  test('TCP', async () => {
    const engine = startFakeEngine({ answer, tcp: {} });
    for (const cli of clis) {
      const found = await use(cli, `-H ${engine.host}`, {}, async (each) => [
        each.host,
        await each.version(),
        (await each.inspectImage('a:1'))?.repoTags,
        await each.inspectImage('b'),
      ]);
      expect(found).toEqual([engine.host, '1.41', ['a:1'], undefined]);
    }
  }, 30_000);

  test('TCP with TLS and a client certificate', async () => {
    const folder = temporaryFolder();
    const openssl = (...args: string[]) => run(['openssl', ...args], { cwd: folder });
    const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = await openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      'key.pem',
      '-out',
      'cert.pem',
      ...subject,
    );
    expect(made.exitCode).toBe(0);
    await run(['cp', 'cert.pem', 'ca.pem'], { cwd: folder });
    const text = (name: string) => Bun.file(join(folder, name)).text();
    const cert = await text('cert.pem');
    const engine = startFakeEngine({ answer, tcp: { cert, key: await text('key.pem'), ca: cert } });
    const files = `--tlscacert ${folder}/ca.pem --tlscert ${folder}/cert.pem --tlskey ${folder}/key.pem`;
    for (const cli of clis) {
      const tags = async (each: Engine) => (await each.inspectImage('a:1'))?.repoTags;
      expect(await use(cli, `--tlsverify ${files} -H ${engine.host}`, {}, tags)).toEqual(['a:1']);
      expect(
        await use(cli, '', { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder, DOCKER_HOST: engine.host }, tags),
      ).toEqual(['a:1']);
      const refused = use(
        cli,
        `-H ${engine.host}`,
        { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: temporaryFolder() },
        tags,
      );
      await expect(refused).rejects.toMatchObject({ code: 'engine-unreachable' });
    }
  }, 30_000);

  test('SSH, as docker starts it', async () => {
    const engine = startFakeEngine({ answer });
    const folder = temporaryFolder();
    for (const cli of clis) {
      writeFileSync(join(folder, 'ssh'), `#!/bin/sh\nDOCKER_HOST=${engine.host} exec ${cli.path} system dial-stdio\n`);
      chmodSync(join(folder, 'ssh'), 0o755);
      const PATH = `${folder}:${process.env.PATH}`;
      const found = await use(cli, '-H ssh://user@far', { PATH }, async (each) => (await each.inspectImage('a:1'))?.id);
      expect(found).toBe('sha256:1');
    }
  }, 30_000);

  test('an engine that is not there: docker says why', async () => {
    for (const cli of clis) {
      const failure = use(cli, '-H tcp://127.0.0.1:1', {}, (each) => each.version());
      await expect(failure).rejects.toMatchObject({
        code: 'engine-unreachable',
        message: expect.stringContaining('connection refused'),
      });
    }
  });

  test('the socket is private, and goes when it is closed', async () => {
    const bridge = await openBridge(newestCli(), [], env);
    const folder = join(bridge.socketPath, '..');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['engine.sock']);
    bridge.close();
    expect(existsSync(folder)).toBe(false);
  });

  test('a docker command that is gone ends the connection', async () => {
    const gone = { ...newestCli(), path: join(temporaryFolder(), 'docker') };
    const failure = use(gone, '-H tcp://127.0.0.1:1', {}, (each) => each.version());
    await expect(failure).rejects.toMatchObject({ code: 'engine-unreachable' });
  });
});
