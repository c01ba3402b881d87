import { beforeEach, describe, expect, test } from 'bun:test';
import { CHAIN_HEADER } from '../../src/core/chain.ts';
import { parseDelegation, RELEASES } from '../../src/core/names/role.ts';
import { DAY } from '../../src/core/time.ts';
import { AuthorizedClient } from '../../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../../src/remote/auth/token.ts';
import { HttpClient } from '../../src/remote/http/http.ts';
import { NotaryServer } from '../../src/remote/notary/notary-server.ts';
import { remoteName } from '../../src/remote/notary/trust-server.ts';
import { updateCollection } from '../../src/trust/update/collection.ts';
import { GUN, NOW, Owner, TARGET, TestServer } from '../notary/fixture.ts';
import { makeAuthority } from '../remote/certificates.ts';
import { serve, type TestServer as WebServer } from '../remote/servers.ts';
import { failure } from '../support/failure.ts';
import { MemoryCache } from '../support/memory-cache.ts';
import { ask } from '../support/routes.ts';
import { Simulator, sourceOf, target } from '../support/simulator.ts';
import { startSlowLine } from '../support/slow-line.ts';

const SIGNERS = ['alice', 'bob', 'carol'].map((name) => parseDelegation(`targets/${name}`));

describe('a server that gives files one by one is asked', () => {
  let simulator: Simulator;
  let cache: MemoryCache;
  beforeEach(async () => {
    simulator = await Simulator.start();
    cache = new MemoryCache();
    await simulator.edit((editor) => {
      for (const role of [RELEASES, ...SIGNERS]) {
        editor.addDelegation(role, [simulator.owner.make()], ['']);
        editor.addTarget(role, 'x', target(1));
      }
      const deep = parseDelegation('targets/alice/deputy');
      editor.addDelegation(deep, [simulator.owner.make()], ['']);
      editor.addTarget(deep, 'x', target(1));
    });
  });

  const update = () => updateCollection({ ...sourceOf(simulator, NOW), cache, purpose: 'read' });

  /** What is asked for at the same time, one list after the other: answers come only when nobody asks for more. */
  async function wavesOf(action: () => Promise<unknown>): Promise<string[][]> {
    const waves: string[][] = [];
    const held: (() => void)[] = [];
    const read = simulator.read.bind(simulator);
    simulator.read = async (gun, file, limit) => {
      if (held.length === 0) waves.push([]);
      waves.at(-1)?.push(remoteName(file).replace(/\.[0-9a-f]{64}$/, ''));
      await new Promise<void>((resume) => held.push(resume));
      return read(gun, file, limit);
    };
    let isDone = false;
    const done = action().finally(() => {
      isDone = true;
    });
    while (!isDone) {
      const before = held.length;
      for (let turn = 0; turn < 50; turn++) await new Promise((resume) => setImmediate(resume));
      if (held.length === before) for (const resume of held.splice(0)) resume();
    }
    await done;
    simulator.read = read;
    return waves.map((wave) => wave.sort());
  }

  test('three times for everything', async () => {
    expect(await wavesOf(update)).toEqual([
      ['timestamp'],
      ['root', 'snapshot'],
      ['targets', 'targets/alice', 'targets/alice/deputy', 'targets/bob', 'targets/carol', 'targets/releases'],
    ]);
  });

  test('once where nothing has changed, three times where something has', async () => {
    await update();
    expect(await wavesOf(update)).toEqual([['timestamp']]);
    await simulator.edit((editor) => {
      for (const role of SIGNERS) editor.addTarget(role, 'y', target(1));
    });
    expect(await wavesOf(update)).toEqual([['timestamp'], ['snapshot'], [...SIGNERS]]);
  });

  test('for eight files at a time', async () => {
    await simulator.edit((editor) => {
      for (let at = 0; at < 14; at++) {
        const role = parseDelegation(`targets/d${at}`);
        editor.addDelegation(role, [simulator.owner.make()], ['']);
        editor.addTarget(role, 'x', target(1));
      }
    });
    const waves = await wavesOf(update);
    expect(waves.slice(2).map(({ length }) => length)).toEqual([8, 8, 4]);
  });

  test('twice for a repository that is not there', async () => {
    await simulator.remove();
    expect(await wavesOf(() => failure(update(), 'trust-data-missing'))).toEqual([['timestamp'], ['root']]);
  });
});

