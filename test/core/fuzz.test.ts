import { describe, expect, test } from 'bun:test';
import { isSignetError } from '../../src/core/errors/index.ts';
import { canonicalText, compareUtf8, escapeForFile } from '../../src/core/json/canonical.ts';
import { type JsonValue, parseJson } from '../../src/core/json/parse.ts';
import { parseEnvelope } from '../../src/core/metadata/envelope.ts';
import { readRoot, rootJson } from '../../src/core/metadata/root.ts';
import { readSnapshot, snapshotJson } from '../../src/core/metadata/snapshot.ts';
import { readTargets, targetsJson } from '../../src/core/metadata/targets.ts';
import { readTimestamp, timestampJson } from '../../src/core/metadata/timestamp.ts';
import { formatReference, gunOf, parseReference } from '../../src/core/names/reference.ts';
import { parseDelegation, type RoleName } from '../../src/core/names/role.ts';
import { trustCachedRoot } from '../../src/core/root-trust.ts';
import { TrustedSet } from '../../src/core/trusted-set.ts';
import { random } from '../support/random.ts';
import { GUN, NOW, Simulator, target } from '../support/simulator.ts';
import { Visitor } from '../support/visitor.ts';
import { vector } from './keys/support.ts';

/** Milliseconds after which one test stops early; many times what it takes. */
const BUDGET = 3000;

/** Runs `round` up to `rounds` times, or until the time is up; returns how often it said true and how often false. */
function repeat(rounds: number, round: () => boolean): { yes: number; no: number } {
  const end = performance.now() + BUDGET;
  const said = { yes: 0, no: 0 };
  for (let done = 0; done < rounds && performance.now() < end; done++) said[round() ? 'yes' : 'no']++;
  return said;
}

