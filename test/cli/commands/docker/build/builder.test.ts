import { describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../../../scripts/paths.ts';
import { type BuildOptions, Workshop } from './workshop.ts';

const A = 'a'.repeat(64);
const SIGNED = { 'docker.io/library/busybox:latest': A, 'docker.io/docker/dockerfile:1': A };
const FILES = {
  Dockerfile: 'FROM busybox\n',
  heredoc: 'FROM busybox\nRUN <<EOF\nx\nEOF\n',
  syntax: '# syntax=docker/dockerfile:1\nFROM busybox\n',
  unsigned: '# syntax=docker/dockerfile:2\nFROM busybox\n',
  both: '# syntax=docker/dockerfile:1\nFROM busybox\nRUN <<EOF\nx\nEOF\n',
  platform: ['FROM busybox AS b-amd64', 'FROM busybox AS b-arm64', 'FROM b-$TARGETARCH', ''].join('\n'),
};
const PINNED = `busybox@sha256:${A}`;
const ON = { DOCKER_BUILDKIT: '1' };
const OFF = { DOCKER_BUILDKIT: '0' };
const OLD = { version: '20.10.24', prefersBuildKit: false };

function build(file: keyof typeof FILES, options: BuildOptions, words: readonly string[] = ['build']) {
  return new Workshop(FILES).build([...words, '-f', file, '.'], { signed: SIGNED, ...options });
}

describe('here-documents', () => {
  test.each<[string, BuildOptions, string[]]>([
    ['buildx, on a new engine', { cli: 'buildx', engine: {} }, ['build']],
    ['buildx, whose engine does not answer', { cli: 'buildx' }, ['build']],
    ['buildx, on an engine that was built by hand', { cli: 'buildx', engine: { version: 'dev' } }, ['build']],
    ['a builder of one’s own', { cli: 'buildx', engine: OLD }, ['build', '--builder', 'mine']],
    ['one from the environment', { cli: 'buildx', engine: OLD, env: { BUILDX_BUILDER: 'mine' } }, ['build']],
    ['buildx by its own name', { cli: 'buildx', engine: OLD }, ['buildx', 'build']],
    ['docker 20.10 before a new engine', { cli: 'docker-20.10', engine: { version: '28.2.2' } }, ['build']],
    ['docker 20.10, told to use BuildKit', { cli: 'docker-20.10', engine: { version: '23.0.1' }, env: ON }, ['build']],
    ['docker 20.10, whose engine does not answer', { cli: 'docker-20.10' }, ['build']],
    ['podman 5', { cli: 'podman-5' }, ['build']],
  ])('are read by %s', async (_, options, words) => {
    const { failure, call } = await build('heredoc', options, words);
    expect(failure).toBeUndefined();
    expect(call?.dockerfile).toEndWith('RUN <<EOF\nx\nEOF\n');
  });

  test.each<[string, BuildOptions, string[]]>([
    ['the classic builder', { cli: 'docker', engine: {} }, ['build']],
    ['the classic builder', { cli: 'docker', engine: {}, env: OFF }, ['image', 'build']],
    ['the classic builder', { cli: 'docker-20.10', engine: OLD }, ['build']],
    ['the classic builder', { cli: 'docker-20.10', engine: {}, env: OFF }, ['builder', 'build']],
    ['BuildKit of Docker Engine 20.10.24', { cli: 'docker-20.10', engine: OLD, env: ON }, ['build']],
    ['BuildKit of Docker Engine 20.10.24', { cli: 'buildx', engine: OLD }, ['image', 'build']],
    ['podman 4.3.1', { cli: 'podman' }, ['build']],
  ])('are refused for %s', async (name, options, words) => {
    const { failure, call } = await build('heredoc', options, words);
    expect(failure).toMatchObject({
      code: 'dockerfile-uncertain',
      message: `heredoc:2: ${name} knows no here-documents`,
      next: 'Build with BuildKit of Docker Engine 23 or later, or write RUN sh -c and COPY of a file instead.',
    });
    expect(call).toBeUndefined();
  });

  test('are read by what reads the file in the place of an old BuildKit', async () => {
    const { failure } = await build('both', { cli: 'buildx', engine: OLD });
    expect(failure).toBeUndefined();
    expect((await build('both', { cli: 'docker', engine: OLD })).failure?.code).toBe('dockerfile-uncertain');
  });
});

describe('# syntax=', () => {
  test.each<[BuildOptions]>([
    [{ cli: 'docker' }],
    [{ cli: 'docker', env: OFF }],
    [{ cli: 'docker-20.10', engine: OLD }],
    [{ cli: 'docker-20.10', env: { DOCKER_BUILDKIT: 'False' } }],
    [{ cli: 'podman' }],
  ])('is a comment to the classic builder and to podman: %j', async (options) => {
    const { call, stdout } = await build('unsigned', options);
    expect(call?.dockerfile).toStartWith('# syntax=docker/dockerfile:2\n');
    expect(stdout).not.toContain('docker/dockerfile');
  });

  test.each<[BuildOptions]>([
    [{ cli: 'buildx' }],
    [{ cli: 'docker-20.10', engine: OLD, env: ON }],
    [{ cli: 'docker-20.10', engine: {} }],
    [{ cli: 'docker-20.10' }],
  ])('names an image to BuildKit, and to a builder that may be it: %j', async (options) => {
    const { call } = await build('syntax', options);
    expect(call?.dockerfile).toBe(`# syntax=docker/dockerfile@sha256:${A}\nFROM ${PINNED}\n`);
    expect((await build('unsigned', options)).failure?.code).toBe('target-not-found');
  });

  test('an unsigned one is refused with what can be done, on every way to BuildKit', async () => {
    for (const words of [
      ['build'],
      ['image', 'build'],
      ['builder', 'build'],
      ['builder', 'b'],
      ['buildx', 'build'],
      ['buildx', 'b'],
    ]) {
      const { failure, call } = await build('unsigned', { cli: 'buildx' }, words);
      expect(failure?.message).toBe('unsigned:1: # syntax docker/dockerfile:2: No valid trust data for 2');
      expect(failure?.next).toBe(
        "Leave the line out if the builder's own reader will do, or vouch for the image: signet trust sign docker.io/docker/dockerfile:2, with a trust server of your own configured for docker.io",
      );
      expect(call).toBeUndefined();
    }
  });

  test('the same holds for BUILDKIT_SYNTAX, which the classic builder does not know', async () => {
    const words = ['build', '--build-arg', 'BUILDKIT_SYNTAX=docker/dockerfile:2'];
    const { failure } = await build('Dockerfile', { cli: 'buildx' }, words);
    expect(failure?.code).toBe('target-not-found');
    expect(failure?.next).toContain('signet trust sign docker.io/docker/dockerfile:2,');
    expect((await build('Dockerfile', { cli: 'docker' }, words)).failure).toBeUndefined();
    const other = await build('Dockerfile', { cli: 'buildx' }, ['build', '--build-arg', 'BUILDKIT_SYNTAX=host/x']);
    expect(other.failure?.next).toEndWith('signet trust sign host/x');
  });
});

test('a plugin of the user’s choice may obey the line as BuildKit does', async () => {
  for (const cli of ['docker', 'docker-20.10'] as const) {
    const workshop = new Workshop(FILES);
    mkdirSync(join(workshop.home, '.docker'));
    writeFileSync(join(workshop.home, '.docker/config.json'), '{"aliases":{"builder":"mine"}}');
    const words = ['build', '-f', 'unsigned', '.'];
    expect((await workshop.build(words, { signed: SIGNED, cli })).failure?.code).toBe('target-not-found');
  }
  const off = new Workshop(FILES);
  mkdirSync(join(off.home, '.docker'));
  writeFileSync(join(off.home, '.docker/config.json'), '{"aliases":{"builder":"mine"}}');
  const { failure } = await off.build(['build', '-f', 'unsigned', '.'], { signed: SIGNED, cli: 'docker', env: OFF });
  expect(failure).toBeUndefined();
});

describe('the builder that the file was read for is the one that builds', () => {
  test.each<[BuildOptions, string[], string | undefined]>([
    [{ cli: 'buildx' }, ['build'], '1'],
    [{ cli: 'buildx' }, ['buildx', 'build'], undefined],
    [{ cli: 'docker' }, ['build'], undefined],
    [{ cli: 'docker', env: OFF }, ['build'], '0'],
    [{ cli: 'docker-20.10', engine: OLD }, ['build'], '0'],
    [{ cli: 'docker-20.10', engine: {} }, ['build'], '1'],
    [{ cli: 'docker-20.10' }, ['build'], undefined],
  ])('%j, %j: DOCKER_BUILDKIT=%p', async (options, words, expected) => {
    const { call } = await build('Dockerfile', options, words);
    expect(call?.dockerfile).toBe(`FROM ${PINNED}\n`);
    expect(call?.buildkit).toBe(expected);
  });
});

describe('another stage for each platform', () => {
  const both = ['--platform', 'linux/amd64,linux/arm64'];
  const stages = `FROM ${PINNED} AS b-amd64\nFROM ${PINNED} AS b-arm64\nFROM b-$TARGETARCH\n`;

  test.each<[string, BuildOptions, string[]]>([
    ['the platforms are named', { cli: 'buildx' }, ['build', ...both]],
    ['each has its own option', { cli: 'buildx' }, ['build', '--platform', 'linux/amd64', '--platform=linux/arm64/v8']],
    [
      'the environment names them',
      { cli: 'buildx', env: { DOCKER_DEFAULT_PLATFORM: 'linux/arm64,linux/amd64' } },
      ['build'],
    ],
  ])('is built where %s', async (_, options, words) => {
    const { call, failure } = await build('platform', options, words);
    expect(failure).toBeUndefined();
    expect(call?.dockerfile).toBe(stages);
  });

  test('the engine’s own platform counts if none is named', async () => {
    const { call } = await build('platform', { cli: 'buildx', engine: { platform: 'linux/arm64' } });
    expect(call?.dockerfile).toEndWith('FROM b-arm64\n');
    const other = await build('platform', { cli: 'buildx', engine: { platform: 'linux/s390x' } });
    expect(other.failure?.message).toStartWith('platform:3: FROM b-s390x: ');
  });

  test.each<[string, BuildOptions, string[]]>([
    ['the engine does not answer', { cli: 'buildx' }, ['build']],
    ['another builder is named', { cli: 'buildx', engine: {} }, ['build', '--builder', 'mine']],
    ['buildx chooses the builder', { cli: 'buildx', engine: {} }, ['buildx', 'build']],
    ['a platform has no stage', { cli: 'buildx' }, ['build', ...both, '--platform', 'linux/riscv64']],
    ['the builder may be the classic one', { cli: 'docker-20.10' }, ['build', '--build-arg', 'X=y']],
  ])('is refused where %s', async (_, options, words) => {
    const { call, failure } = await build('platform', options, words);
    expect(failure?.code).toBe('dockerfile-uncertain');
    expect(failure?.message).toStartWith('platform:3: ');
    expect(call).toBeUndefined();
  });

  test('a plugin that docker’s configuration builds with may build elsewhere', async () => {
    const workshop = new Workshop(FILES);
    mkdirSync(join(workshop.home, '.docker'));
    writeFileSync(join(workshop.home, '.docker/config.json'), '{"aliases":{"builder":"buildx"}}');
    const { failure } = await workshop.build(['build', '-f', 'platform', '.'], {
      signed: SIGNED,
      cli: 'buildx',
      engine: {},
    });
    expect(failure?.code).toBe('dockerfile-uncertain');
  });
});

describe('a builder that does not run', () => {
  const stopped = (workshop: Workshop) => {
    const running = readFileSync(join(ROOT, 'test/engine/fixtures/buildx/inspect-container.txt'), 'utf8');
    workshop.write('stopped', running.replace(/^Status: .*$/m, 'Status:           inactive'));
    return { signed: SIGNED, cli: 'buildx', env: { FAKE_INSPECT: join(workshop.folder, 'stopped') } } as const;
  };

  test.each([
    [['build', '--builder', 'mine'], 'the builder "mine"'],
    [['builder', '--builder', 'mine', 'build'], 'the builder "mine"'],
    [['buildx', '--builder=mine', 'b'], 'the builder "mine"'],
    [['buildx', 'build'], 'the chosen builder'],
  ])('is not started from an unsigned image: %j', async (words, which) => {
    const workshop = new Workshop(FILES);
    const { failure, call } = await workshop.build([...words, '.'], stopped(workshop));
    expect(failure).toMatchObject({
      code: 'build-option-unsafe',
      message: `${which} does not run, and would be started from an image that no one signed`,
    });
    expect(call).toBeUndefined();
  });

  test('matters neither to a build by the engine nor without trust', async () => {
    const workshop = new Workshop(FILES);
    const options = stopped(workshop);
    expect((await workshop.build(['build', '.'], options)).call?.dockerfile).toBe(`FROM ${PINNED}\n`);
    const free = { ...options, trust: false, defaultRegistry: 'host:5000' };
    expect((await workshop.build(['build', '--builder', 'mine', '.'], free)).exitCode).toBe(0);
  });
});
