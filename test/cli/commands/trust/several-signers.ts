import type { Signer } from '../../../../src/core/keys/signer.ts';
import { parseDigest } from '../../../../src/core/names/digest.ts';
import { RELEASES } from '../../../../src/core/names/role.ts';
import { addSigner, signImages } from '../../../../src/trust/changes/sign.ts';
import type { Publication } from '../../../../src/trust/publish/publication.ts';
import { digestOfTarget } from '../../../support/simulator.ts';
import { empty, type FakeSession, visitorOf } from '../../fake-session.ts';

/** A person at a machine of their own, and the key with which they sign. */
export interface SignerSession {
  readonly session: FakeSession;
  readonly key: Signer;
}

/** A repository in which two of three signers must agree on what is released. */
export interface SeveralSigners {
  /** Whoever founded it: has the root key and the repository's key. */
  readonly admin: FakeSession;
  readonly alice: SignerSession;
  readonly bob: SignerSession;
  readonly carol: SignerSession;
}

export async function severalSigners(threshold = 2): Promise<SeveralSigners> {
  const admin = await empty();
  const signer = async (name: string): Promise<SignerSession> => {
    const session = visitorOf(admin);
    return { session, key: await session.keys.create(name) };
  };
  const people = { alice: await signer('alice'), bob: await signer('bob'), carol: await signer('carol') };
  await (await admin.repository()).publish((editor) => {
    for (const [name, { key }] of Object.entries(people)) addSigner(editor, name, [key.publicKey]);
    editor.setDelegationThreshold(RELEASES, threshold);
  });
  return { admin, ...people };
}

/** Signs a tag whose digest is 32 times `byte`. */
export async function signTag({ session }: SignerSession, tag: string, byte: number): Promise<Publication> {
  return signImages(await session.repository(), [{ tag, digest: parseDigest(digestOfTarget(byte)), size: 528 }]);
}

/** The tags that are released, none where nothing ever was. */
export async function releasedTags({ simulator }: FakeSession): Promise<readonly string[]> {
  return [...((await simulator.trusted()).set.targets.get(RELEASES)?.payload.targets.keys() ?? [])];
}
