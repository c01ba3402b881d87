import { beforeEach, expect, spyOn, test } from 'bun:test';
import { parsePattern } from '../../src/accounts/identity/grants.ts';
import { parseUserName } from '../../src/accounts/identity/user-name.ts';
import { AccessTokens } from '../../src/accounts/tokens/access-tokens.ts';
import { generateTokenKey, parseTokenKey } from '../../src/accounts/tokens/token-key.ts';
import { parseScope } from '../../src/core/scope.ts';
import { AuthorizationRequired, type Gate, OPEN_GATE } from '../../src/http/gate.ts';
import { addUser, basic, failure, NOON, PASSWORD_HASH, userIn, type World, world } from './world.ts';

const alice = parseUserName('alice');
const OWN = parseScope('repository:alice/app:push,pull');
const GUN = parseScope('repository:localhost:5000/alice/app:push,pull');
const PUBLIC = parseScope('repository:library/busybox:pull');
const CATALOG = parseScope('registry:catalog:*');

let made: World;
let tokens: AccessTokens;
beforeEach(async () => {
  made = world();
  tokens = new AccessTokens(made.settings);
  await addUser(made.store, 'alice', { grants: { 'team/*': 'push' } });
});

function gateOf(authorization?: string): Promise<Gate> {
  const headers = authorization === undefined ? {} : { authorization };
  return made.accounts.gateFor(new Request('https://localhost:5000/v2/', { headers }), made.address);
}

async function bearer(...scopes: string[]): Promise<string> {
  return `Bearer ${await tokens.issue(await userIn(made.store, 'alice'), scopes.map(parseScope))}`;
}

/** How the gate refuses `scopes`: the reason of the challenge, `none` for one without, or `open`. */
async function reason(gate: Gate, ...scopes: Parameters<Gate['require']>): Promise<string> {
  try {
    await gate.require(...scopes);
    return 'open';
  } catch (error) {
    if (!(error instanceof AuthorizationRequired)) throw error;
    expect(error.wanted).toEqual(scopes);
    return error.reason ?? 'none';
  }
}

test('without a header only what is public is open, and the challenge gives no reason', async () => {
  const gate = await gateOf();
  expect(gate.subject).toBeUndefined();
  expect(await reason(gate, PUBLIC)).toBe('open');
  expect(await reason(gate, OWN)).toBe('none');
  expect(await reason(gate, PUBLIC, OWN)).toBe('none');
  expect(await gate.allows(PUBLIC)).toBe(true);
  expect(await gate.allows(OWN)).toBe(false);
});

test('/v2/ challenges who brings nothing, and is open to any valid token or password', async () => {
  expect(await reason(await gateOf())).toBe('none');
  expect(await reason(await gateOf(await bearer()))).toBe('open');
  expect(await reason(await gateOf(`Bearer ${await tokens.issue(undefined, [])}`))).toBe('open');
  expect(await reason(await gateOf(basic('alice')))).toBe('open');
  expect(await reason(await gateOf('Bearer nonsense'))).toBe('invalid_token');
  expect(await reason(await gateOf(basic('alice', 'wrong horse')))).toBe('none');
});

test('a token opens what it says, and nothing else of the user', async () => {
  const gate = await gateOf(await bearer('repository:alice/app:pull,push'));
  expect(gate.subject).toBe('alice');
  expect(await reason(gate, OWN)).toBe('open');
  expect(await reason(gate, GUN)).toBe('insufficient_scope');
  expect(await reason(gate, OWN, PUBLIC)).toBe('insufficient_scope');
  expect(await reason(gate, CATALOG)).toBe('insufficient_scope');
  expect(await gate.allows(GUN)).toBe(false);
});

test('* opens every action on that name', async () => {
  const gate = await gateOf(await bearer('repository:alice/app:*'));
  expect(await reason(gate, parseScope('repository:alice/app:pull,push,delete,*'))).toBe('open');
  expect(await reason(gate, parseScope('repository:alice/app2:pull'))).toBe('insufficient_scope');
});

test('an anonymous token has no subject', async () => {
  const gate = await gateOf(`Bearer ${await tokens.issue(undefined, [PUBLIC])}`);
  expect(gate.subject).toBeUndefined();
  expect(await reason(gate, PUBLIC)).toBe('open');
  expect(await reason(gate, OWN)).toBe('insufficient_scope');
});

