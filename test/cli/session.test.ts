import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustCommand } from '../../src/cli/commands/trust/index.ts';
import { openSession, type Session } from '../../src/cli/session.ts';
import { parseReference } from '../../src/core/names/reference.ts';
import { findDocker } from '../../src/engine/cli/cli.ts';
import { startFakeEngine } from '../engine/fake-engine.ts';
import { dockerClis } from '../support/clis.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';
import { uninitialised } from './fake-session.ts';

const IMAGE = parseReference('registry.example.com/a/b:v1');

/** A session on a configuration folder of its own. */
async function open(env: Readonly<Record<string, string>> = {}): Promise<{ session: Session; folder: string }> {
  const folder = temporaryFolder();
  const all = { PATH: '', DOCKER_CONFIG: folder, ...env };
  return { folder, session: await openSession({ env: all, globals: undefined, cli: undefined }) };
}

describe('openSession', () => {
  test('touches nothing before it is asked to', async () => {
    const { session, folder } = await open({ DOCKER_HOST: 'tcp://192.0.2.1:1' });
    await session.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('reads signet.json and the default registry', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'signet.json'), '{"defaultRegistry":"registry.example.com"}');
    const { session } = await open({ DOCKER_CONFIG: folder });
    expect(session.resolve('a/b')).toMatchObject({ registry: 'registry.example.com', path: 'a/b' });
    const other = await open({ DOCKER_CONFIG: folder, SIGNET_DEFAULT_REGISTRY: 'other.example.com' });
    expect(other.session.resolve('b')).toMatchObject({ registry: 'other.example.com', path: 'library/b' });
  });

  test('refuses a configuration that it cannot read', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'signet.json'), '{"trustPining":{}}');
    await failure(open({ DOCKER_CONFIG: folder }), 'configuration-invalid');
  });

  test('knows who is logged in, and gives the engine his login', async () => {
    const { session, folder } = await open();
    expect([await session.username(IMAGE), await session.engineAuth(IMAGE)]).toEqual([undefined, undefined]);
    const auths = { 'registry.example.com': { auth: btoa('alice:secret') }, 'other.example.com': { auth: btoa(':x') } };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
    expect(await session.username(IMAGE)).toBe('alice');
    const auth = await session.engineAuth(IMAGE);
    expect([auth?.username, auth?.password.toString(), auth?.serverAddress]).toEqual([
      'alice',
      'secret',
      'registry.example.com',
    ]);
  });
});

describe('close', () => {
  test('wipes every key, and is not undone by a second time', async () => {
    const { session } = await open({ DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'x' });
    const key = await session.keys.create('alice');
    key.sign(Buffer.from('x'));
    await session.close();
    await session.close();
    await failure(() => key.sign(Buffer.from('x')), 'key-wiped');
  });

  test('closes the way to a distant engine, with the folder in which it was', async () => {
    const [cli] = await dockerClis();
    const engine = startFakeEngine({ answer: () => undefined, tcp: {} });
    const home = temporaryFolder();
    mkdirSync(join(home, 'tmp'));
    const env = { HOME: home, PATH: process.env.PATH ?? '', SIGNET_DOCKER: `${cli?.path}`, DOCKER_HOST: engine.host };
    const before = process.env.TMPDIR;
    process.env.TMPDIR = join(home, 'tmp');
    try {
      const session = await openSession({ env, globals: undefined, cli: await findDocker(env) });
      expect(await (await session.engine()).inspectImage('a')).toBeUndefined();
      const [folder = ''] = readdirSync(join(home, 'tmp'));
      expect(folder).toStartWith('signet-engine-');
      await session.close();
      expect(existsSync(join(home, 'tmp', folder))).toBe(false);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });

  test('is no error where the engine could not be reached', async () => {
    const { session } = await open({ DOCKER_CONTEXT: 'nowhere' });
    await failure(session.engine(), 'docker-missing');
    await session.close();
  });
});

describe('trust commands', () => {
  test('close the session that they opened, whether they succeed or fail', async () => {
    for (const words of [
      ['inspect', 'registry.example.com/acme/app'],
      ['key', 'load', '/nowhere'],
    ]) {
      const session = await uninitialised();
      await trustCommand(words, async () => session).catch(() => 1);
      expect([words, session.isClosed]).toEqual([words, true]);
    }
  });

  test('open none for help and for words that they do not know', async () => {
    for (const words of [[], ['--help'], ['key', '--help'], ['frobnicate'], ['signer', '-x']]) {
      const outcome = trustCommand(words, async () => {
        throw new Error('opened');
      });
      await expect(outcome).rejects.not.toThrow('opened');
    }
  });
});
