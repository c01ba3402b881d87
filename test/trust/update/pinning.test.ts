import { beforeEach, describe, expect, test } from 'bun:test';
import { rootCertificateOf } from '../../../src/core/keys/certificate.ts';
import { canonicalKeyId, type PublicKey } from '../../../src/core/keys/public-key.ts';
import { DAY } from '../../../src/core/time.ts';
import { type RootPin, TRUST_ON_FIRST_USE } from '../../../src/core/verify/pinning.ts';
import type { FirstRoot } from '../../../src/trust/update/first-root.ts';
import { Authority } from '../../support/authority.ts';
import { NO_FIRST_USE, pinnedTo } from '../../support/pins.ts';
import { digestOfTarget, GUN, NOW, Simulator } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

let simulator: Simulator;
let first: PublicKey;
beforeEach(async () => {
  simulator = await Simulator.start();
  const [signer] = simulator.signersOf('root');
  if (signer === undefined) throw new Error('no root key');
  first = signer.key;
});

function visitor(...pins: readonly RootPin[]): Visitor {
  const made = new Visitor(simulator);
  made.pinning = pins.length === 0 ? NO_FIRST_USE : pinnedTo(GUN, ...pins);
  return made;
}

function pinsFor(key: PublicKey): RootPin[] {
  const leaf = rootCertificateOf(key)?.leaf;
  if (leaf === undefined) throw new Error('no certificate');
  return [key.id, canonicalKeyId(key), leaf];
}

const rotateTo = (...to: PublicKey[]) => simulator.edit((editor) => editor.replaceKeys('root', to));

describe('a pinned root key', () => {
  test('lets a stranger in, and only this one', async () => {
    const other = simulator.owner.makeRoot(GUN, NOW);
    for (const pin of pinsFor(first)) expect(await visitor(pin).resolve()).toBe(digestOfTarget(1));
    for (const pin of pinsFor(other)) await visitor(pin).isRefused('root-pin-mismatch');
  });

  test('is left behind by a rotation that is refused, to whoever was here and to whoever comes', async () => {
    for (const pin of pinsFor(first)) {
      simulator = await Simulator.start();
      const [signer] = simulator.signersOf('root');
      const regular = visitor(...pinsFor(signer?.key ?? first));
      await regular.resolve();
      await simulator.rotateRoot();
      await regular.isRefused('root-pin-mismatch');
      await visitor(pin).isRefused('root-pin-mismatch');
    }
  });

  test('may follow another that is pinned too', async () => {
    const second = simulator.owner.makeRoot(GUN, NOW);
    const regulars = pinsFor(second).map((pin) => visitor(first.id, pin));
    for (const regular of regulars) await regular.resolve();
    await rotateTo(second);
    for (const regular of regulars) expect(await regular.resolve()).toBe(digestOfTarget(1));
  });

  test('must be each on the way, not only the last', async () => {
    const [middle, last] = [simulator.owner.makeRoot(GUN, NOW), simulator.owner.makeRoot(GUN, NOW)];
    const [regular, patient] = [visitor(first.id, last.id), visitor(first.id, middle.id, last.id)];
    for (const each of [regular, patient]) await each.resolve();
    await rotateTo(middle);
    await rotateTo(last);
    await regular.isRefused('root-pin-mismatch');
    expect(await patient.resolve()).toBe(digestOfTarget(1));
    expect(await visitor(last.id).resolve()).toBe(digestOfTarget(1));
  });

  test('binds a root of earlier visits, and lets it go on once the pin is fixed', async () => {
    const regular = new Visitor(simulator);
    await regular.resolve();
    regular.pinning = pinnedTo(GUN, simulator.owner.makeRoot(GUN, NOW).id);
    await regular.isRefused('root-pin-mismatch');
    regular.pinning = pinnedTo(GUN, canonicalKeyId(first));
    expect(await regular.resolve()).toBe(digestOfTarget(1));
  });

  test('is enough though a key of no pin stands beside it, unless the threshold asks for more', async () => {
    const beside = simulator.owner.makeRoot(GUN, NOW);
    await rotateTo(first, beside);
    expect(await visitor(first.id).resolve()).toBe(digestOfTarget(1));
    await simulator.edit((editor) => editor.replaceKeys('root', [beside]));
    await visitor(first.id).isRefused('root-pin-mismatch');
  });
});

