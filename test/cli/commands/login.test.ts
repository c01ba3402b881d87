import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOGIN, LOGOUT } from '../../../src/cli/commands/login.ts';
import { failure } from '../../support/failure.ts';
import { calling } from '../calling.ts';
import { type FakeSession, uninitialised } from '../fake-session.ts';

const login = calling(LOGIN);
const logout = calling(LOGOUT);

const REGISTRY = 'registry.example.com';
const WARNING = 'WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n';
const AGAIN =
  "Authenticating with existing credentials... [Username: alice]\n\n Info -> To login with a different account, run 'docker logout' followed by 'docker login'\n\n\n";

const stored = ({ folder }: FakeSession): unknown => {
  const path = join(folder, 'config.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).auths : undefined;
};
const unencrypted = ({ folder }: FakeSession) => `
WARNING! Your credentials are stored unencrypted in '${folder}/config.json'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

`;

describe('login', () => {
  test('from options: stores the password where docker does, and warns of both', async () => {
    const session = await uninitialised();
    expect(await login(session, ['-u', 'alice', '-p', 'right', REGISTRY])).toBe(0);
    expect(session.output).toEqual({ stdout: 'Login Succeeded\n', stderr: `${WARNING}${unencrypted(session)}` });
    expect(stored(session)).toEqual({ [REGISTRY]: { auth: btoa('alice:right') } });
  });

  test('an identity token takes the password’s place, and is no reason to warn', async () => {
    const session = await uninitialised();
    session.loginAnswer = 'identity token';
    session.stdin = 'right\n';
    session.readSecret = async () => Buffer.from('right');
    await login(session, ['--username', 'alice', '--password-stdin', REGISTRY]);
    expect(session.errors).toBe('');
    expect(stored(session)).toEqual({ [REGISTRY]: { auth: btoa('alice:'), identitytoken: 'token' } });
  });

  test('asks for what is missing', async () => {
    const session = await uninitialised();
    session.answers.push(' alice ', 'right');
    expect(await login(session, [REGISTRY])).toBe(0);
    expect(session.asked).toEqual(['Username: ', 'Password: ']);
    const other = await uninitialised();
    other.answers.push('right');
    await login(other, ['-u', 'alice', REGISTRY]);
    expect(other.asked).toEqual(['Password: ']);
  });

  test('a refused login stores nothing', async () => {
    const session = await uninitialised();
    session.answers.push('wrong');
    const error = await failure(login(session, ['-u', 'alice', REGISTRY]), 'unauthorized');
    expect(error.message).toBe('unauthorized: incorrect username or password');
    expect(error.next).toBe('Check the user name and the password.');
    expect([stored(session), session.printed]).toEqual([undefined, '']);
  });

  test('what is stored is tried before anyone is asked', async () => {
    const session = await uninitialised();
    session.storeLogin('alice', 'right');
    expect(await login(session, [REGISTRY])).toBe(0);
    expect([session.asked, session.printed]).toEqual([[], 'Login Succeeded\n']);
    expect(session.errors).toBe(`${AGAIN}${unencrypted(session)}`);
  });

  test('what is stored and refused offers the same user again', async () => {
    const session = await uninitialised();
    session.storeLogin('alice', 'old');
    session.answers.push('', 'right');
    expect(await login(session, [REGISTRY])).toBe(0);
    expect(session.asked).toEqual(['Username (alice): ', 'Password: ']);
    expect(session.errors).toStartWith(`${AGAIN}Stored credentials invalid or expired\n`);
    expect(stored(session)).toEqual({ [REGISTRY]: { auth: btoa('alice:right') } });
  });

  test.each([
    [
      ['-u', 'alice', '-p', 'x', '--password-stdin'],
      'conflicting options: cannot specify both --password and --password-stdin',
    ],
    [['--password-stdin'], 'the --password-stdin option requires --username to be set'],
    [['-u', '', '--password-stdin'], 'username is empty'],
    [['-u', '', '-p', ''], 'username is empty'],
    [['-u', 'alice', '-p', ''], 'password is empty'],
  ])('%j is refused before anything happens', async (words, message) => {
    const session = await uninitialised();
    expect((await failure(login(session, [...words, REGISTRY]), 'usage')).message).toBe(message);
    expect(session.output).toEqual({ stdout: '', stderr: '' });
  });

  test.each([
    [['', ''], 'Error: Non-null Username Required'],
    [['alice', ''], 'Error: Password Required'],
  ])('answers %j are none', async (answers, message) => {
    const session = await uninitialised();
    session.answers.push(...answers);
    expect((await failure(login(session, [REGISTRY]), 'usage')).message).toBe(message);
  });

  test('no one is asked if no one sits', async () => {
    for (const words of [[], ['-u', 'alice'], ['-u', 'alice', '--password-stdin'], ['-p', 'x']]) {
      const session = await uninitialised();
      session.isInteractive = false;
      const error = await failure(login(session, [...words, REGISTRY]), 'usage');
      expect(error.message).toBe('Error: Cannot perform an interactive login from a non TTY device');
      expect(session.asked).toEqual([]);
    }
  });

  test('Docker Hub is docker’s own business, unless another registry is the default', async () => {
    for (const words of [[], ['docker.io'], ['https://index.docker.io/v1/'], ['-u', 'alice', '']]) {
      expect(await login(await uninitialised(), words)).toBeUndefined();
      expect(
        await logout(
          await uninitialised(),
          words.filter((word) => word.includes('docker')),
        ),
      ).toBeUndefined();
    }
    const session = await uninitialised();
    session.configuration = { ...session.configuration, defaultRegistry: REGISTRY };
    expect(await login(session, ['-u', 'alice', '-p', 'right'])).toBe(0);
    expect(stored(session)).toHaveProperty([REGISTRY]);
  });

  test.each(['https://registry.example.com/v2/', 'http://registry.example.com'])(
    '%s is the host in it',
    async (url) => {
      const session = await uninitialised();
      await login(session, ['-u', 'alice', '-p', 'right', url]);
      expect(stored(session)).toHaveProperty([REGISTRY]);
    },
  );

  test('what is no host is refused', async () => {
    await failure(login(await uninitialised(), ['-u', 'a', '-p', 'b', 'a b']), 'name-invalid');
  });
});

describe('logout', () => {
  test('forgets a login', async () => {
    const session = await uninitialised();
    session.storeLogin('alice', 'x');
    expect(await logout(session, [REGISTRY])).toBe(0);
    expect(session.output).toEqual({ stdout: `Removing login credentials for ${REGISTRY}\n`, stderr: '' });
    expect(stored(session)).toEqual({});
  });

  test('of one who is not logged in is no error', async () => {
    const session = await uninitialised();
    expect(await logout(session, [REGISTRY])).toBe(0);
    expect(session.output).toEqual({ stdout: `Removing login credentials for ${REGISTRY}\n`, stderr: '' });
  });

  test('and login warn of logins that the environment gives, as docker 29 does', async () => {
    const session = await uninitialised();
    session.env = { DOCKER_AUTH_CONFIG: '{"auths":{}}' };
    const warning =
      '\n Warn -> DOCKER_AUTH_CONFIG is set and takes precedence.\n         Unset DOCKER_AUTH_CONFIG to restore the CLI auth behaviour.\n         \n';
    await logout(session, [REGISTRY]);
    expect(session.errors).toBe(warning);
    session.errors = '';
    session.stdin = 'right';
    await login(session, ['-u', 'alice', '--password-stdin', REGISTRY]);
    expect(session.errors).toStartWith(warning);
  });
});
