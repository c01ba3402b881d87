import { describe, expect, test } from 'bun:test';
import type { ProposalStore } from '../../../src/core/edit/proposal-store.ts';
import { SignetError } from '../../../src/core/errors/index.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { ProposalFolder } from '../../../src/store/proposal-folder.ts';
import { Proposals } from '../../../src/trust/publish/proposals.ts';
import { proposalOf, proposalStoreSuite } from '../../core/edit/proposal-store.suite.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/temp.ts';

const GUN = parseGun('reg.example:5000/team/app');
const [ONE, TWO] = [proposalOf(GUN, 'one'), proposalOf(GUN, 'two')];

/** A trust server that can be changed for another, with or without a place for proposals. */
class Server implements ProposalStore {
  private readonly folder = new ProposalFolder(temporaryFolder());
  isSignet: boolean;
  failure: SignetError | undefined;

  constructor(isSignet: boolean) {
    this.isSignet = isSignet;
  }

  async read(gun: typeof GUN): Promise<Buffer | undefined> {
    if (this.failure !== undefined) throw this.failure;
    return this.isSignet ? this.folder.read(gun) : undefined;
  }

  async replace(gun: typeof GUN, former: Buffer | undefined, proposal: Buffer | undefined): Promise<boolean> {
    if (this.failure !== undefined) throw this.failure;
    if (!this.isSignet) throw new SignetError('proposals-unsupported', 'the trust server keeps no proposals');
    return this.folder.replace(gun, former, proposal);
  }
}

function open(isSignet: boolean) {
  const server = new Server(isSignet);
  const local = new ProposalFolder(temporaryFolder());
  return { server, local, proposals: new Proposals(server, local) };
}

proposalStoreSuite('proposals with a server that keeps them', () => {
  const { proposals, server } = open(true);
  return { store: proposals, connect: () => new Proposals(server, new ProposalFolder(temporaryFolder())) };
});

proposalStoreSuite('proposals with a server that does not', () => {
  const { proposals, server, local } = open(false);
  return { store: proposals, connect: () => new Proposals(server, local) };
});

describe('the place of a proposal', () => {
  test('is the server where it keeps them', async () => {
    const { proposals, server, local } = open(true);
    await proposals.replace(GUN, undefined, ONE);
    expect(await proposals.place(GUN)).toBe('server');
    expect(await local.read(GUN)).toBeUndefined();
    expect(await new Proposals(server, local).place(GUN)).toBe('server');
  });

  test('is a file to be passed on where it does not', async () => {
    const { proposals, server, local } = open(false);
    await proposals.replace(GUN, undefined, ONE);
    expect(await proposals.place(GUN)).toBe(local.pathOf(GUN));
    expect(await local.read(GUN)).toEqual(ONE);
    expect(await new Proposals(server, local).place(GUN)).toBe(local.pathOf(GUN));
  });

  test('is no file where none waits', async () => {
    expect(await open(true).proposals.place(GUN)).toBe('server');
    const { proposals, local } = open(false);
    expect(await proposals.place(GUN)).toBe('server');
    await proposals.replace(GUN, undefined, ONE);
    expect(await proposals.replace(GUN, undefined, undefined)).toBe(false);
    expect(await proposals.place(GUN)).toBe(local.pathOf(GUN));
    expect(await proposals.replace(GUN, TWO, undefined)).toBe(false);
    expect(await proposals.place(GUN)).toBe(local.pathOf(GUN));
    await proposals.replace(GUN, ONE, undefined);
    expect(await proposals.place(GUN)).toBe('server');
  });

  test('belongs to each collection', async () => {
    const { proposals, local } = open(false);
    const other = parseGun('reg.example:5000/team/other');
    await proposals.replace(GUN, undefined, ONE);
    expect(await proposals.place(other)).toBe('server');
    expect(await proposals.place(GUN)).toBe(local.pathOf(GUN));
  });
});

describe('a proposal in a file, with a server that has learnt to keep them', () => {
  async function learnt() {
    const opened = open(false);
    await opened.proposals.replace(GUN, undefined, ONE);
    opened.server.isSignet = true;
    return { ...opened, proposals: new Proposals(opened.server, opened.local) };
  }

  test('is still found, and moves there when it is signed further', async () => {
    const { proposals, server, local } = await learnt();
    expect(await proposals.read(GUN)).toEqual(ONE);
    expect(await proposals.place(GUN)).toBe(local.pathOf(GUN));
    expect(await proposals.replace(GUN, ONE, TWO)).toBe(true);
    expect(await proposals.place(GUN)).toBe('server');
    expect(await server.read(GUN)).toEqual(TWO);
    expect(await local.read(GUN)).toBeUndefined();
  });

  test('is removed like any other', async () => {
    const { proposals, server, local } = await learnt();
    expect(await proposals.replace(GUN, ONE, undefined)).toBe(true);
    expect(await server.read(GUN)).toBeUndefined();
    expect(await local.read(GUN)).toBeUndefined();
  });

  test('is not put over what others have proposed there', async () => {
    const { proposals, server, local } = await learnt();
    await server.replace(GUN, undefined, TWO);
    expect(await proposals.replace(GUN, ONE, proposalOf(GUN, 'three'))).toBe(false);
    expect(await proposals.replace(GUN, ONE, undefined)).toBe(false);
    expect(await proposals.read(GUN)).toEqual(TWO);
    expect(await local.read(GUN)).toEqual(ONE);
    expect(await proposals.replace(GUN, TWO, undefined)).toBe(true);
    expect(await proposals.read(GUN)).toEqual(ONE);
  });

  test('is not lost by who is stopped on the way', async () => {
    const { server, local } = await learnt();
    const stopped = new Error('killed');
    const dying = new Proposals(server, {
      read: (gun) => local.read(gun),
      pathOf: (gun) => local.pathOf(gun),
      replace: () => Promise.reject(stopped),
    });
    await expect(dying.replace(GUN, ONE, TWO)).rejects.toBe(stopped);
    const next = new Proposals(server, local);
    expect(await next.read(GUN)).toEqual(TWO);
    expect(await next.place(GUN)).toBe('server');
    await expect(dying.replace(GUN, ONE, TWO)).rejects.toBe(stopped);
    expect(await next.replace(GUN, TWO, undefined)).toBe(true);
    expect(await next.read(GUN)).toEqual(ONE);
    expect(await next.replace(GUN, ONE, undefined)).toBe(true);
    expect(await next.read(GUN)).toBeUndefined();
  });
});

test.each(['network-unreachable', 'unauthorized', 'server-error'] as const)(
  'a server that cannot say (%s) is not passed over for the file',
  async (code) => {
    const { proposals, server, local } = open(true);
    await local.replace(GUN, undefined, ONE);
    server.failure = new SignetError(code, 'the server does not say');
    await failure(proposals.read(GUN), code);
    await failure(proposals.place(GUN), code);
    await failure(proposals.replace(GUN, ONE, TWO), code);
    await failure(proposals.replace(GUN, undefined, TWO), code);
    expect(await local.read(GUN)).toEqual(ONE);
  },
);
