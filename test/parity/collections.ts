import type { Editor } from '../../src/core/edit/editor.ts';
import { generatePrivateKey } from '../../src/core/keys/private-key.ts';
import type { PublicKey } from '../../src/core/keys/public-key.ts';
import { digestOf } from '../../src/core/names/digest.ts';
import { parseReference } from '../../src/core/names/reference.ts';
import { parseTargetsRole } from '../../src/core/names/role.ts';
import { addSigner } from '../../src/trust/changes/sign.ts';
import type { KeyRing } from '../../src/trust/keys/key-ring.ts';
import { openTrust } from '../../src/trust/open.ts';
import type { Repository } from '../../src/trust/publish/repository.ts';
import { PASSPHRASE, type Person } from './person.ts';
import type { PushedImage } from './place.ts';

/** What a state puts into a collection. */
export interface Draft {
  readonly editor: Editor;
  /** Signs `tag` into a role of the tree: `targets`, `targets/releases`, … */
  sign(role: string, tag: string, image: PushedImage): void;
  /** Adds a signer with so many new keys, whose private keys the founder has. */
  signer(name: string, keys?: number): Promise<void>;
  /** Adds a signer whose private key nobody has. */
  foreignSigner(name: string): void;
}

/** An image that no registry has. */
export function dummy(text: string): PushedImage {
  return { digest: digestOf(Buffer.from(text)), size: text.length };
}

/**
 * Makes the collection of `repository` on the server, in one publish, with the founder's keys. What `edit` signs, the
 * founder signs: his own home gets all private keys.
 */
export async function createRepository(
  founder: Person,
  repository: string,
  edit: (draft: Draft) => Promise<void> | void = () => undefined,
): Promise<void> {
  await withRepository(founder, repository, (open, keys) => open.initialize((editor) => edit(draftOf(editor, keys))));
}

/** Changes a collection that was founded. */
export async function change(
  founder: Person,
  repository: string,
  edit: (draft: Draft) => Promise<void> | void,
): Promise<void> {
  await withRepository(founder, repository, (open, keys) => open.publish((editor) => edit(draftOf(editor, keys))));
}

/** Fills a person's cache with the collection as it is now. */
export async function remember(person: Person, repository: string): Promise<void> {
  await withRepository(person, repository, (open) => open.read());
}

/** A new public key whose private half is thrown away. */
export function foreignKey(): PublicKey {
  return generatePrivateKey('ecdsa').publicKey;
}

/** Signs a tag as docker does, with SHA-256 alone. */
export function signIn(editor: Editor, role: string, tag: string, { digest, size }: PushedImage): void {
  const hashes = new Map([['sha256' as const, Buffer.from(digest.slice('sha256:'.length), 'hex')]]);
  editor.addTarget(parseTargetsRole(role), tag, { length: size, hashes });
}

function draftOf(editor: Editor, keys: KeyRing): Draft {
  return {
    editor,
    sign: (role, tag, image) => signIn(editor, role, tag, image),
    signer: async (name, count = 1) => {
      const made = [];
      for (let number = 0; number < count; number++) made.push((await keys.create(name)).publicKey);
      addSigner(editor, name, made);
    },
    foreignSigner: (name) => addSigner(editor, name, [foreignKey()]),
  };
}

async function withRepository(
  person: Person,
  repository: string,
  work: (repository: Repository, keys: KeyRing) => Promise<unknown>,
): Promise<void> {
  const passphrase = async () => Buffer.from(PASSPHRASE);
  const { client, keys } = await openTrust({
    folder: person.docker,
    env: {},
    passphrases: { existing: passphrase, fresh: passphrase },
    now: Date.now,
    warn: () => undefined,
  });
  try {
    await work(client.repository(parseReference(repository), ['pull', 'push']), keys);
  } finally {
    keys.close();
  }
}
