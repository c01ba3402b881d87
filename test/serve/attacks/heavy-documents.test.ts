import { expect, test } from 'bun:test';
import { canonicalize } from '../../../src/core/json/canonical.ts';
import type { JsonValue } from '../../../src/core/json/parse.ts';
import { publicKeyJson } from '../../../src/core/keys/public-key.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { parseEnvelope, writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import { targetJson } from '../../../src/core/metadata/targets.ts';
import { parseDelegation } from '../../../src/core/names/role.ts';
import { target as targetOf } from '../../support/simulator.ts';
import { Target } from './target.ts';
import { Publisher } from './victim.ts';

// Documents that are small for what they make of a reader: memory, or time in which nobody else is answered.

const target = await Target.start();
const own = new Publisher(target, 'mallory', 'mallory/app');
await own.create();
const MiB = 2 ** 20;

/** So many copies of the text that they are 8 MiB, separated by commas. */
function repeated(text: string): string {
  return `${text},`.repeat((8 * MiB) / (text.length + 1)).slice(0, -1);
}

function unsigned(members: string): Buffer {
  const common = '"_type":"Targets","expires":"2030-01-01T00:00:00Z","version":2';
  return Buffer.from(`{"signed":{${common},${members}},"signatures":[]}`);
}

const HASH = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
const entries = (count: number) =>
  Array.from({ length: count }, (_, at) => `"v${at}":{"hashes":{"sha256":"${HASH}"},"length":528}`).join(',');

const crowded: readonly (readonly [what: string, file: () => Buffer])[] = [
  ['empty arrays', () => unsigned(`"a":[${repeated('[]')}]`)],
  ['empty objects', () => unsigned(`"a":[${repeated('{}')}]`)],
  ['small objects', () => unsigned(`"a":[${repeated('{"a":1}')}]`)],
  ['numbers', () => unsigned(`"a":[${repeated('1')}]`)],
  ['strings', () => unsigned(`"a":[${repeated('""')}]`)],
  ['100,000 targets', () => unsigned(`"delegations":{},"targets":{${entries(100_000)}}`)],
];

test.each(crowded)(
  'a file full of %s is refused before it is parsed',
  async (_what, file) => {
    const bytes = file();
    await target.withstands(async () => {
      for (let round = 0; round < 3; round++) expect(await own.post([['targets', bytes]])).toBe(413);
    });
  },
  60_000,
);

test('a text of nothing but escapes takes no more than its size', async () => {
  const file = unsigned(`"a":"${'\\n'.repeat(LIMITS.metadata / 2 - MiB)}"`);
  await target.withstands(async () => {
    expect(await own.post([['targets', file]])).toBe(400);
  }, 400 * MiB);
}, 60_000);

test('signatures that each make a verifier hash a whole large file are refused', async () => {
  const envelope = parseEnvelope('targets', await own.signed(['a', 'a'.repeat(LIMITS.metadata - MiB)]));
  const [signature] = envelope.signatures;
  if (signature === undefined) throw new Error('the file has no signature');
  const wrong = Array.from({ length: 512 }, () => ({ ...signature, bytes: Buffer.alloc(64, 1) }));
  const file = writeEnvelope(envelope.signed, wrong);
  await target.withstands(async () => {
    expect(await own.post([['targets', file]])).toBe(400);
  }, 400 * MiB);
}, 60_000);

test('more paths of delegations than can be compared with each other are refused, rightly signed as they are', async () => {
  const { delegationPaths } = LIMITS;
  for (const [count, status] of [
    [delegationPaths + 1, 400],
    [delegationPaths, 200],
  ] as const) {
    const file = await own.signed(['delegations', delegationWith(Array.from({ length: count }, (_, at) => `p${at}`))]);
    expect([count, await own.post([['targets', file]])]).toEqual([count, status]);
  }
}, 60_000);

test('a collection that is larger than what is kept in memory is refused', async () => {
  const growing = new Publisher(target, 'mallory', 'mallory/growing');
  const key = growing.keys.make();
  await growing.create((editor) => editor.addDelegation(parseDelegation('targets/a'), [key], ['']));
  const half = 'a'.repeat(LIMITS.published / 2);
  const payload = new Map<string, JsonValue>([
    ['_type', 'Targets'],
    ['a', half],
    ['delegations', new Map()],
    ['expires', '2030-01-01T00:00:00Z'],
    ['targets', new Map()],
    ['version', 1],
  ]);
  const role = writeEnvelope(payload, [growing.keys.signAs(key, canonicalize(payload))]);
  expect(await growing.post([['targets/a', role]])).toBe(200);
  const { targets } = await growing.load();
  const delegations = targets.get('targets')?.envelope.signed;
  const kept = delegations instanceof Map ? delegations.get('delegations') : undefined;
  const file = await growing.signed(['a', half], ['delegations', kept ?? null]);
  expect(await growing.post([['targets', file]])).toBe(413);
}, 60_000);

test('publishes as large as are taken keep no one else waiting', async () => {
  const large = new Publisher(target, 'mallory', 'mallory/large');
  await large.create();
  const targets = new Map(Array.from({ length: 60_000 }, (_, at) => [`v${at}`, targetJson(targetOf(1))] as const));
  const file = await large.signed(['targets', targets]);
  let over = false;
  const attack = Promise.all(Array.from({ length: 6 }, () => large.post([['targets', file]])));
  const [statuses] = await Promise.all([
    attack.finally(() => {
      over = true;
    }),
    target.victim.work(() => over),
  ]);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 400)).toHaveLength(5);
}, 60_000);

function delegationWith(paths: readonly string[]): JsonValue {
  const key = own.keys.make();
  const role = new Map<string, JsonValue>([
    ['keyids', [key.id]],
    ['name', 'targets/a'],
    ['paths', paths],
    ['threshold', 1],
  ]);
  return new Map<string, JsonValue>([
    ['keys', new Map([[key.id as string, publicKeyJson(key)]])],
    ['roles', [role]],
  ]);
}
