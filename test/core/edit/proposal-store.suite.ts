import { beforeEach, describe, expect, test } from 'bun:test';
import { formatProposal, parseProposal } from '../../../src/core/edit/proposal.ts';
import type { ProposalStore } from '../../../src/core/edit/proposal-store.ts';
import { type Gun, parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation, type RoleName } from '../../../src/core/names/role.ts';

const APP = parseGun('registry.example.com:5000/team/app');
const OTHERS = ['team/app', 'app/web', 'app2', 'App'].map((name) => parseGun(`registry.example.com:5000/team/${name}`));
const WRITERS = Array.from({ length: 8 }, (_, index) => parseDelegation(`targets/w${index}`));

/** A store, and further ways to the same data as other people's commands would have them. */
export interface ProposalsUnderTest {
  readonly store: ProposalStore;
  connect(): ProposalStore;
}

/** The text of a proposal for the roles, which say `content`. */
export function proposalOf(gun: Gun, content: string, roles: readonly RoleName[] = ['targets']): Buffer {
  return formatProposal({ gun, files: new Map(roles.map((role) => [role, Buffer.from(content)])) });
}

/** What every place for proposals must do. `open` gives an empty one. */
export function proposalStoreSuite(name: string, open: () => ProposalsUnderTest | Promise<ProposalsUnderTest>): void {
  describe(name, () => {
    const [one, two] = [proposalOf(APP, 'one'), proposalOf(APP, 'two')];
    let store: ProposalStore;
    let connect: () => ProposalStore;
    beforeEach(async () => {
      const opened = await open();
      store = opened.store;
      connect = () => opened.connect();
    });
    const stands = async (expected: Buffer | undefined, gun = APP) => {
      for (const reader of [store, connect()]) expect((await reader.read(gun))?.toString()).toBe(expected?.toString());
    };

    test('has nothing at first', async () => {
      await stands(undefined);
      expect(await store.replace(APP, undefined, undefined)).toBe(true);
      await stands(undefined);
    });

    test('keeps what is put if nothing is, to the byte', async () => {
      expect(await store.replace(APP, undefined, one)).toBe(true);
      await stands(one);
    });

    test('puts nothing over what the writer did not see', async () => {
      await store.replace(APP, undefined, one);
      expect(await store.replace(APP, undefined, two)).toBe(false);
      expect(await store.replace(APP, proposalOf(APP, 'another'), two)).toBe(false);
      expect(await store.replace(APP, two, undefined)).toBe(false);
      expect(await store.replace(APP, undefined, undefined)).toBe(false);
      await stands(one);
    });

    test('puts nothing in the place of what is gone', async () => {
      expect(await store.replace(APP, one, two)).toBe(false);
      await stands(undefined);
    });

    test('replaces and removes what the writer saw', async () => {
      await store.replace(APP, undefined, one);
      expect(await connect().replace(APP, one, two)).toBe(true);
      await stands(two);
      expect(await store.replace(APP, one, undefined)).toBe(false);
      expect(await store.replace(APP, two, undefined)).toBe(true);
      await stands(undefined);
      expect(await store.replace(APP, undefined, one)).toBe(true);
      await stands(one);
    });

    test('a request that arrives twice is done', async () => {
      await store.replace(APP, undefined, one);
      expect(await connect().replace(APP, undefined, one)).toBe(true);
      await store.replace(APP, one, two);
      expect(await connect().replace(APP, one, two)).toBe(true);
      await stands(two);
      await store.replace(APP, two, undefined);
      expect(await connect().replace(APP, two, undefined)).toBe(true);
      await stands(undefined);
    });

    test('keeps collections apart', async () => {
      for (const gun of [APP, ...OTHERS]) expect(await store.replace(gun, undefined, proposalOf(gun, 'x'))).toBe(true);
      expect(await store.replace(APP, proposalOf(APP, 'x'), undefined)).toBe(true);
      await stands(undefined);
      for (const gun of OTHERS) await stands(proposalOf(gun, 'x'), gun);
    });

    test('accepts the longest name', async () => {
      const gun = parseGun(`r/${'a'.repeat(253)}`);
      expect(await store.replace(gun, undefined, proposalOf(gun, 'x'))).toBe(true);
      await stands(proposalOf(gun, 'x'), gun);
    });

    test('keeps a large one whole', async () => {
      const large = proposalOf(APP, 'x'.repeat(3 * 1024 * 1024));
      expect(await store.replace(APP, undefined, large)).toBe(true);
      expect((await connect().read(APP))?.equals(large)).toBe(true);
    });

    test('of writers at the same moment exactly one wins', async () => {
      let former: Buffer | undefined;
      for (let round = 0; round < 5; round++) {
        const proposals = WRITERS.map((role) => proposalOf(APP, `round ${round}`, [role]));
        const won = await Promise.all(proposals.map((proposal) => connect().replace(APP, former, proposal)));
        expect(won.filter((wins) => wins)).toHaveLength(1);
        former = proposals[won.indexOf(true)];
        await stands(former);
      }
    });

    test('concurrent writers that each add to what they read lose nothing', async () => {
      await Promise.all(WRITERS.map((role) => addRole(connect(), role)));
      const text = (await store.read(APP)) ?? Buffer.alloc(0);
      expect([...parseProposal(text).files.keys()].sort()).toEqual(WRITERS);
    });
  });
}

async function addRole(store: ProposalStore, role: RoleName): Promise<void> {
  for (;;) {
    const former = await store.read(APP);
    const present = former === undefined ? [] : [...parseProposal(former).files.keys()];
    if (await store.replace(APP, former, proposalOf(APP, 'x', [...present, role]))) return;
  }
}
