import { deepStrictEqual } from 'node:assert';
import type { StoredFile } from '../../../src/core/accept/stored-file.ts';
import { acceptUpload } from '../../../src/core/accept/upload.ts';
import { type JsonValue, parseJson } from '../../../src/core/json/parse.ts';
import { type PublicKey, publicKeyJson } from '../../../src/core/keys/public-key.ts';
import { writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import { fileInfoJson, fileInfoOf } from '../../../src/core/metadata/file-info.ts';
import { readSnapshot } from '../../../src/core/metadata/snapshot.ts';
import { parseDelegation, parseRole, type RoleName, type TargetsRole } from '../../../src/core/names/role.ts';
import { type Collection, updateCollection } from '../../../src/trust/update/collection.ts';
import { payloadOf, type Signer, signaturesOver } from '../../support/forgery.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { Simulator, type State, sourceOf, target } from '../../support/simulator.ts';
import { Refused, type Subject } from '../engine.ts';
import { json } from '../mutate-json.ts';
import { UPLOAD_ERRORS } from './trust-errors.ts';

const ALICE = parseDelegation('targets/alice');
const DEEP = parseDelegation('targets/alice/deep');
const RELEASES = parseDelegation('targets/releases');
const FUTURE = '2027-06-01T00:00:00Z';

/** A collection with delegations, and everybody's keys by name. */
interface World {
  readonly simulator: Simulator;
  readonly published: State;
  readonly keys: ReadonlyMap<string, PublicKey>;
}

/**
 * An upload that the server accepts is one that clients take: those who were there before, and those who come anew.
 *
 * An input is a JSON document of the payloads to upload, by role. In it `@alice` stands for the ID of a key, `#alice` for
 * the key itself and `%targets` for length and checksums of the role's file; `signers` names who signs all of it.
 */
export async function upload(): Promise<Subject> {
  const world = await begin();
  const { simulator, published } = world;
  const names = [...world.keys.keys()];
  const words = [
    ...names.flatMap((name) => [`"@${name}"`, `"#${name}"`, `["@${name}"]`, `{"@${name}":"#${name}"}`]),
    ...['1', '2', '3', '4', '512', `"${FUTURE}"`, '"2020-01-01T00:00:00Z"', '"targets/alice"', '"targets/alice/deep"'],
    ...['""', '[""]', '"%root"', '"%targets"', '"%targets/alice"', ...seeds.flatMap((seed) => rolesIn(seed))],
  ];
  return {
    seeds: seeds.map((text) => Buffer.from(text)),
    mutate: json(words),
    refusals: UPLOAD_ERRORS,
    check: async (input) => {
      const parts = partsOf(parseJson(input), world);
      if (parts === undefined) throw new Refused();
      const { gun, now, online: signer } = simulator;
      const accepted = await acceptUpload({ gun, parts, current: published, signer, now });
      const state = stored(published, accepted);
      serve(simulator, state, accepted);
      for (const before of [undefined, published]) {
        const { set } = await update(simulator, before);
        const uploaded = accepted.filter(({ role }) => role === 'targets' || role.startsWith('targets/'));
        deepStrictEqual(
          uploaded.filter(({ role, bytes }) => !set.targets.get(role as TargetsRole)?.envelope.bytes.equals(bytes)),
          [],
          'clients pass over what was accepted',
        );
      }
    },
  };
}

async function begin(): Promise<World> {
  const simulator = await Simulator.start();
  const make = () => simulator.owner.make('ed25519');
  const keys = new Map([
    ['alice', make()],
    ['deep', make()],
    ['spare', make()],
  ]);
  const [alice, deep] = [...keys.values()] as [PublicKey, PublicKey];
  await simulator.edit((editor) => {
    editor.addDelegation(ALICE, [alice], ['']);
    editor.addDelegation(RELEASES, [alice, deep], ['v']);
    editor.addTarget(ALICE, 'a', target(1));
    editor.addTarget(RELEASES, 'v1', target(1));
  });
  await simulator.edit((editor) => {
    editor.addDelegation(DEEP, [deep], ['']);
    editor.addTarget(DEEP, 'd', target(2));
  });
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
    const [first] = simulator.signersOf(role);
    if (first !== undefined) keys.set(role, first.key);
  }
  keys.set('next-root', simulator.owner.makeRoot(simulator.gun, simulator.now));
  return { simulator, published: simulator.state, keys };
}

const targetsOf = (version: number, targets: string, delegations = '"keys":{},"roles":[]') =>
  `{"_type":"Targets","delegations":{${delegations}},"expires":"${FUTURE}","targets":${targets},"version":${version}}`;
const TARGET = `{"hashes":{"sha256":"${Buffer.alloc(32, 3).toString('base64')}"},"length":3}`;
const DELEGATIONS =
  '"keys":{"@alice":"#alice","@deep":"#deep"},"roles":[{"keyids":["@alice"],"name":"targets/alice","paths":[""],"threshold":1},' +
  '{"keyids":["@alice","@deep"],"name":"targets/releases","paths":["v"],"threshold":1}]';
