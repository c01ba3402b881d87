import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { issueRootCertificate, rootCertificateOf } from '../../../src/core/keys/certificate.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import type { Signer } from '../../../src/core/keys/signer.ts';
import type { Gun } from '../../../src/core/names/gun.ts';
import type { KeyId } from '../../../src/core/names/key-id.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import type { KeyVault } from '../../../src/trust/keys/key-vault.ts';
import { failure } from '../../support/failure.ts';
import { fileOf } from '../../support/private-keys.ts';
import { GUN, NOW } from '../../support/simulator.ts';

/** A place of keys, of which a test opens vaults one after the other, as commands do. */
export interface KeyPlace {
  /** A vault on the place; `questions` counts what its person is asked. */
  open(): { readonly vault: KeyVault; readonly questions: () => number };
  /** Puts a new key there, as the place's own tools would. */
  provision(role: string, gun?: Gun): Promise<KeyId>;
}

const MESSAGE = Buffer.from('a payload');
const WAYS = ['create', 'import', 'remove'] as const;

/** What every vault does; `cannot` has a written reason for each operation that this one lacks. */
export function keyVaultSuite(
  name: string,
  make: () => Promise<KeyPlace>,
  cannot: Partial<Record<(typeof WAYS)[number], string>> = {},
): void {
  const able = (way: (typeof WAYS)[number], title: string, body: () => Promise<void>) => {
    if (cannot[way] === undefined) test(title, body);
  };

  describe(name, () => {
    let place: KeyPlace;
    let vault: KeyVault;
    let questions: () => number;

    beforeEach(async () => {
      place = await make();
      ({ vault, questions } = place.open());
    });
    afterEach(() => vault.close());

    const signs = async (signer: Signer | undefined): Promise<boolean> =>
      signer !== undefined && verifySignature(signer.publicKey, await signer.sign(MESSAGE), MESSAGE);

    test('says what it can do, and has a name for errors', () => {
      for (const way of WAYS) expect([way, vault[way] === undefined]).toEqual([way, cannot[way] !== undefined]);
      expect(vault.name).not.toBe('');
    });

    test('lists what is here in the order of the IDs, and asks for nothing', async () => {
      expect(await vault.list()).toEqual([]);
      const made = [
        await place.provision('root'),
        await place.provision('targets', GUN),
        await place.provision('alice'),
      ];
      const listed = await vault.list();
      expect(listed.map(({ id }) => id)).toEqual([...made].sort());
      expect(listed.find(({ id }) => id === made[1])).toMatchObject({ role: 'targets', gun: GUN });
      expect(listed.find(({ id }) => id === made[2])).toMatchObject({ role: 'alice', gun: undefined });
      for (const id of made) expect(await vault.has(id)).toBe(true);
      expect(questions()).toBe(0);
    });

    test('finds nothing that is not here, and asks for nothing', async () => {
      const { id } = generatePrivateKey('ecdsa');
      expect(await vault.find(id, 'targets')).toBeUndefined();
      expect(await vault.has(id)).toBe(false);
      expect(questions()).toBe(0);
    });

    test('finds a key that signs what its public key verifies, always as the same object', async () => {
      const id = await place.provision('alice');
      const signer = await vault.find(id, 'targets');
      expect([signer?.id, signer?.publicKey.id]).toEqual([id, id]);
      expect(await signs(signer)).toBe(true);
      expect((await signer?.sign(MESSAGE))?.keyId).toBe(id);
      expect(await vault.find(id, 'root')).toBe(signer as Signer);
    });

    test('gives signers, and no private bytes with them', async () => {
      const signer = await vault.find(await place.provision('alice'), 'targets');
      expect(Object.keys(signer ?? {}).sort()).toEqual(['id', 'publicKey', 'sign', 'signCertificate', 'type']);
    });

    test('signs the certificate of a root key', async () => {
      const signer = await vault.find(await place.provision('root'), 'root');
      if (signer === undefined) throw new Error('no root key');
      const certificate = await issueRootCertificate(signer, GUN, NOW);
      const { leaf } = rootCertificateOf(certificate) ?? {};
      const { X509Certificate } = await import('node:crypto');
      const native = new X509Certificate(leaf?.der ?? Buffer.of());
      expect(native.verify(native.publicKey)).toBe(true);
      expect(verifySignature(certificate, { ...(await signer.sign(MESSAGE)), keyId: certificate.id }, MESSAGE)).toBe(
        true,
      );
    });

    able('create', 'creates keys that the next vault on the place finds', async () => {
      const root = (await vault.create?.('root')) as Signer;
      const targets = (await vault.create?.('targets', GUN)) as Signer;
      expect([root.type, targets.type]).toEqual(['ecdsa', 'ecdsa']);
      expect(root.id).not.toBe(targets.id);
      expect(await vault.find(root.id, 'root')).toBe(root);
      expect(await signs(targets)).toBe(true);
      vault.close();
      ({ vault, questions } = place.open());
      expect(await vault.list()).toMatchObject(
        [
          { id: root.id, role: 'root', gun: undefined },
          { id: targets.id, role: 'targets', gun: GUN },
        ].sort((one, other) => (one.id < other.id ? -1 : 1)),
      );
      const again = await vault.find(targets.id, 'targets');
      expect(again?.publicKey).toEqual(targets.publicKey);
      expect(await signs(again)).toBe(true);
    });

    able('create', 'creates several keys of one role at the same time', async () => {
      const made = await Promise.all([1, 2, 3].map(() => vault.create?.('alice')));
      expect(new Set(made.map((signer) => signer?.id)).size).toBe(3);
      expect(await vault.list()).toHaveLength(3);
    });

    able('import', 'imports a key once, for one role', async () => {
      const key = generatePrivateKey('ecdsa');
      expect(await vault.import?.(fileOf(key), { name: 'alice' })).toEqual({ id: key.id, isNew: true });
      expect(await vault.import?.(fileOf(key), { name: 'alice' })).toEqual({ id: key.id, isNew: false });
      await failure(async () => vault.import?.(fileOf(key), { name: 'bob' }), 'key-role-conflict');
      expect(await vault.list()).toMatchObject([{ id: key.id, role: 'alice' }]);
      const signer = await vault.find(key.id, 'targets');
      expect(signer?.publicKey).toEqual(key.publicKey);
      expect(await signs(signer)).toBe(true);
    });

    able('import', 'takes no root key that no certificate can hold', async () => {
      const key = generatePrivateKey('ed25519');
      await failure(async () => vault.import?.(fileOf(key), { name: 'root' }), 'key-unsupported');
      expect(await vault.list()).toEqual([]);
    });

    able('remove', 'removes a key for good: its signer signs no more', async () => {
      const [id, other] = [await place.provision('alice'), await place.provision('bob')];
      const signer = await vault.find(id, 'targets');
      expect(await vault.remove?.(id)).toBe(true);
      expect(await vault.remove?.(id)).toBe(false);
      await failure(async () => signer?.sign(MESSAGE), 'key-wiped');
      expect(await vault.find(id, 'targets')).toBeUndefined();
      expect((await vault.list()).map((key) => key.id)).toEqual([other]);
    });

    test('closes: signers that were given away sign no more, and closing again changes nothing', async () => {
      const signer = await vault.find(await place.provision('root'), 'root');
      vault.close();
      vault.close();
      await failure(async () => signer?.sign(MESSAGE), 'key-wiped');
      await failure(async () => signer?.signCertificate(MESSAGE), 'key-wiped');
    });
  });
}
