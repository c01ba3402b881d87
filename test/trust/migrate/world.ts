import type { ProposalStore } from '../../../src/core/edit/proposal-store.ts';
import { SignetError } from '../../../src/core/errors/index.ts';
import type { Gun } from '../../../src/core/names/gun.ts';
import { TRUST_ON_FIRST_USE } from '../../../src/core/verify/pinning.ts';
import type { AuthorizedClient } from '../../../src/remote/auth/authorized.ts';
import { ANONYMOUS } from '../../../src/remote/http/caller.ts';
import type { HttpRequest } from '../../../src/remote/http/http-message.ts';
import { ImportService } from '../../../src/remote/notary/import-service.ts';
import { NotaryServer } from '../../../src/remote/notary/notary-server.ts';
import { InTurn } from '../../../src/trust/migrate/in-turn.ts';
import type { Migration } from '../../../src/trust/migrate/migrate.ts';
import type { Owner, TestServer } from '../../notary/fixture.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { MemoryProposals } from '../../support/memory-proposals.ts';

const OLD = new URL('https://old.example.com');
const NEW = new URL('https://new.example.com');

/** A client of a server in this process. `before` may fail in place of any request, or answer it. */
export function clientOf(
  server: TestServer,
  before: (request: HttpRequest) => Promise<Buffer | undefined> = async () => undefined,
): AuthorizedClient {
  const send = async (request: HttpRequest) => {
    const answer = await before(request);
    const { url, method, headers = {}, body } = request;
    if (answer !== undefined) return { status: 200, headers: new Headers(), body: answer, url, caller: ANONYMOUS };
    const init = body === undefined ? {} : { body: new Uint8Array(body as Uint8Array) };
    const reply = await server.send(method, url.pathname, { headers, ...init });
    return { status: reply.status, headers: reply.headers, body: Buffer.from(reply.text), url, caller: ANONYMOUS };
  };
  return { send } as unknown as AuthorizedClient;
}

export interface MovingParts {
  readonly old: TestServer;
  readonly fresh: TestServer;
  readonly owner: Pick<Owner, 'ring'>;
  readonly gun: Gun;
  readonly drafts?: ProposalStore;
  readonly signing?: InTurn;
  readonly beforeOld?: Parameters<typeof clientOf>[1];
  readonly beforeNew?: Parameters<typeof clientOf>[1];
  readonly cache?: MemoryCache;
  readonly warn?: (message: string) => void;
}

/** A move from one server in this process to another. */
export function migration(parts: MovingParts): Migration {
  const { old, fresh, owner, gun, drafts = new MemoryProposals(), signing = new InTurn() } = parts;
  const toOld = clientOf(old, parts.beforeOld);
  const toNew = clientOf(fresh, parts.beforeNew);
  return {
    gun,
    from: {
      address: OLD,
      source: {
        ...{ gun, host: OLD.host, server: new NotaryServer(OLD, toOld), cache: parts.cache ?? new MemoryCache() },
        ...{ pinning: TRUST_ON_FIRST_USE, now: fresh.now, warn: parts.warn ?? (() => {}) },
      },
    },
    to: { host: NEW.host, server: new NotaryServer(NEW, toNew), imports: new ImportService(NEW, toNew) },
    keys: {
      find: (id, role) => owner.ring.find(id, role),
      has: async (id) => (await owner.ring.find(id, 'root')) !== undefined,
    },
    signing,
    drafts: Object.assign(drafts, { pathOf: (name: Gun) => `drafts/${name}` }),
  };
}

/** Every file and change that a server has, to compare. */
export function contents(server: TestServer): unknown {
  const all = (sql: string) => server.database.query(sql).all();
  return [all('SELECT gun, role, version, sha256 FROM tuf_files ORDER BY id'), all('SELECT * FROM changefeed')];
}

/** A connection that breaks at the `count`th request from now on, for good. */
export function dyingAfter(count: number): { before: () => Promise<undefined>; requests: () => number } {
  let requests = 0;
  return {
    requests: () => requests,
    before: async () => {
      requests++;
      if (requests <= count) return undefined;
      throw new SignetError('network-unreachable', 'the server cannot be reached');
    },
  };
}
