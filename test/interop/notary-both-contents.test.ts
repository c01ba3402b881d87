import { beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fatal, Person, succeeds, type TrustService } from '../support/notary-client.ts';
import { startNotaryServer } from '../support/notary-server.ts';
import { published } from '../support/published.ts';
import { startSignet } from '../support/signet-server.ts';

const NAMES = ['a b', 'ü', '😀', 'a/b', 'a<b>&c', 'a"b', 'a\\b', ' ', '..', '-x', '1', '__proto__', 'x'.repeat(1000)];
const DATA = ['"text"', '[]', '{"A":1,"a":2,"é":"ü"}', '{"__proto__":1}', '{"a":'.repeat(40) + 1 + '}'.repeat(40)];
/** Nobody could verify these: what is signed and what is verified are not the same bytes. */
const UNVERIFIABLE = ['{"b":1,"a":2}', '"<"', '"\\u0041"', '"a\\/b"', '"\\n"'];
/** Signet reads none of these at all. */
const UNREADABLE = ['{"a":1.0}', '1e3', '9007199254740993', '{"a":1,"a":1}'];

let notary: TrustService;
let signet: TrustService;

beforeAll(async () => {
  [notary, signet] = await Promise.all([startNotaryServer(), startSignet({ args: ['--auth', 'off'] })]);
}, 60_000);

async function owner(service: TrustService): Promise<{ alice: Person; gun: string }> {
  const alice = new Person(service);
  const gun = `${service.host}/alice/${crypto.randomUUID()}`;
  await succeeds(alice.notary('init', gun, '-p'));
  writeFileSync(join(alice.home, 'content'), 'content');
  return { alice, gun };
}

test.each(['notary-server', 'signet serve'])('%s takes targets of any name', async (server) => {
  const service = server === 'signet serve' ? signet : notary;
  const { alice, gun } = await owner(service);
  for (const name of NAMES) await succeeds(alice.notary('add', gun, '--', name, 'content'));
  await succeeds(alice.notary('publish', gun));
  expect(Object.keys((await published(service, gun))?.sizes() ?? {}).toSorted()).toEqual(NAMES.toSorted());
  for (const name of NAMES)
    expect(await succeeds(alice.notary('lookup', gun, '--', name))).toStartWith(`${name} sha256:`);
});

/** Publishes a target with custom data; returns what notary says of its failure. */
async function refusal({ alice, gun }: { alice: Person; gun: string }, custom: string): Promise<string> {
  writeFileSync(join(alice.home, 'custom'), custom);
  const reason = await fatal(alice.notary('add', gun, 'x', 'content', '--custom', 'custom', '-p'));
  await succeeds(alice.notary('reset', gun, '--all'));
  return reason;
}

test.each(['notary-server', 'signet serve'])(
  '%s takes custom data that can be verified, and no other',
  async (server) => {
    const service = server === 'signet serve' ? signet : notary;
    const { alice, gun } = await owner(service);
    for (const [index, custom] of DATA.entries()) {
      writeFileSync(join(alice.home, 'custom'), custom);
      await succeeds(alice.notary('add', gun, `${index}`, 'content', '--custom', 'custom', '-p'));
    }
    await succeeds(alice.notary('lookup', gun, '0'));
    const { targets } = (await published(service, gun))?.payload('targets') ?? {};
    expect(DATA.map((_, index) => JSON.stringify(targets?.[index]?.custom))).toEqual(DATA);
    const unmet = 'The targets metadata is invalid: valid signatures did not meet threshold for targets';
    for (const custom of UNVERIFIABLE) expect([custom, await refusal({ alice, gun }, custom)]).toEqual([custom, unmet]);
    const unread = server === 'signet serve' ? 'trust server rejected operation.' : unmet;
    for (const custom of UNREADABLE) expect([custom, await refusal({ alice, gun }, custom)]).toEqual([custom, unread]);
  },
);