/** What a parser makes of an input, undefined where it refuses it; anything else than a SignetError passes through. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

function toolsFor(seed: number) {
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  return { next, below, pick };
}

describe('JSON', () => {
  test('is read as JSON.parse reads it, or refused for a reason (seed 1)', () => {
    const { below, pick } = toolsFor(1);
    const pieces =
      '{ } [ ] : , " \\ \\u00e9 \\ud83d\\ude00 \\n 0 1 -1 12 1.5 1e3 true false null a "a" "b" "" é 😀'.split(' ');
    const text = (depth: number): string => {
      switch (below(depth > 4 ? 5 : 8)) {
        case 0:
          return String(below(1000) - 500);
        case 1:
          return pick(['true', 'false', 'null', '0', '-1', '9007199254740991']);
        case 2:
        case 3:
          return JSON.stringify(pick(['', 'a', 'é', '😀', '"\\', '\u2028', '__proto__', 'k\n']));
        case 4:
          return pick(['{}', '[]', ' [ ] ', '1.25', '1e2', '-0']);
        case 5:
          return `[${Array.from({ length: below(4) }, () => text(depth + 1)).join(' , ')}]`;
        default:
          return `{${Array.from({ length: below(4) }, (_, at) => `"${pick(['a', 'b', '\\u0061', '__proto__'])}${at}" : ${text(depth + 1)}`).join(',')}}`;
      }
    };
    const { yes, no } = repeat(20_000, () => {
      let input = text(0);
      for (let cuts = below(3); cuts > 0; cuts--) {
        const at = below(input.length + 1);
        input = input.slice(0, at) + pick([...pieces, '']) + input.slice(at + below(3));
      }
      const ours = attempt(() => ({ value: parseJson(input, { numbers: 'any' }) }));
      const theirs = builtIn(input);
      if (theirs === undefined) expect([input, ours]).toEqual([input, undefined]);
      else if (ours !== undefined) expect(plain(ours.value)).toEqual(theirs.value as never);
      else expect([input, isAmbiguous(input, theirs.value)]).toEqual([input, true]);
      return ours !== undefined;
    });
    expect(yes).toBeGreaterThan(2000);
    expect(no).toBeGreaterThan(2000);
  });

  test('that is canonical stays as it is, whatever it is made of (seed 2)', () => {
    const { below, pick } = toolsFor(2);
    const character = () =>
      pick(['a', 'z', 'A', '"', '\\', '/', '<', '&', 'é', '｡', '😀', '\u2028', '\u007f', '0', ' ']);
    const string = () => Array.from({ length: below(4) }, character).join('');
    const value = (depth: number): JsonValue => {
      switch (below(depth > 4 ? 4 : 6)) {
        case 0:
          return pick([null, true, false]);
        case 1:
          return pick([0, -1, 1, 42, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, below(1e9)]);
        case 2:
        case 3:
          return string();
        case 4:
          return Array.from({ length: below(4) }, () => value(depth + 1));
        default:
          return new Map(Array.from({ length: below(5) }, () => [string(), value(depth + 1)]));
      }
    };
    const { yes } = repeat(5000, () => {
      const made = value(0);
      const text = canonicalText(made);
      expect(canonicalText(parseJson(text))).toBe(text);
      expect(canonicalText(parseJson(escapeForFile(text)))).toBe(text);
      expect(JSON.parse(text)).toEqual(plain(made) as never);
      const names = [string(), string(), string()];
      expect([...names].sort(compareUtf8).map((name) => Buffer.from(name).toString('hex'))).toEqual(
        names.map((name) => Buffer.from(name).toString('hex')).sort(),
      );
      return true;
    });
    expect(yes).toBeGreaterThan(500);
  });
});

describe('damaged files', () => {
  const FILES: readonly [path: string, read: (signed: JsonValue) => JsonValue][] = [
    ['acme-app/root.json', (signed) => rootJson(readRoot(signed))],
    ['roots/3.root.json', (signed) => rootJson(readRoot(signed))],
    ['acme-app/timestamp.json', (signed) => timestampJson(readTimestamp(signed))],
    ['acme-app/snapshot.json', (signed) => snapshotJson(readSnapshot(signed))],
    ['acme-app/targets.json', (signed) => targetsJson(readTargets('targets', signed))],
    ['acme-app/targets/jeff.json', (signed) => targetsJson(readTargets(parseDelegation('targets/jeff'), signed))],
  ];

  for (const [at, [path, read]] of FILES.entries()) {
    test(`of ${path} are read, or refused with a typed error (seed ${10 + at})`, () => {
      const { below, pick } = toolsFor(10 + at);
      const original = vector(path);
      const tokens = [
        'null',
        '0',
        '-1',
        '""',
        '[]',
        '{}',
        'true',
        '1e9',
        '"x"',
        ',',
        ':',
        '{',
        '}',
        '"',
        '\\u0000',
        '9'.repeat(30),
      ];
      const { yes, no } = repeat(6000, () => {
        let file: Buffer = Buffer.from(original);
        for (let turns = 1 + below(3); turns > 0; turns--) {
          const place = below(file.length);
          const [before, after] = [file.subarray(0, place), file.subarray(place)];
          const turn = below(5);
          if (turn === 0) file[place] = (file[place] ?? 0) ^ (1 << below(8));
          else if (turn === 1) file = Buffer.concat([before, after.subarray(1 + below(12))]);
          else if (turn === 2) file = Buffer.concat([before, Buffer.from(pick(tokens)), after.subarray(below(4))]);
          else if (turn === 3) file = Buffer.concat([before, after.subarray(0, below(40)), after]);
          else file = replaceToken(file, place, pick(tokens));
        }
        return attempt(() => read(parseEnvelope('targets', file).signed)) !== undefined;
      });
      expect(no).toBeGreaterThan(100);
      expect(yes + no).toBeGreaterThan(200);
    });
  }
});

test('references lead to what they say, or nowhere (seed 3)', () => {
  const { below, pick } = toolsFor(3);
  const pieces = [
    'a',
    'b9',
    'A',
    '-',
    '--',
    '_',
    '__',
    '.',
    '/',
    ':',
    '@',
    '5000',
    'localhost',
    'docker.io',
    'library',
    'sha256:',
    '0'.repeat(64),
    '[::1]',
    ' ',
    'é',
    '..',
    '\n',
  ];
  const { yes, no } = repeat(40_000, () => {
    const text = Array.from({ length: 1 + below(8) }, () => pick(pieces)).join('');
    const reference = attempt(() => parseReference(text));
    if (reference === undefined) return false;
    expect(parseReference(formatReference(reference))).toEqual(reference);
    const gun = gunOf(reference);
    expect(gun as string).toBe(`${reference.registry}/${reference.path}`);
    expect(gun).toMatch(/^[^/]+(\/[a-z0-9._-]+)+$/);
    expect(gun.split('/')).not.toContain('..');
    return true;
  });
  expect(yes).toBeGreaterThan(500);
  expect(no).toBeGreaterThan(5000);
});

describe('one bit flipped in a signed file', () => {
  const ALICE = parseDelegation('targets/alice');
  const ROLES: readonly RoleName[] = ['root', 'timestamp', 'snapshot', 'targets', ALICE];

  async function published(): Promise<Simulator> {
    const simulator = await Simulator.start();
    await simulator.edit((editor) => {
      editor.addDelegation(ALICE, [simulator.owner.make()], ['']);
      editor.addTarget(ALICE, 'a', target(1));
      editor.addTarget('targets', 'b', target(2));
    });
    return simulator;
  }

  for (const [at, role] of ROLES.entries()) {
    test(`${role}: never changes what is trusted, even where its checksum is forged with it (seed ${20 + at})`, async () => {
      const simulator = await published();
      const honest = simulator.state;
      const { below } = toolsFor(20 + at);
      const original = simulator.file(role);
      const trusted = canonicalText(parseEnvelope(role, original).signed);
      const { yes, no } = repeat(1500, () => {
        const file = Buffer.from(original);
        const place = below(file.length);
        file[place] = (file[place] ?? 0) ^ (1 << below(8));
        const payload = attempt(() => trustAlone(simulator, role, file));
        // A flip that leaves the payload and enough of a signature, such as one in the spelling of a method, is none.
        if (payload !== undefined) expect(payload).toBe(trusted);
        return payload !== undefined;
      });
      expect(no).toBeGreaterThan(100);
      expect(yes).toBeLessThan(no / 10);
      simulator.serve(honest);
    });
  }

  test('is refused by a client, which keeps its cache (seed 30)', async () => {
    const simulator = await published();
    const { below, pick } = toolsFor(30);
    const visitor = new Visitor(simulator);
    await visitor.update();
    const before = await visitor.cache.contents(GUN);
    const end = performance.now() + BUDGET;
    let refused = 0;
    for (let round = 0; round < 400 && performance.now() < end; round++) {
      const role = pick(ROLES);
      const file = Buffer.from(simulator.file(role));
      const place = below(file.length);
      file[place] = (file[place] ?? 0) ^ (1 << below(8));
      const guest = new Visitor(simulator);
      simulator.lies.set(role, file);
      // A timestamp and a first root are vouched for by nothing but their signatures; see above for what may pass.
      const accepted = await guest.update().then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ name: 'SignetError' });
          return false;
        },
      );
      if (accepted) expect(['root', 'timestamp']).toContain(role);
      else {
        expect(await guest.cache.contents(GUN)).toEqual(new Map());
        refused++;
      }
      if (role !== 'root' && role !== 'timestamp') {
        await visitor.update();
        expect(await visitor.cache.contents(GUN)).toEqual(before);
      }
      simulator.lies.clear();
    }
    expect(refused).toBeGreaterThan(50);
  });
});

/** Trusts a file as one that all others lead to; gives its canonical payload. */
function trustAlone(simulator: Simulator, role: RoleName, file: Buffer): string {
  if (role === 'root') return canonicalText(trustCachedRoot(GUN, file).envelope.signed);
  const set = new TrustedSet(trustCachedRoot(GUN, simulator.file('root')), NOW);
  if (role === 'timestamp') {
    set.updateTimestamp(file);
    return canonicalText(set.timestamp.envelope.signed);
  }
  simulator.replace(role, file);
  if (role === 'snapshot') simulator.restamp();
  else simulator.relist();
  set.updateTimestamp(simulator.file('timestamp'));
  set.updateSnapshot(simulator.file('snapshot'));
  if (role === 'snapshot') return canonicalText(set.snapshot.envelope.signed);
  set.updateTargets('targets', simulator.file('targets'));
  if (role !== 'targets') set.updateTargets(parseDelegation(role), simulator.file(role));
  const trusted = set.targets.get(role as 'targets');
  return canonicalText(trusted?.envelope.signed ?? null);
}

