import { expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage } from '../../../../../src/cli/commands/docker/build.ts';
import { isCommandWord } from '../../../../../src/cli/commands/docker/closed-world/commands.ts';
import { readArguments, readCommandLine } from '../../../../../src/engine/cli/command.ts';
import { recordedBook } from '../../../../engine/command-tree.ts';
import { makeAuthority } from '../../../../remote/certificates.ts';
import { temporaryFolder } from '../../../../support/temp.ts';
import { type FakeSession, fakeImage, uninitialised } from '../../../fake-session.ts';

const LOCAL = 'localhost:5000';
const OWN = 'own.example:5443';
const KNOWN = 'known.example:5443';
const PUBLIC = 'public.example';
const INSPECT = join(import.meta.dir, '../../../../engine/fixtures/buildx');

interface Options {
  /** The default registry. */
  readonly registry?: string;
  readonly dockerfile?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What docker's build exits with. */
  readonly exit?: number;
  readonly inEngine?: readonly string[];
  readonly aliases?: object;
}

/** Runs `docker WORDS .` without trust and a docker that only notes how its build was called. */
async function build(words: readonly string[], options: Options = {}) {
  const { registry = LOCAL, dockerfile = 'FROM busybox\n', exit = 0, inEngine = [] } = options;
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  const path = join(folder, 'docker');
  const [notes, asked] = [join(folder, 'notes'), join(folder, 'asked')];
  writeFileSync(asked, '');
  const script = `case "$*" in
*' inspect --builder box') echo "$*" >> ${asked}; cat ${INSPECT}/inspect-container.txt;;
*' inspect --builder '*) exit 1;;
*' inspect') echo "$*" >> ${asked}; cat ${INSPECT}/inspect-$([ "$BUILDX_BUILDER" = box ] && echo container || echo engine).txt;;
*) printf '%s\\n' "$BUILDKIT_NO_CLIENT_TOKEN" "$*" > ${notes}; exit ${exit};;
esac`;
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const session = await sessionWith(registry, options.aliases);
  for (const name of inEngine) session.inEngine.set(name, fakeImage(name));
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, DOCKER_CONFIG: session.folder, ...options.env };
  const book = recordedBook('docker-29');
  const line = await readCommandLine(book, [...words, folder], isCommandWord);
  const args = await readArguments(book, line, true);
  const cli = { path, kind: 'docker', version: '29.7.2', stamp: '' } as const;
  const exitCode = await buildImage({ session, cli, line, name: 'build', args, env, trust: false });
  const [token, argv = ''] = readFileSync(notes, 'utf8').split('\n');
  const questions = readFileSync(asked, 'utf8').split('\n').filter(Boolean);
  return { exitCode, token, argv, questions, pulled: session.pulled, advice: session.errors };
}

/** A session in whose configuration folder the authorities of OWN and KNOWN are kept. */
async function sessionWith(defaultRegistry: string, aliases: object | undefined): Promise<FakeSession> {
  const session = await uninitialised();
  session.configuration = { ...session.configuration, defaultRegistry };
  for (const host of [OWN, KNOWN]) {
    mkdirSync(join(session.folder, 'tls', host), { recursive: true });
    writeFileSync(join(session.folder, 'tls', host, 'ca.crt'), makeAuthority('Own').cert);
  }
  if (aliases !== undefined) writeFileSync(join(session.folder, 'config.json'), JSON.stringify({ aliases }));
  for (const name of ['library/busybox', 'library/alpine']) session.inRegistry.set(`${LOCAL}/${name}`, fakeImage(name));
  return session;
}

test('the engine fetches the token of a registry whose authority only docker knows', async () => {
  for (const registry of [LOCAL, OWN]) {
    for (const words of [['build'], ['image', 'build'], ['builder', 'build'], ['buildx', 'build'], ['buildx', 'b']]) {
      expect(await build(words, { registry })).toMatchObject({ exitCode: 0, token: '1', advice: '' });
    }
  }
});

test('registries of the Dockerfile and of the tags count as well as the default one', async () => {
  const plain = { registry: PUBLIC };
  expect((await build(['build'], plain)).token).toBe('');
  expect((await build(['build'], { ...plain, dockerfile: `FROM ${OWN}/a/b\n` })).token).toBe('1');
  expect((await build(['build', '-t', `${OWN}/a/b`], plain)).token).toBe('1');
});

test('what the user says of tokens stays', async () => {
  expect((await build(['build'], { env: { BUILDKIT_NO_CLIENT_TOKEN: '0' } })).token).toBe('0');
});