test.each([
  ['a new password', () => made.store.updateUser(alice, { passwordHash: 'new' }, NOON)],
  ['disabling', () => made.store.updateUser(alice, { disabled: true }, NOON)],
  ['a new role', () => made.store.updateUser(alice, { admin: false }, NOON)],
  ['a new grant', () => made.store.grant(alice, { pattern: parsePattern('ops/*'), level: 'pull' }, NOON)],
  ['revoking', () => made.store.revoke(alice, parsePattern('team/*'), NOON)],
  ['removal', () => made.store.removeUser(alice, NOON)],
  [
    'another user of the same name',
    async () => {
      await made.store.removeUser(alice, NOON);
      await made.store.addUser({ name: alice, passwordHash: PASSWORD_HASH, admin: true }, NOON);
    },
  ],
])('%s ends tokens at once, remembered ones too', async (_, change) => {
  const [first, second] = [
    await bearer('repository:alice/app:pull,push'),
    await bearer('repository:alice/app:pull,push'),
  ];
  expect(await reason(await gateOf(first), OWN)).toBe('open');
  await change();
  for (const token of [first, second]) {
    const gate = await gateOf(token);
    expect(gate.subject).toBeUndefined();
    expect(await reason(gate, OWN)).toBe('invalid_token');
    expect(await reason(gate, PUBLIC)).toBe('invalid_token');
    expect(await gate.allows(PUBLIC)).toBe(false);
  }
});

test('a user who was disabled by hand, in the database, is out at once', async () => {
  const headers = [await bearer('repository:alice/app:pull,push'), basic('alice')];
  for (const header of headers) expect(await reason(await gateOf(header), OWN)).toBe('open');
  made.database.run('UPDATE users SET disabled = 1');
  const reasons = await Promise.all(headers.map(async (header) => reason(await gateOf(header), OWN)));
  expect(reasons).toEqual(['invalid_token', 'none']);
});

test('an expired or forged token is invalid, for public things too', async () => {
  const token = await bearer('repository:alice/app:pull,push');
  const forger = new AccessTokens({ ...made.settings, key: parseTokenKey(generateTokenKey()) });
  const forged = `Bearer ${await forger.issue(await userIn(made.store, 'alice'), [OWN])}`;
  made.now += 300_000;
  for (const header of [token, forged, 'Bearer a.b.c', 'Bearer x']) {
    expect(await reason(await gateOf(header), PUBLIC)).toBe('invalid_token');
  }
});

test.each(['', 'Bearer', 'Bearer a b', 'Basic', 'Basic !!', 'Negotiate abc'])(
  'the ill-formed header %p opens nothing',
  async (header) => {
    const gate = await gateOf(header);
    expect(await reason(gate, PUBLIC)).toBe('none');
    expect(await gate.allows(PUBLIC)).toBe(false);
  },
);

test('a password opens what the user may do at this moment', async () => {
  const gate = await gateOf(basic('alice'));
  const team = parseScope('repository:team/app:push,pull');
  expect(gate.subject).toBe('alice');
  for (const scope of [OWN, GUN, PUBLIC, team]) expect(await reason(gate, scope)).toBe('open');
  for (const scope of [CATALOG, parseScope('repository:bob/app:pull'), parseScope('repository:team/app:*')]) {
    expect(await reason(gate, scope)).toBe('insufficient_scope');
  }
  await made.store.revoke(alice, parsePattern('team/*'), NOON);
  expect(await reason(await gateOf(basic('alice')), team)).toBe('insufficient_scope');
});

test('a password is checked once for many requests', async () => {
  const verify = spyOn(Bun.password, 'verify');
  for (let request = 0; request < 10; request++) await (await gateOf(basic('alice'))).require(OWN);
  expect(verify).toHaveBeenCalledTimes(1);
  verify.mockRestore();
});

test('guessing at resources is slowed down like guessing at the token service', async () => {
  for (let guess = 0; guess < 5; guess++) await gateOf(basic('alice', `guess number ${guess}`));
  const gate = await gateOf(basic('alice'));
  const error = await failure(gate.require(PUBLIC));
  expect([error.code, error.httpStatus, error.detail.retryAfter]).toEqual(['login-throttled', 429, 1]);
  expect(await gate.allows(PUBLIC)).toBe(false);
});

test('an administrator has the catalog', async () => {
  await addUser(made.store, 'root', { admin: true });
  expect(await reason(await gateOf(basic('root')), CATALOG)).toBe('open');
});

test('the open gate is open', async () => {
  expect(OPEN_GATE.subject).toBeUndefined();
  expect(await reason(OPEN_GATE)).toBe('open');
  expect(await reason(OPEN_GATE, OWN, CATALOG)).toBe('open');
  expect(await OPEN_GATE.allows(CATALOG)).toBe(true);
});
