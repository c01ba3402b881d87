import { expect, test } from 'bun:test';
import { atEnd } from '../support/cleanup.ts';
import { fatal, type Login, Person, SHA256, succeeds, type TrustService } from '../support/notary-client.ts';
import { accessHeaders, published, readPublished } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const READER = { name: 'reader', password: 'the password of reader' };
const REFUSED = 'you are not authorized to perform this operation: server returned 401.';
const WRONG = 'unauthorized: incorrect username or password';

/** A server of its own, because wrong passwords make everybody at their address wait; alice has a repository there. */
async function world() {
  const server = await startSignet();
  for (const { name, password } of [ALICE, READER]) await server.addUser(name, password);
  await server.grant('reader', 'alice/*', 'pull');
  const alice = new Person(server, { login: ALICE });
  const gun = `${server.host}/alice/app`;
  await succeeds(alice.notary('init', gun));
  await succeeds(alice.add(gun, 'one'));
  return { server, alice, gun, onServer: () => published(server, gun, ALICE) };
}

test('at a terminal notary asks for name and password', async () => {
  const { server, gun } = await world();
  const asked = (password: string) =>
    new Person(server).notaryInTerminal(
      ['list', gun],
      [
        { expect: /Enter username: $/, send: READER.name },
        { expect: /Enter password: $/, send: password, isSecret: true },
      ],
    );
  const welcome = await asked(READER.password);
  expect(welcome.exitCode).toBe(0);
  expect(welcome.stdout).toContain(`one     ${SHA256}    5               targets`);
  expect(welcome.stdout).not.toContain(READER.password);
  const refused = await asked('not the password');
  expect(refused.exitCode).toBe(1);
  expect(refused.stdout).toEndWith(`* fatal: ${WRONG}\n`);
});

test('a wrong password reads nothing and writes nothing, and its owner is warned of what the cache has', async () => {
  const { server, alice, gun, onServer } = await world();
  const before = await onServer();
  const mistaken = new Person(server, { login: { ...ALICE, password: 'not the password' } }).takeKeysOf(alice);
  expect(await fatal(mistaken.notary('list', gun))).toBe(WRONG);
  expect(await fatal(mistaken.add(gun, 'two'))).toBe(WRONG);
  expect(await fatal(mistaken.notary('delete', gun, '--remote'))).toBe(WRONG);
  expect(await onServer()).toEqual(before);

  await succeeds(alice.notary('list', gun));
  await succeeds(mistaken.run(['cp', '-r', `${alice.home}/.docker`, '.']));
  const said = await mistaken.notary('lookup', gun, 'one');
  expect(said).toMatchObject({ exitCode: 0, stdout: `one sha256:${SHA256} 5\n` });
  expect(said.stderr).toContain('using cached timestamp');
});

test('one who guesses passwords has to wait, even with the right one', async () => {
  const { server, gun } = await world();
  const guess = (password: string) => new Person(server, { login: { ...READER, password } }).notary('list', gun);
  for (const password of ['1', '2', '3', '4', '5']) expect(await fatal(guess(password))).toBe(WRONG);
  expect(await fatal(guess(READER.password))).toMatch(/^toomanyrequests: too many failed logins, try again in \d+ s$/);
});

test('a client that is asked for a password instead of a token publishes as well', async () => {
  const { server, alice, gun, onServer } = await world();
  const relay = startBasicRelay(server);
  const behind = (login: Login) => new Person(relay, { login }).takeKeysOf(alice);
  const owner = behind(ALICE);
  await succeeds(owner.add(gun, 'two'));
  await succeeds(owner.notary('key', 'rotate', gun, 'timestamp', '-r'));
  const before = await onServer();
  expect(before?.sizes()).toEqual({ one: 5, two: 5 });

  expect(await fatal(behind(READER).add(gun, 'three'))).toBe(REFUSED);
  expect(await fatal(behind(READER).notary('delete', gun, '--remote'))).toBe(REFUSED);
  const headers = await accessHeaders(server, gun, ALICE, 'pull');
  const guess = (password: string) => fatal(behind({ ...READER, password }).notary('delete', gun, '--remote'));
  for (const password of ['1', '2', '3', '4', '5']) expect(await guess(password)).toBe(REFUSED);
  expect(await guess('6')).toBe('unable to reach trust server at this time: 429.');
  expect(await readPublished(server, gun, headers)).toEqual(before);
  // For reading, notary first tries without the password, and takes its absence for the end.
  expect(await fatal(behind(ALICE).notary('list', gun))).toBe('no basic auth credentials');
});

/** A proxy that asks clients for a password, where the server behind it asks them for a token. */
function startBasicRelay(server: SignetServer): TrustService {
  const relay = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert: Bun.file(server.certificate), key: Bun.file(server.key) },
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.set('host', server.host);
      const { method } = request;
      const body = method === 'POST' ? await request.arrayBuffer() : null;
      const tls = { ca: Bun.file(server.authority) };
      const answer = await fetch(`${server.origin}${pathname}${search}`, { method, headers, body, tls });
      const challenge = answer.status === 401 ? { 'www-authenticate': 'Basic realm="relay"' } : undefined;
      return new Response(await answer.arrayBuffer(), {
        status: answer.status,
        ...(challenge && { headers: challenge }),
      });
    },
  });
  atEnd(() => relay.stop(true));
  return { origin: `https://localhost:${relay.port}`, host: `localhost:${relay.port}`, authority: server.authority };
}