test('the engine pulls what it lacks from a registry of its own machine', async () => {
  const dockerfile = 'FROM busybox AS a\nFROM alpine\nCOPY --from=busybox / /\n';
  const missing = [`${LOCAL}/library/busybox`, `${LOCAL}/library/alpine`];
  expect((await build(['build'], { dockerfile })).pulled).toEqual(missing);
  expect((await build(['build'], { dockerfile, inEngine: missing.slice(0, 1) })).pulled).toEqual(missing.slice(1));
  expect((await build(['build', '--platform', 'linux/arm64'])).pulled).toEqual([`${missing[0]} for linux/arm64`]);
  expect((await build(['build'], { env: { DOCKER_DEFAULT_PLATFORM: 'linux/386' } })).pulled).toEqual([
    `${missing[0]} for linux/386`,
  ]);
  expect((await build(['build', '--platform', 'linux/arm64,linux/amd64'])).pulled).toEqual([]);
  expect((await build(['build'], { registry: OWN })).pulled).toEqual([]);
});

test('--pull is done by the engine, where it has pulled all', async () => {
  const inEngine = [`${LOCAL}/library/busybox`];
  const all = await build(['build', '--pull'], { inEngine });
  expect(all.pulled).toEqual(inEngine);
  expect(all.argv).not.toContain('--pull');
  const some = await build(['build', '--pull'], {
    inEngine,
    dockerfile: `FROM busybox\nCOPY --from=${PUBLIC}/a / /\n`,
  });
  expect(some.pulled).toEqual(inEngine);
  expect(some.argv).toContain('--pull');
});

test('what the engine cannot pull is left to BuildKit', async () => {
  const { exitCode, pulled, argv } = await build(['build', '--pull'], {
    dockerfile: 'FROM absent AS a\nFROM busybox\n',
  });
  expect(pulled).toEqual([`${LOCAL}/library/absent`, `${LOCAL}/library/busybox`]);
  expect(exitCode).toBe(0);
  expect(argv).toContain('--pull');
});

test('buildx is asked which builder it is, where it is not the engine for certain', async () => {
  expect((await build(['build'])).questions).toEqual([]);
  expect((await build(['image', 'build'])).questions).toEqual([]);
  expect((await build(['build'], { aliases: { builder: 'buildx' } })).questions).toEqual(['buildx inspect']);
  expect((await build(['build', '--builder', 'box'])).questions).toEqual(['buildx inspect --builder box']);
  expect(await build(['build'], { env: { BUILDX_BUILDER: 'box' } })).toMatchObject({
    questions: ['buildx inspect'],
    pulled: [],
  });
  expect((await build(['--debug', 'buildx', '--builder', 'box', 'build'])).questions).toEqual([
    '--debug buildx inspect --builder box',
  ]);
});

test('a builder in a container gets no images of the engine, and advice where it fails', async () => {
  const failing = { exit: 1, registry: OWN };
  const built = await build(['build', '--builder', 'box'], failing);
  expect(built).toMatchObject({ exitCode: 1, token: '1', pulled: [] });
  expect(built.advice).toBe(
    `If the builder box (docker-container) does not know the authority of ${OWN}, build with the engine (--builder default),\n` +
      'or make a builder that knows it: docker buildx create --buildkitd-config FILE, with FILE\n' +
      `  [registry."${OWN}"]\n    ca=["/etc/docker/certs.d/${OWN}/ca.crt"]\n`,
  );
  expect((await build(['build', '--builder', 'box'], { exit: 1, registry: KNOWN })).advice).toBe('');
  expect((await build(['build', '--builder', 'box'], { exit: 1 })).advice).toBe(
    `To the builder box (docker-container), ${LOCAL} may be another machine. Build with the engine: --builder default\n`,
  );
  expect((await build(['build', '--builder', 'box'], { ...failing, exit: 0 })).advice).toBe('');
});

test('a builder that cannot be looked at gets nothing', async () => {
  const built = await build(['build', '--builder', 'gone'], { exit: 1 });
  expect(built).toMatchObject({ token: '', pulled: [] });
  expect(built.advice).toBe(
    `To the builder that was chosen, ${LOCAL} may be another machine. Build with the engine: --builder default\n`,
  );
});

test('a failing engine is told of the authority that it may lack', async () => {
  expect((await build(['build'], { exit: 1, registry: OWN })).advice).toBe(
    `If the engine does not know the authority of ${OWN}, put it on its machine: /etc/docker/certs.d/${OWN}/ca.crt\n`,
  );
  expect((await build(['build'], { exit: 1 })).advice).toBe('');
  expect((await build(['build'], { exit: 1, registry: PUBLIC })).advice).toBe('');
});
