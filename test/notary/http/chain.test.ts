import { beforeEach, describe, expect, test } from 'bun:test';
import { CHAIN_HEADER, CHAIN_TYPE, formatKnown, type KnownFiles, parseChain } from '../../../src/core/chain.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Target } from '../../../src/core/metadata/targets.ts';
import { RELEASES, type RoleName } from '../../../src/core/names/role.ts';
import { DAY } from '../../../src/core/time.ts';
import { codeOf, GUN, Owner, stranger, TARGET, TestServer, user, versionOf } from '../fixture.ts';

const PATH = `/v2/${GUN}/_trust/tuf/timestamp.json`;

let server: TestServer;
let owner: Owner;
beforeEach(async () => {
  server = new TestServer();
  owner = new Owner(server);
  await owner.publishFirst();
});

function ask(known: KnownFiles | string, more: Parameters<TestServer['send']>[2] = {}) {
  const header = typeof known === 'string' ? known : formatKnown(known);
  return server.send('GET', PATH, { headers: { [CHAIN_HEADER]: header }, ...more });
}

/** The names of the files that come along, each of them byte for byte the one that the server has under the name. */
async function namesFor(known: KnownFiles): Promise<string[]> {
  const { status, headers, text } = await ask(known);
  expect([status, headers.get('Content-Type')]).toEqual([200, CHAIN_TYPE]);
  const files = parseChain(Buffer.from(text));
  for (const [name, bytes] of files) expect(bytes.toString()).toBe((await server.get(`${name}.json`)).text);
  return [...files.keys()].sort();
}

async function sha256(role: RoleName): Promise<string> {
  return (await server.server.currentChain(GUN)).files.get(role)?.sha256 ?? '';
}

/** What a client has that has just been here. */
async function current(): Promise<KnownFiles> {
  return { root: await sha256('root'), timestamp: await sha256('timestamp') };
}

async function rotateRoot(): Promise<void> {
  await owner.edit((editor) => editor.replaceKeys('root', [owner.newRootKey()]));
}

describe('with the timestamp come', () => {
  test('all current files, for who has none', async () => {
    await owner.edit((editor) => {
      editor.addDelegation(RELEASES, [owner.newKey()], ['']);
      editor.addTarget(RELEASES, 'v1', TARGET);
    });
    await rotateRoot();
    expect(await namesFor({})).toEqual(['root', 'snapshot', 'targets', 'targets/releases', 'timestamp']);
  });

  test('all but the root, for who has that alone', async () => {
    expect(await namesFor({ root: await sha256('root') })).toEqual(['snapshot', 'targets', 'timestamp']);
  });

  test('what has changed since', async () => {
    await owner.edit((editor) => {
      editor.addDelegation(RELEASES, [owner.newKey()], ['']);
      editor.addTarget(RELEASES, 'v1', TARGET);
    });
    const known = await current();
    await owner.edit((editor) => editor.addTarget(RELEASES, 'v2', TARGET));
    expect(await namesFor(known)).toEqual(['snapshot', 'targets/releases', 'timestamp']);
    await owner.addTag('v3');
    expect(await namesFor(known)).toEqual(['snapshot', 'targets', 'targets/releases', 'timestamp']);
  });

  test('the roots that lead to the newest one', async () => {
    const known = await current();
    for (let turn = 0; turn < 3; turn++) await rotateRoot();
    expect(await namesFor(known)).toEqual(['2.root', '3.root', 'root', 'snapshot', 'timestamp']);
    expect(await namesFor({ root: '00'.repeat(32), timestamp: '00'.repeat(32) })).toEqual([
      ...['root', 'snapshot', 'targets', 'timestamp'],
    ]);
  });

  test('renewed files, where they had expired', async () => {
    const known = await current();
    server.now += 15 * DAY;
    const files = parseChain(Buffer.from((await ask(known)).text));
    expect([...files.keys()]).toEqual(['timestamp']);
    expect(versionOf(files.get('timestamp')?.toString() ?? '')).toBe(2);
  });

  test('no files beyond the limit; the others come all the same', async () => {
    const wide = (bytes: number): Target => ({ ...TARGET, custom: 'x'.repeat(bytes) }) as Target;
    await owner.edit((editor) => {
      editor.addDelegation(RELEASES, [owner.newKey()], ['']);
      editor.addTarget(RELEASES, 'v1', TARGET);
      editor.addTarget('targets', 'wide', wide(LIMITS.chain));
    });
    const { text } = await ask({});
    expect(text.length).toBeLessThanOrEqual(LIMITS.chain);
    expect(await namesFor({})).toEqual(['root', 'snapshot', 'targets/releases', 'timestamp']);
  });
});

describe('the timestamp comes alone', () => {
  test('where it is what the client has', async () => {
    const { headers, text } = await ask(await current());
    expect(headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(text).toBe((await server.get('timestamp.json')).text);
  });

  test.each(['', 'yes', 'root=1', 'none, none'])('for who says %p', async (header) => {
    const plain = await server.get('timestamp.json');
    const { headers, text } = await ask(header);
    expect([headers.get('Content-Type'), text]).toEqual(['text/plain; charset=utf-8', plain.text]);
  });

  test('for all other names', async () => {
    for (const name of ['root', 'snapshot', 'targets', '1.timestamp']) {
      const headers = { [CHAIN_HEADER]: 'none' };
      const reply = await server.send('GET', PATH.replace('timestamp.json', `${name}.json`), { headers });
      expect(reply.headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    }
  });
});

describe('caches', () => {
  test('know that there are two answers, and keep but one of them', async () => {
    const [plain, chain] = [await server.get('timestamp.json'), await ask({})];
    expect([plain, chain].map(({ headers }) => headers.get('Vary'))).toEqual([CHAIN_HEADER, CHAIN_HEADER]);
    expect(plain.headers.get('Cache-Control')).toBe('public, max-age=300, s-maxage=300, must-revalidate');
    expect(chain.headers.get('Cache-Control')).toBe('max-age=0, no-cache, no-store');
    expect((await ask({}, { gate: user('alice') })).headers.get('Cache-Control')).toBe('max-age=0, no-cache, no-store');
  });
});

describe('no one gets with the timestamp', () => {
  test('what he may not read', async () => {
    expect(await codeOf(ask({}, { gate: stranger() }))).toBe('unauthorized');
  });

  test('what does not exist', async () => {
    await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`);
    const reply = await ask({});
    expect(reply).toMatchObject({ status: 404, text: (await server.get('timestamp.json')).text });
  });
});
