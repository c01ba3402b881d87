import { describe, expect, test } from 'bun:test';
import { OID } from '../../../src/core/keys/algorithms.ts';
import { type RootCertificate, rootCertificateOf } from '../../../src/core/keys/certificate.ts';
import type { PublicKey } from '../../../src/core/keys/public-key.ts';
import { isIssuedBy } from '../../../src/core/keys/x509-chain.ts';
import { DAY, UNEXPIRED } from '../../../src/core/time.ts';
import { Authority, KEY_USAGE, keyPair, type Paper, rsaKeyPair } from '../../support/authority.ts';
import { GUN, NOW } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const NAME_CONSTRAINTS = '2.5.29.30';
const keys = new TestKeys();
const root = Authority.root('Acme Root');

function certificateOf(key: PublicKey): RootCertificate {
  const found = rootCertificateOf(key);
  if (found === undefined) throw new Error('not a root certificate');
  return found;
}

/** Whether a leaf by the last of `chain` is found to come from `authority`, the chain's others between them. */
function passes(authority: Authority, chain: readonly Authority[] = [], paper: Paper = {}, now = NOW): boolean {
  const issuer = chain.at(-1) ?? authority;
  const certificate = certificateOf(issuer.rootKey(keys, GUN, chain.toReversed(), paper));
  return isIssuedBy([authority.certificate], certificate, now);
}

/** The authority with so many below it, each by the one before. */
function line(authority: Authority, papers: readonly Paper[]): Authority[] {
  const below: Authority[] = [];
  for (const [at, paper] of papers.entries())
    below.push((below.at(-1) ?? authority).authority(`Acme ${at + 1}`, paper));
  return below;
}

describe('a root certificate is issued by an authority', () => {
  test('directly, or through the intermediates that come with it, in any order', () => {
    expect(passes(root)).toBe(true);
    expect(passes(root, line(root, [{}]))).toBe(true);
    const [one, two, three] = line(root, [{}, {}, {}]);
    if (one === undefined || two === undefined || three === undefined) throw new Error('a line of three');
    expect(passes(root, [one, two, three])).toBe(true);
    const shuffled = certificateOf(three.rootKey(keys, GUN, [one, three, two]));
    expect(isIssuedBy([root.certificate], shuffled, NOW)).toBe(true);
    const gap = certificateOf(three.rootKey(keys, GUN, [three, one]));
    expect(isIssuedBy([root.certificate], gap, NOW)).toBe(false);
    expect(isIssuedBy([root.certificate, two.certificate], gap, NOW)).toBe(true);
  });

  test('of which one of several is enough, and none is not', () => {
    const certificate = certificateOf(root.rootKey(keys, GUN));
    const other = Authority.root('Other Root');
    expect(isIssuedBy([other.certificate, root.certificate], certificate, NOW)).toBe(true);
    expect(isIssuedBy([other.certificate], certificate, NOW)).toBe(false);
    expect(isIssuedBy([], certificate, NOW)).toBe(false);
  });

  test('whatever kind of key that has', () => {
    expect(passes(Authority.root('RSA Root', {}, rsaKeyPair(2048)))).toBe(true);
    expect(passes(Authority.root('RSA Root', {}, rsaKeyPair(1024)))).toBe(false);
  });

  test('on another way where one is closed', () => {
    const twin = keyPair();
    const [expired, valid] = [{ to: NOW - DAY / 2 }, {}].map((paper) => root.authority('Acme 1', paper, twin));
    if (expired === undefined || valid === undefined) throw new Error('two');
    const through = (...chain: Authority[]) =>
      isIssuedBy([root.certificate], certificateOf(valid.rootKey(keys, GUN, chain)), NOW);
    expect(through(expired, valid)).toBe(true);
    expect(through(expired)).toBe(false);
    const elsewhere = Authority.root('Other Root').authority('Acme 1', {}, twin);
    expect(through(elsewhere, valid)).toBe(true);
    expect(through(elsewhere)).toBe(false);
  });
});

