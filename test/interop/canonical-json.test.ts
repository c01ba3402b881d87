import { beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalText } from '../../src/core/json/canonical.ts';
import type { JsonValue } from '../../src/core/json/parse.ts';
import { parseEnvelope } from '../../src/core/metadata/envelope.ts';
import { readTargets, type Target } from '../../src/core/metadata/targets.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { Changelist } from '../../src/store/changelist.ts';
import { Dice } from '../fuzz/dice.ts';
import { findProgram } from '../support/clis.ts';
import { type Outcome, run } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { Simulator } from '../support/simulator.ts';
import { temporaryFolder } from '../support/temp.ts';

const PUBLISHES = 4;
const TARGETS_IN_EACH = 75;
const PASSPHRASES = {
  NOTARY_ROOT_PASSPHRASE: 'the root of what is signed here',
  NOTARY_TARGETS_PASSPHRASE: 'and what is signed with',
  NOTARY_SNAPSHOT_PASSPHRASE: 'and what is signed with',
};
/** First and last characters of all kinds that a string can have; a control character below a space can be signed by nobody. */
const CHARACTERS: readonly (readonly [number, number])[] = [
  ...([
    [0x20, 0x7e],
    [0x22, 0x22],
    [0x5c, 0x5c],
    [0x7f, 0x7f],
    [0x2f, 0x2f],
    [0x80, 0x9f],
    [0xa0, 0x24f],
    [0x300, 0x36f],
  ] as const),
  ...([
    [0x5d0, 0x6ff],
    [0x2000, 0x206f],
    [0x4e00, 0x9fff],
    [0xd000, 0xd7ff],
    [0xe000, 0xf8ff],
    [0xfb00, 0xffff],
  ] as const),
  ...([
    [0x10000, 0x1f9ff],
    [0x20000, 0x2ffff],
    [0xe0000, 0x10ffff],
  ] as const),
];
/** Notary's signer writes these as escapes into what it signs, its verifier does not (protocol A.2). */
const UNSIGNABLE_BY_NOTARY = /[<>&\u2028\u2029]/gu;

/** Random names and values, of which canonical JSON is made. */
class Documents {
  private readonly dice: Dice;

  constructor(seed: number) {
    this.dice = new Dice(seed);
  }

  /** Targets with random names and custom data. */
  targets(count: number): Map<string, Target> {
    const made = new Map<string, Target>();
    while (made.size < count) {
      const hashes = new Map([['sha256', this.dice.bytes(32)]]);
      made.set(`t${this.string()}`, { length: this.dice.below(2 ** 31), hashes, custom: this.value(0) });
    }
    return made;
  }

  private value(depth: number): JsonValue {
    switch (this.dice.below(depth > 4 ? 4 : 7)) {
      case 0:
        return this.dice.pick([null, true, false]);
      case 1:
        return this.number();
      case 2:
      case 3:
        return this.string();
      case 4:
        return this.dice.some(5, () => this.value(depth + 1));
      default:
        return new Map(this.dice.some(8, () => [this.string(), this.value(depth + 1)]));
    }
  }

  private number(): number {
    const digits = 10 ** this.dice.below(16);
    const number = this.dice.pick([0, 1, digits, digits - 1, this.dice.below(2 ** 31), Number.MAX_SAFE_INTEGER]);
    return this.dice.chance(0.5) ? number : 0 - number;
  }

  private string(): string {
    return this.dice
      .some(8, () => this.character())
      .join('')
      .replace(UNSIGNABLE_BY_NOTARY, '');
  }

  private character(): string {
    const [first, last] = this.dice.pick(CHARACTERS);
    return String.fromCodePoint(first + this.dice.below(last - first + 1));
  }
}