describe('a pinned authority', () => {
  const acme = Authority.root('Acme Root');
  const team = acme.authority('Acme Team', { to: NOW + 2 * DAY });
  const pinnedToAcme = (): Visitor => {
    const made = new Visitor(simulator);
    made.pinning = { ...NO_FIRST_USE, ca: new Map([['registry.example.com/', [acme.certificate]]]) };
    return made;
  };

  test('lets in what it issued, whichever key', async () => {
    await pinnedToAcme().isRefused('root-pin-mismatch');
    await rotateTo(acme.rootKey(simulator.owner, GUN));
    const regular = pinnedToAcme();
    expect(await regular.resolve()).toBe(digestOfTarget(1));
    await rotateTo(team.rootKey(simulator.owner, GUN, [team]));
    expect(await regular.resolve()).toBe(digestOfTarget(1));
    expect(await pinnedToAcme().resolve()).toBe(digestOfTarget(1));
    await simulator.rotateRoot();
    await regular.isRefused('root-pin-mismatch');
    await pinnedToAcme().isRefused('root-pin-mismatch');
  });

  test('lets nothing in any more once a certificate of the chain has expired', async () => {
    await rotateTo(team.rootKey(simulator.owner, GUN, [team]));
    const regular = pinnedToAcme();
    await regular.resolve();
    simulator.now = NOW + 3 * DAY;
    await simulator.refresh();
    await regular.isRefused('root-untrusted');
    await pinnedToAcme().isRefused('root-untrusted');
  });
});

describe('trust on first use', () => {
  const asked = (answer: boolean | Error): [Visitor, FirstRoot[]] => {
    const made = new Visitor(simulator);
    made.pinning = { ...TRUST_ON_FIRST_USE, tofu: 'ask' };
    const seen: FirstRoot[] = [];
    made.approveFirstRoot = async (root) => {
      seen.push(root);
      expect(made.cache.written).toEqual([]);
      if (answer instanceof Error) throw answer;
      return answer;
    };
    return [made, seen];
  };

  for (const tofu of ['off', 'off-in-ci', 'ask'] as const) {
    test(`that is ${tofu}: no one comes in unasked, who was here stays, and a pin opens`, async () => {
      const stranger = new Visitor(simulator);
      stranger.pinning = { ...TRUST_ON_FIRST_USE, tofu };
      expect((await stranger.isRefused('root-unpinned')).next).toContain(`{"${GUN}":["${canonicalKeyId(first)}"]}`);
      expect(stranger.cache.written).toEqual([]);
      const regular = new Visitor(simulator);
      await regular.resolve();
      regular.pinning = stranger.pinning;
      expect(await regular.resolve()).toBe(digestOfTarget(1));
      stranger.pinning = { ...pinnedTo(GUN, first.id), tofu };
      expect(await stranger.resolve()).toBe(digestOfTarget(1));
    });
  }

  test('asks once, shows what it is about, and goes on after yes', async () => {
    const [person, seen] = asked(true);
    expect(await person.resolve()).toBe(digestOfTarget(1));
    expect(await person.resolve()).toBe(digestOfTarget(1));
    expect(seen).toEqual([
      {
        gun: GUN,
        server: 'trust.example.com',
        keys: [
          {
            id: first.id,
            canonicalId: canonicalKeyId(first),
            commonName: GUN,
            notBefore: NOW,
            notAfter: NOW + 3650 * DAY,
          },
        ],
      },
    ]);
  });

  test('keeps nothing after no, and nothing where the question was not answered', async () => {
    const [refusing] = asked(false);
    await refusing.isRefused('root-unpinned');
    const interruption = new Error('interrupted');
    const [interrupted] = asked(interruption);
    await expect(interrupted.resolve()).rejects.toBe(interruption);
    for (const person of [refusing, interrupted]) expect(person.cache.written).toEqual([]);
  });

  test('asks no one if a pin applies, if it is off, or if the root does not verify', async () => {
    const [person, seen] = asked(true);
    person.pinning = { ...pinnedTo(GUN, simulator.owner.makeRoot(GUN, NOW).id), tofu: 'ask' };
    await person.isRefused('root-pin-mismatch');
    person.pinning = NO_FIRST_USE;
    await person.isRefused('root-unpinned');
    person.pinning = { ...TRUST_ON_FIRST_USE, tofu: 'ask' };
    simulator.forge('root', (payload) => payload, simulator.signersOf('targets'));
    await person.isRefused('root-untrusted');
    expect(seen).toEqual([]);
  });

  test('asks no one for a repository that does not exist', async () => {
    const [person, seen] = asked(true);
    await simulator.remove();
    await person.isRefused('trust-data-missing');
    expect(seen).toEqual([]);
  });
});