describe('it is not issued by an authority', () => {
  test('of the same name with another key', () => {
    expect(passes(Authority.root('Acme Root'), line(root, [{}]))).toBe(false);
    const certificate = certificateOf(root.rootKey(keys, GUN));
    expect(isIssuedBy([Authority.root('Acme Root').certificate], certificate, NOW)).toBe(false);
  });

  test('of the same key with another name', () => {
    const pair = keyPair();
    const [named, renamed] = [Authority.root('Acme', {}, pair), Authority.root('acme', {}, pair)];
    const certificate = certificateOf(named.rootKey(keys, GUN));
    expect(isIssuedBy([named.certificate], certificate, NOW)).toBe(true);
    expect(isIssuedBy([renamed.certificate], certificate, NOW)).toBe(false);
  });

  test('where it vouches for itself, though it is in the bundle', () => {
    const self = certificateOf(keys.makeRoot(GUN, NOW));
    expect(isIssuedBy([root.certificate], self, NOW)).toBe(false);
    expect(isIssuedBy([self.leaf], self, NOW)).toBe(false);
  });

  test('that is none, or must not sign certificates', () => {
    expect(passes(Authority.root('Acme', { isAuthority: false }))).toBe(false);
    expect(passes(Authority.root('Acme', { keyUsage: KEY_USAGE.digitalSignature }))).toBe(false);
    expect(passes(root, line(root, [{ keyUsage: KEY_USAGE.digitalSignature }]))).toBe(false);
    expect(passes(root, line(root, [{ keyUsage: 0xff }]))).toBe(true);
  });

  test('by a longer way than the path length allows', () => {
    const [none, one] = [Authority.root('None', { pathLength: 0 }), Authority.root('One', { pathLength: 1 })];
    expect([passes(none), passes(none, line(none, [{}]))]).toEqual([true, false]);
    expect([passes(one, line(one, [{}])), passes(one, line(one, [{}, {}]))]).toEqual([true, false]);
    expect(passes(root, line(root, [{}, { pathLength: 0 }]))).toBe(true);
    expect(passes(root, line(root, [{ pathLength: 0 }, {}]))).toBe(false);
  });

  test('by a link that has expired or has not begun', () => {
    for (const paper of [{ to: NOW - 1000 }, { from: NOW + 2 * DAY }, { from: NOW + DAY, to: NOW }]) {
      expect([paper, passes(root, [], paper)]).toEqual([paper, false]);
      expect([paper, passes(root, line(root, [paper]))]).toEqual([paper, false]);
      expect([paper, passes(Authority.root('Acme', paper))]).toEqual([paper, false]);
    }
    for (const paper of [{ to: NOW }, { from: NOW + DAY }]) expect(passes(root, line(root, [paper]), paper)).toBe(true);
    const past = Authority.root('Past', { to: NOW - DAY / 2 });
    expect(passes(past, line(past, [{ to: NOW - DAY / 2 }]), { to: NOW - DAY / 2 }, UNEXPIRED)).toBe(true);
  });

  test('by a link with a weak signature', () => {
    expect(passes(root, [], { digest: 'sha1' })).toBe(false);
    expect(passes(root, line(root, [{ digest: 'sha1' }]))).toBe(false);
  });

  test('by a link with a critical extension that no one here understands', () => {
    expect(passes(root, [], { critical: NAME_CONSTRAINTS })).toBe(false);
    expect(passes(root, line(root, [{ critical: NAME_CONSTRAINTS }]))).toBe(false);
    expect(passes(Authority.root('Acme', { critical: '1.2.3.4' }))).toBe(false);
    expect(passes(Authority.root('Acme', { critical: OID.certificatePolicies }))).toBe(true);
  });

  test('by certificates that vouch for each other in a circle', () => {
    const [pairA, pairB] = [keyPair(), keyPair()];
    const [a, b] = [Authority.root('A', {}, pairA), Authority.root('B', {}, pairB)];
    const circle = [a.authority('B', {}, pairB), b.authority('A', {}, pairA)];
    expect(isIssuedBy([root.certificate], certificateOf(a.rootKey(keys, GUN, circle)), NOW)).toBe(false);
    // As many as a key may bring, each of them issuer of all others.
    const crowd = Array.from({ length: 15 }, () => a.authority('A', {}, pairA));
    expect(isIssuedBy([root.certificate], certificateOf(a.rootKey(keys, GUN, crowd)), NOW)).toBe(false);
    expect(isIssuedBy([a.certificate], certificateOf(a.rootKey(keys, GUN, crowd)), NOW)).toBe(true);
  });
});

describe('purposes', () => {
  const purposes = (...list: string[]): Paper => ({ purposes: list });

  test.each([
    ['signing code', [OID.codeSigning], true],
    ['a TLS server, as Notary asks for', [OID.serverAuth], true],
    ['one of these among others', [CLIENT_AUTH, OID.codeSigning], true],
    ['any', [OID.anyPurpose], true],
    ['a TLS client', [CLIENT_AUTH], false],
    ['nothing', [], false],
  ])('of the leaf: %s', (_, list, accepted) => {
    expect(passes(root, [], purposes(...list))).toBe(accepted);
  });

  test('hold for all of the chain together', () => {
    const [code, server, any] = [purposes(OID.codeSigning), purposes(OID.serverAuth), purposes(OID.anyPurpose)];
    expect(passes(root, line(root, [code]), code)).toBe(true);
    expect(passes(root, line(root, [code]))).toBe(true);
    expect(passes(root, line(root, [any]), server)).toBe(true);
    expect(passes(root, line(root, [server]), code)).toBe(false);
    expect(passes(root, line(root, [purposes(CLIENT_AUTH)]))).toBe(false);
    expect(passes(Authority.root('Acme', server), [], code)).toBe(false);
    expect(passes(Authority.root('Acme', purposes(OID.serverAuth, OID.codeSigning)), [], code)).toBe(true);
  });
});
