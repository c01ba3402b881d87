import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseUserName } from '../../src/accounts/identity/user-name.ts';
import { TOKEN_PATH } from '../../src/accounts/tokens/token-service.ts';
import { isSignetError } from '../../src/core/errors/index.ts';
import { formatScope, parseScope } from '../../src/core/scope.ts';
import { AuthorizationRequired } from '../../src/http/gate.ts';
import { makeAuthority } from '../remote/certificates.ts';
import { findProgram, trustingClis } from '../support/clis.ts';
import { startEngine } from '../support/dockerd.ts';
import { ask } from '../support/routes.ts';
import { run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';
import { addUser, NOON, PASSWORD, world } from './world.ts';

const WRONG = 'wrong horse';
/** Without it docker's engine takes every failure for a sign of an older protocol, and tries plain HTTP next. */
const VERSION = { 'Docker-Distribution-Api-Version': 'registry/2.0' };

/** A registry of nothing but lists of tags, guarded by accounts: what `serve` puts around them, in small. */
async function guardedRegistry() {
  const made = world();
  await addUser(made.store, 'alice');
  const challenge = (error: AuthorizationRequired, url: URL) => {
    const scope = error.wanted.length === 0 ? '' : `,scope="${error.wanted.map(formatScope).join(' ')}"`;
    return `Bearer realm="${url.origin}${TOKEN_PATH}",service="signet"${scope}`;
  };
  const { cert, key } = makeAuthority('clients').issue(['127.0.0.1']);
  const server = Bun.serve({
    tls: { cert, key },
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const url = new URL(request.url);
      const gate = await made.accounts.gateFor(request, made.address);
      const token = await ask(made.accounts.routes, request, gate, made.address);
      if (token !== undefined) return token;
      try {
        const name = /^\/v2\/(.+)\/tags\/list$/.exec(url.pathname)?.[1];
        await gate.require(...(name === undefined ? [] : [parseScope(`repository:${name}:pull`)]));
        return Response.json(name === undefined ? {} : { name, tags: ['latest'] }, { headers: VERSION });
      } catch (error) {
        if (!(error instanceof AuthorizationRequired)) throw error;
        const body = { errors: [{ code: 'UNAUTHORIZED', message: error.message }] };
        return Response.json(body, { status: 401, headers: { ...VERSION, 'www-authenticate': challenge(error, url) } });
      }
    },
    error: (error) => new Response(error.message, { status: isSignetError(error) ? error.httpStatus : 500 }),
  });
  return { made, server, host: `127.0.0.1:${server.port}` };
}

test('docker login: right and wrong passwords, disabled users, too many guesses', async () => {
  const { made, server, host } = await guardedRegistry();
  const engine = await startEngine();
  for (const { path } of await trustingClis()) {
    const config = temporaryFolder();
    const docker = (password: string, ...args: string[]) =>
      run([path, '--host', engine.host, '--config', config, ...args], { stdin: password });
    const login = (password: string) => docker(password, 'login', '--username', 'alice', '--password-stdin', host);

    const refused = await login(WRONG);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('unauthorized: incorrect username or password');

    const welcomed = await login(PASSWORD);
    expect({ ...welcomed, stderr: '' }).toMatchObject({ exitCode: 0, stdout: 'Login Succeeded\n' });
    const stored = JSON.parse(readFileSync(join(config, 'config.json'), 'utf8')).auths[host];
    expect(stored.identitytoken).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(stored.auth, 'base64').toString()).not.toContain(PASSWORD);

    await made.store.updateUser(parseUserName('alice'), { disabled: true }, NOON);
    expect((await login(PASSWORD)).stderr).toContain('unauthorized: incorrect username or password');
    await made.store.updateUser(parseUserName('alice'), { disabled: false }, NOON);
  }

  const body = JSON.stringify({ username: 'alice', password: WRONG, serveraddress: host });
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch('http://engine/auth', { method: 'POST', unix: engine.socket, headers, body });
  expect(answer.status).toBe(401);

  const [cli] = await trustingClis();
  const guess = (password: string) =>
    run(
      [
        `${cli?.path}`,
        '--host',
        engine.host,
        '--config',
        temporaryFolder(),
        'login',
        '-u',
        'alice',
        '--password-stdin',
        host,
      ],
      { stdin: password },
    );
  for (let failed = 0; failed < 5; failed++) await guess(`${WRONG} ${failed}`);
  expect((await guess(`${WRONG} again`)).stderr).toContain('toomanyrequests: too many failed logins, try again in');
  await engine.stop();
  await server.stop(true);
}, 120_000);

test('skopeo: own and public repositories, and nothing else', async () => {
  const { server, host } = await guardedRegistry();
  const skopeo = (name: string, ...args: string[]) =>
    run([findProgram('skopeo'), 'list-tags', '--tls-verify=false', ...args, `docker://${host}/${name}`]);
  const own = await skopeo('alice/app', '--creds', `alice:${PASSWORD}`);
  expect({ code: own.exitCode, tags: JSON.parse(own.stdout).Tags }).toEqual({ code: 0, tags: ['latest'] });
  expect((await skopeo('library/busybox', '--no-creds')).exitCode).toBe(0);
  expect((await skopeo('alice/app', '--no-creds')).exitCode).not.toBe(0);
  expect((await skopeo('bob/app', '--creds', `alice:${PASSWORD}`)).exitCode).not.toBe(0);
  expect((await skopeo('alice/app', '--creds', `alice:${WRONG}`)).stderr).toContain('incorrect username or password');
  await server.stop(true);
}, 60_000);

test('curl: a Basic header is as good as a token', async () => {
  const { server, host } = await guardedRegistry();
  const status = async (name: string, ...args: string[]) =>
    (
      await run([
        findProgram('curl'),
        '-sk',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        ...args,
        `https://${host}/v2/${name}`,
      ])
    ).stdout;
  expect(await status('alice/app/tags/list', '-u', `alice:${PASSWORD}`)).toBe('200');
  expect(await status('alice/app/tags/list', '-u', `alice:${WRONG}`)).toBe('401');
  expect(await status('bob/app/tags/list', '-u', `alice:${PASSWORD}`)).toBe('401');
  expect(await status('')).toBe('401');
  await server.stop(true);
});
