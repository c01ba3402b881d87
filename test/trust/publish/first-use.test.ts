import { expect, test } from 'bun:test';
import { issueRootCertificate } from '../../../src/core/keys/certificate.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { baseSigners, canonicalKeyIds } from '../../../src/core/verify/signers.ts';
import { rotateKeys } from '../../../src/trust/changes/rotate.ts';
import { republish } from '../../../src/trust/publish/republish.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf } from '../../support/forgery.ts';
import { pinnedTo } from '../../support/pins.ts';
import { GUN, NOW, Simulator } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const SNAPSHOT = { role: 'snapshot', serverManaged: true } as const;

/**
 * A lying server founds the repository itself: its root lists the owner's public key beside its own, and only its own has
 * signed.
 */
async function lie(): Promise<{ liar: Simulator; owner: Visitor }> {
  const liar = await Simulator.start();
  const owner = new Visitor(liar);
  const key = await owner.keys.create('root');
  const certificate = await issueRootCertificate(key, GUN, NOW);
  const theirs = liar.signersOf('root').map((signer) => signer.key);
  await liar.edit((editor) => editor.replaceKeys('root', [...theirs, certificate], 1));
  const signed = parseEnvelope('root', liar.file('root')).signatures.map(({ keyId }) => keyId);
  expect(signed).not.toContain(certificate.id);
  return { liar, owner };
}

test('a root that lists the owner’s key, and that only others have signed, is not followed by one that the owner signs', async () => {
  const { liar, owner } = await lie();
  const before = liar.file('root');
  await failure(rotateKeys(owner.repository(), SNAPSHOT, [], new Map()), 'root-unconfirmed');
  // Nor on the second visit, for which the first one has cached the root.
  const error = await failure(rotateKeys(owner.repository(), SNAPSHOT, [], new Map()), 'root-unconfirmed');
  expect(error.next).toContain('"trustPinning"');
  expect(liar.file('root')).toEqual(before);
});

test('nor is it if the server has lost everything, and what is kept here is published again', async () => {
  const { liar, owner } = await lie();
  await owner.update();
  await liar.remove();
  const published = () => liar.requests.filter((request) => request.startsWith('publish')).length;
  const before = published();
  const next = liar.owner.make();
  const again = republish(owner.repository(), (editor) => editor.replaceKeys('snapshot', [next]));
  await failure(again, 'root-unconfirmed');
  expect(published()).toBe(before);
});

test('with a pin it is: its owner has confirmed the keys', async () => {
  const { liar, owner } = await lie();
  const ids = canonicalKeyIds(baseSigners(readRoot(payloadOf(liar.file('root'))), 'root'));
  owner.pinning = pinnedTo(GUN, ...ids);
  const { publication } = await rotateKeys(owner.repository(), SNAPSHOT, [], new Map());
  expect(publication.kind).toBe('published');
});