describe('over the wire', () => {
  const authority = makeAuthority('The authority of the wire');
  const certificate = authority.issue(['localhost']);

  /** Signet's trust server behind TLS, which is told what clients have or is not. */
  async function open({ isTold }: { isTold: boolean }) {
    const server = new TestServer();
    const owner = new Owner(server);
    await owner.publishFirst();
    await owner.edit((editor) => {
      for (const role of [RELEASES, ...SIGNERS]) {
        editor.addDelegation(role, [owner.newKey()], ['']);
        editor.addTarget(role, 'x', TARGET);
      }
    });
    const web: WebServer = serve(async (request) => {
      if (!isTold) request.headers.delete(CHAIN_HEADER);
      return (await ask(server.server.routes, request)) ?? new Response(null, { status: 404 });
    }, certificate);
    const line = await startSlowLine(() => web.port, 0);
    const cache = new MemoryCache();
    /** Paths of the requests of one command, and how many connections it opened. */
    const command = async () => {
      web.requests.length = 0;
      line.forget();
      const connection = {
        authorities: [Buffer.from(authority.cert)],
        identities: [],
        verify: true,
        address: undefined,
      };
      const http = new HttpClient({ userAgent: 'test', connectionFor: async () => connection, pipelined: true });
      const login = async () => undefined;
      const client = new AuthorizedClient({
        http,
        logins: [{ registry: 'localhost', find: login }],
        tokens: new MemoryTokens(),
      });
      const notary = new NotaryServer(new URL(`https://localhost:${line.port}`), client);
      const source = { ...sourceOf(notary, server.now, GUN), cache, purpose: 'read' } as const;
      const { set } = await updateCollection(source);
      const requests = web.requests.map(({ url }) => url.replace(/^.*\/tuf\/|(\.[0-9a-f]{64})?\.json$/g, ''));
      return { requests: requests.sort(), connections: line.connections, roles: [...set.targets.keys()].sort() };
    };
    return { server, owner, command };
  }
  const roles = ['targets', RELEASES, ...SIGNERS].sort();

  test('Signet is asked once, on one connection, whatever there is to learn', async () => {
    const { server, owner, command } = await open({ isTold: true });
    for (const change of [
      async () => {},
      async () => {},
      () => owner.addTag('new'),
      () => owner.edit((editor) => editor.replaceKeys('root', [owner.newRootKey()])),
      async () => {
        server.now += 15 * DAY;
      },
    ]) {
      await change();
      const { roles: found, ...traffic } = await command();
      expect(traffic).toEqual({ requests: ['timestamp'], connections: 1 });
      expect(found).toEqual(roles as typeof found);
    }
  });

  test('others are asked for every file, on one connection', async () => {
    const { owner, command } = await open({ isTold: false });
    const cold = await command();
    expect(cold.requests).toEqual(['root', 'snapshot', ...roles, 'timestamp'].sort());
    expect(cold.connections).toBe(1);
    expect(await command()).toMatchObject({ requests: ['timestamp'], connections: 1 });
    await owner.addTag('new');
    expect(await command()).toMatchObject({ requests: ['snapshot', 'targets', 'timestamp'], connections: 1 });
  });
});

describe('where the cache may not stand in for the server', () => {
  test('nothing is read without it', async () => {
    const simulator = await Simulator.start();
    const cache = new MemoryCache();
    const source = { ...sourceOf(simulator, NOW), cache, purpose: 'read' } as const;
    await updateCollection(source);
    simulator.isOffline = true;
    await updateCollection(source);
    await failure(updateCollection({ ...source, whenUnreachable: 'refuse' }), 'network-unreachable');
    simulator.isOffline = false;
    await updateCollection({ ...source, whenUnreachable: 'refuse' });
  });
});