/** Replaces the JSON token around `place`. */
function replaceToken(file: Buffer, place: number, token: string): Buffer {
  const text = file.toString('latin1');
  const start = Math.max(...[':', ',', '['].map((mark) => text.lastIndexOf(mark, place))) + 1;
  const end = [',', '}', ']'].map((mark) => text.indexOf(mark, start)).filter((found) => found >= 0);
  return Buffer.from(text.slice(0, start) + token + text.slice(Math.min(...end, text.length)), 'latin1');
}

function builtIn(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The value as JSON.parse gives it. */
function plain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const object = {};
  for (const [name, member] of value) {
    Object.defineProperty(object, name, { value: plain(member), enumerable: true, configurable: true, writable: true });
  }
  return object;
}

/** Whether a text that JSON.parse takes is one that two parsers may read differently, so that ours refuses it. */
function isAmbiguous(text: string, value: unknown): boolean {
  return !text.isWellFormed() || hasLoneSurrogates(value) || hasInfinity(value) || hasNameTwice(text);
}

function hasLoneSurrogates(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => !name.isWellFormed() || hasLoneSurrogates(member));
}

function hasInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInfinity);
}

/** A name twice in one object leaves no trace in what JSON.parse returns; the tokens of the text tell. */
function hasNameTwice(text: string): boolean {
  const objects: Set<string>[] = [];
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (name !== undefined) {
      const names = objects.at(-1) ?? new Set();
      if (names.has(JSON.parse(name))) return true;
      names.add(JSON.parse(name));
    }
  }
  return false;
}