/** Canonical text of targets by name, to compare them by. */
function described(targets: ReadonlyMap<string, Target>): ReadonlyMap<string, string> {
  const texts = [...targets].map(([name, { length, hashes, custom }]): [string, string] => {
    const sums = [...hashes].map(([algorithm, hash]) => `${algorithm}:${hash.toString('hex')}`);
    return [name, `${length} ${sums} ${canonicalText(custom ?? null)}`];
  });
  return new Map(texts.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function targetsIn(file: string): ReadonlyMap<string, Target> {
  return readTargets('targets', parseEnvelope('targets', readFileSync(file)).signed).targets;
}

async function succeeds(outcome: Promise<Outcome>): Promise<Outcome> {
  const ended = await outcome;
  expect(ended).toMatchObject({ exitCode: 0 });
  return ended;
}

function notary(base: string, server: readonly string[], ...words: readonly string[]): Promise<Outcome> {
  const env = { PATH: process.env.PATH ?? '', HOME: base, ...PASSPHRASES };
  return succeeds(run([findProgram('notary'), ...server, '-d', base, ...words], { env, cwd: base }));
}

/** Digest and length of every target that `notary list` shows; names may break lines. */
function listed({ stdout }: Outcome): string[] {
  return [...stdout.matchAll(/([0-9a-f]{64}) +(\d+) +targets *$/gm)]
    .map(([, hex, length]) => `${length} sha256:${hex}`)
    .sort();
}

const listedOf = (targets: ReadonlyMap<string, Target>) =>
  [...described(targets).values()].map((text) => text.split(' ').slice(0, 2).join(' ')).sort();

describe('what notary signs', () => {
  let server: SignetServer;
  beforeAll(async () => {
    server = await startSignet({ args: ['--auth=off'] });
  }, 60_000);

  test('over our canonical form, our server and client verify', async () => {
    const gun = `${server.host}/team/documents`;
    const home = temporaryFolder();
    const base = join(home, '.docker/trust');
    mkdirSync(base, { recursive: true });
    const there = ['-s', server.origin, '--tlscacert', server.authority];
    const documents = new Documents(20_261_123);
    const all = new Map<string, Target>();
    await notary(base, there, 'init', gun, '-p');
    for (let publish = 0; publish < PUBLISHES; publish++) {
      const changes = new Changelist(base, parseGun(gun));
      for (const [name, target] of documents.targets(TARGETS_IN_EACH)) {
        all.set(name, target);
        await changes.append({ kind: 'add-target', role: 'targets', name, target });
      }
      await notary(base, there, 'publish', gun);
    }
    const elsewhere = temporaryFolder();
    expect(listed(await notary(elsewhere, there, 'list', gun))).toEqual(listedOf(all));

    const reader = temporaryFolder();
    const env = { PATH: process.env.PATH ?? '', HOME: reader, DOCKER_CONTENT_TRUST_SERVER: server.origin };
    await succeeds(run([...signetCommand(), 'trust', 'inspect', gun], { env }));
    const file = join(reader, '.docker/trust/tuf', gun, 'metadata/targets.json');
    expect(described(targetsIn(file))).toEqual(described(all));
  }, 300_000);
});

describe('what Signet signs', () => {
  test('notary verifies, lists and looks up, whatever it could sign itself', async () => {
    const gun = parseGun('registry.example.com/team/documents');
    const targets = new Documents(20_261_124).targets(PUBLISHES * TARGETS_IN_EACH);
    const simulator = await Simulator.start({ gun, now: Date.now() });
    await simulator.edit((editor) => {
      editor.removeTarget('targets', 'latest');
      for (const [name, target] of targets) editor.addTarget('targets', name, target);
    });
    const base = temporaryFolder();
    for (const [role, bytes] of simulator.state) {
      const file = join(base, 'tuf', gun, 'metadata', `${role}.json`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
    }
    // Nobody answers there: notary verifies what its cache holds (protocol C.8).
    const nowhere = ['-s', 'https://127.0.0.1:1'];
    expect(listed(await notary(base, nowhere, 'list', gun))).toEqual(listedOf(targets));
    for (const [name, { length, hashes }] of [...targets].slice(0, 10)) {
      const { stdout } = await notary(base, nowhere, 'lookup', gun, name);
      expect(stdout).toBe(`${name} sha256:${hashes.get('sha256')?.toString('hex')} ${length}\n`);
    }
  }, 120_000);
});
