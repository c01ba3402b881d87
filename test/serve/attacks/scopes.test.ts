import { expect, test } from 'bun:test';
import { basic, PASSWORDS, Target } from './target.ts';

// Whoever asks the token service for more than he has gets what he has.

const target = await Target.start();
const { host } = target.server;
const mallory = basic('mallory', PASSWORDS.mallory);
await target.server.grant('mallory', 'alice/shared', 'pull');

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** What a token that was asked for like this allows; the status where there is none. */
async function granted(query: string, headers: Record<string, string> = mallory): Promise<readonly Access[] | number> {
  const response = await target.fetch(`/auth/token?service=signet&${query}`, { headers });
  if (response.status !== 200) return response.status;
  const { token } = (await response.json()) as { token: string };
  const [, payload = ''] = token.split('.');
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { access: readonly Access[] }).access;
}

const scope = (...texts: readonly string[]) => texts.map((text) => `scope=${encodeURIComponent(text)}`).join('&');

test('rights that one does not have', async () => {
  await target.withstands(async () => {
    for (const name of [
      'alice/app',
      `${host}/alice/app`,
      'alice/',
      'alice',
      'admin/app',
      'mallory2/app',
      'mallory-/app',
    ]) {
      for (const actions of ['*', 'pull', 'push', 'delete', 'pull,push', 'pull,push,delete,*']) {
        expect([name, actions, await granted(scope(`repository:${name}:${actions}`))]).toEqual([name, actions, []]);
        expect([name, actions, await granted(scope(`repository:${name}:${actions}`), {})]).toEqual([name, actions, []]);
      }
    }
    for (const text of [
      'registry:catalog:*',
      'registry:catalog:pull',
      'registry:*:*',
      'repository(plugin):alice/app:*',
    ]) {
      expect([text, await granted(scope(text))]).toEqual([text, []]);
    }
    for (const text of [
      'repository:*:*',
      'repository:*:pull',
      'repository:alice/*:pull',
      'repository:**:*',
      'user:alice:*',
    ]) {
      expect([text, await granted(scope(text))]).toEqual([text, []]);
    }
  });
}, 60_000);

test('more of what one has a part of', async () => {
  const shared = { type: 'repository', name: 'alice/shared' };
  for (const actions of ['*', 'pull,push,delete', 'pull,*', 'pull,pull,pull', 'pull,PULL'.toLowerCase()]) {
    expect(await granted(scope(`repository:alice/shared:${actions}`))).toEqual([{ ...shared, actions: ['pull'] }]);
  }
  expect(await granted(scope('repository:alice/shared:push,delete'))).toEqual([]);
  const own = await granted(scope('repository:mallory/app:*', 'repository:alice/app:*', 'repository:alice/shared:*'));
  expect(own).toEqual([
    { type: 'repository', name: 'mallory/app', actions: ['*'] },
    { ...shared, actions: ['pull'] },
  ]);
});

test('another spelling of a name is another name', async () => {
  const paths = [
    'mallory/../alice/app',
    'mallory/app/../../alice/app',
    'mallory%2f..%2falice/app',
    'mallory//app',
    '/mallory/app',
  ];
  const signs = ['mallory/app\0', 'mallory\\app', 'mallory/app ', 'mallory/ａpp', 'mallory/app#', 'mallory/app?x'];
  const hosts = [
    `${host}@evil/mallory/app`,
    `${host}/../alice/app`,
    `${host}//alice/app`,
    `${host}:1/alice/app`,
    'Mallory/app',
  ];
  for (const name of [...paths, ...signs]) {
    const access = await granted(scope(`repository:${name}:*`));
    const names = typeof access === 'number' ? [] : access.map((each) => each.name);
    expect([name, names]).toEqual([name, []]);
  }
  for (const name of hosts) {
    const access = await granted(scope(`repository:${name}:push,delete,*`));
    const written =
      typeof access === 'number' ? [] : access.flatMap(({ actions }) => actions).filter((it) => it !== 'pull');
    expect([name, written]).toEqual([name, []]);
  }
});

test('scopes put into each other', async () => {
  const injected = [
    'repository:mallory/app:pull repository:alice/app:push',
    'repository:mallory/app:pull\nrepository:alice/app:push',
    'repository:mallory/app:pull\r\nrepository:alice/app:push',
    'repository:mallory/app:pull\trepository:alice/app:push',
    'repository:mallory/app:pull,repository:alice/app:push',
    'repository:mallory/app:pull;repository:alice/app:push',
    'repository:mallory/app:pull"},{"type":"repository","name":"alice/app","actions":["push"]',
    'repository:mallory/app:pull\0repository:alice/app:push',
  ];
  for (const text of injected) {
    const access = await granted(scope(text));
    const others = typeof access === 'number' ? [] : access.filter(({ name }) => name !== 'mallory/app');
    expect([text, others]).toEqual([text, []]);
  }
});

test('scopes that are none, or too many', async () => {
  const malformed = [
    'repository',
    'repository:',
    ':',
    '::',
    ':::',
    'repository::pull',
    'repository:mallory/app',
    'Repository:a:pull',
  ];
  for (const text of [
    ...malformed,
    'repository:mallory/app:PULL',
    'repository:mallory/app:pull,',
    `repository:${'a'.repeat(2000)}:pull`,
  ]) {
    expect([text, await granted(scope(text))]).toEqual([text, 400]);
  }
  const many = Array.from({ length: 33 }, (_, at) => `repository:mallory/a${at}:pull`);
  expect(await granted(scope(...many))).toBe(400);
  expect(await granted(`scope=${encodeURIComponent(many.join(' '))}`)).toBe(400);
  expect(await granted(scope(...many.slice(1)))).toHaveLength(32);
  expect(await granted(`scope=${'repository:mallory/app:pull%20'.repeat(100)}`)).toBe(400);
});

test('requests that two readers would read differently', async () => {
  for (const query of ['service=another', 'account=a&account=b', 'service=signet&client_id=a&client_id=b']) {
    expect([query, await granted(query)]).toEqual([query, 400]);
  }
  expect((await target.fetch('/auth/token?service=evil', { headers: mallory })).status).toBe(400);
  const form = async (body: string, headers: Record<string, string> = {}) => {
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return (await target.fetch('/auth/token', { method: 'POST', body, headers: { ...type, ...headers } })).status;
  };
  const password = encodeURIComponent(PASSWORDS.mallory);
  const whole = `grant_type=password&service=signet&username=mallory&password=${password}`;
  expect(await form(whole)).toBe(200);
  expect(await form(whole, { 'Content-Type': 'application/json' })).toBe(400);
  expect(await form(`${whole}&username=alice`)).toBe(400);
  expect(await form(`${whole}&password=x`)).toBe(400);
  expect(await form(`${whole}&grant_type=refresh_token`)).toBe(400);
  expect(await form(whole.replace('password&', 'client_credentials&'))).toBe(400);
  expect(await form('grant_type=refresh_token&service=signet&refresh_token=x')).toBe(401);
  expect(await form(`${whole}&a=${'b'.repeat(60_000)}`)).toBe(413);
  expect(await form(`${whole}&a=${'b'.repeat(2 ** 20)}`)).toBe(413);
});

test('whose name the query gives does not count', async () => {
  expect(await granted(`account=alice&${scope('repository:alice/app:pull')}`)).toEqual([]);
  expect(await granted(`account=alice&${scope('repository:alice/app:pull')}`, {})).toEqual([]);
});