const rootOf = (root: string, targets: string) =>
  `{"_type":"Root","consistent_snapshot":false,"expires":"${FUTURE}","keys":{${[
    'root',
    'next-root',
    'targets',
    'spare',
    'snapshot',
    'timestamp',
  ]
    .map((name) => `"@${name}":"#${name}"`)
    .join(
      ',',
    )}},"roles":{"root":{"keyids":["@${root}"],"threshold":1},"snapshot":{"keyids":["@snapshot"],"threshold":1},` +
  `"targets":{"keyids":["@${targets}"],"threshold":1},"timestamp":{"keyids":["@timestamp"],"threshold":1}},"version":2}`;

const snapshotOf = (...roles: string[]) =>
  `{"_type":"Snapshot","expires":"${FUTURE}","meta":{${roles.map((role) => `"${role}":"%${role}"`).join(',')}},"version":4}`;

const seeds = [
  `{"targets":${targetsOf(4, `{"new":${TARGET}}`, DELEGATIONS)}}`,
  `{"targets/alice":${targetsOf(3, `{"a":${TARGET}}`)},"signers":["alice"]}`,
  `{"targets/alice/deep":${targetsOf(2, '{}')},"targets/releases":${targetsOf(2, '{}')},"signers":["deep"]}`,
  `{"root":${rootOf('next-root', 'targets')}}`,
  `{"targets":${targetsOf(4, '{}', DELEGATIONS)},"snapshot":${snapshotOf('root', 'targets', ALICE, DEEP, RELEASES)}}`,
  `{"root":${rootOf('root', 'spare')},"targets":${targetsOf(4, '{}', DELEGATIONS)},"targets/alice":${targetsOf(3, '{}')}}`,
];

function rolesIn(seed: string): string[] {
  return Object.values(JSON.parse(seed) as object).map((payload) => JSON.stringify(payload));
}

/** The parts of the request, signed; undefined where the document is not one of payloads by role. */
function partsOf(document: JsonValue, world: World): { role: string; bytes: Buffer }[] | undefined {
  if (!(document instanceof Map)) return undefined;
  const named = document.get('signers');
  const names = Array.isArray(named) ? named : [...world.keys.keys()];
  const signers = [...world.keys].filter(([name]) => names.includes(name)).flatMap(([, key]) => signerOf(key, world));
  const files = new Map(world.published);
  const parts: { role: string; bytes: Buffer }[] = [];
  for (const [role, payload] of document) {
    if (role === 'signers') continue;
    const meant = resolved(payload, world, files);
    const bytes = writeEnvelope(meant, signaturesOver(meant, signers));
    files.set(parseRole(role), bytes);
    parts.push({ role, bytes });
  }
  return parts;
}

function signerOf(key: PublicKey, { simulator: { owner, online } }: World): Signer[] {
  const keys = [owner, online].find((each) => each.has(key));
  return keys === undefined ? [] : [{ key, private: keys.private(key) }];
}

/** The payload with keys and checksums in the place of what stands for them. */
function resolved(value: JsonValue, world: World, files: ReadonlyMap<RoleName, Buffer>): JsonValue {
  if (typeof value === 'string') return standsFor(value, world, files);
  if (Array.isArray(value)) return value.map((item) => resolved(item, world, files));
  if (!(value instanceof Map)) return value;
  const idOf = (name: string) => (name.startsWith('@') ? (world.keys.get(name.slice(1))?.id ?? name) : name);
  return new Map([...value].map(([name, member]) => [idOf(name), resolved(member, world, files)]));
}

function standsFor(text: string, { keys }: World, files: ReadonlyMap<RoleName, Buffer>): JsonValue {
  const key = keys.get(text.slice(1));
  if (key !== undefined && text.startsWith('@')) return key.id;
  if (key !== undefined && text.startsWith('#')) return publicKeyJson(key);
  const file = text.startsWith('%') ? files.get(text.slice(1) as RoleName) : undefined;
  return file === undefined ? text : new Map(fileInfoJson(fileInfoOf(file)));
}

/** What a server has once it stored the files: those that its snapshot lists (protocol G-16). */
function stored(published: State, accepted: readonly StoredFile[]): State {
  const all = new Map([...published, ...accepted.map(({ role, bytes }) => [role, bytes] as const)]);
  const { meta } = readSnapshot(payloadOf(all.get('snapshot') ?? Buffer.of()));
  return new Map([...all].filter(([role]) => role === 'timestamp' || role === 'snapshot' || meta.has(role)));
}

function serve(simulator: Simulator, state: State, accepted: readonly StoredFile[]): void {
  simulator.serve(state);
  simulator.lies.clear();
  for (const { role, version, bytes } of accepted) if (role === 'root') simulator.lies.set(`${version}.root`, bytes);
}

/** What a client has after a visit; `before` is what it had. */
async function update(simulator: Simulator, before: State | undefined): Promise<Collection> {
  const cache = new MemoryCache();
  for (const [role, bytes] of before ?? []) await cache.write(simulator.gun, role, bytes);
  try {
    return await updateCollection({ ...sourceOf(simulator, simulator.now), cache, purpose: 'read' });
  } catch (cause) {
    throw new Error(`a client ${before === undefined ? 'that is new' : 'of before'} refuses what the server accepted`, {
      cause,
    });
  }
}
