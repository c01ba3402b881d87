import { describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_CERTIFICATE } from '../../../../../src/cli/commands/trust/key/certificate.ts';
import { ROLE } from '../../../../../src/cli/commands/trust/role.ts';
import { rootCertificateOf } from '../../../../../src/core/keys/certificate.ts';
import { canonicalKeyId } from '../../../../../src/core/keys/public-key.ts';
import { parsePublicKeyFile } from '../../../../../src/core/keys/public-key-file.ts';
import { readRoot } from '../../../../../src/core/metadata/root.ts';
import { baseSigners, canonicalKeyIds } from '../../../../../src/core/verify/signers.ts';
import { failure } from '../../../../support/failure.ts';
import { payloadOf } from '../../../../support/forgery.ts';
import { temporaryFolder } from '../../../../support/temp.ts';
import { calling } from '../../../calling.ts';
import { empty, NAME } from '../../../fake-session.ts';
import { keeper, seen, stored } from './keeper.ts';

const certificate = calling(KEY_CERTIFICATE);
const setRole = calling(ROLE);

describe('a certificate', () => {
  test('is made with the root key that is here, and printed alone', async () => {
    const person = await keeper();
    const root = await stored(person, 'root', { passphrase: 'x' });
    await stored(person, 'alice');
    person.session.answers.push('x');
    expect(await certificate(person.session, [NAME])).toBe(0);
    const { printed, errors, asked } = seen(person.session);
    expect([errors, asked]).toEqual(['', [`Enter passphrase for root key with ID ${root.id.slice(0, 7)}: `]]);
    const key = parsePublicKeyFile(Buffer.from(printed), person.session.now());
    expect(printed).toBe(key.bytes.toString());
    expect([key.type, canonicalKeyId(key)]).toEqual(['ecdsa-x509', root.id]);
    expect(rootCertificateOf(key)?.commonName).toBe(NAME);
    const { subject, issuer, validFromDate, validToDate } = new X509Certificate(printed);
    expect([subject, issuer]).toEqual([`CN=${NAME}`, `CN=${NAME}`]);
    expect([validFromDate.getTime(), validToDate.getTime()]).toEqual([
      person.session.now(),
      person.session.now() + 3650 * 24 * 3_600_000,
    ]);
  });

  test('goes into a file that is new, and into the root of a repository from there', async () => {
    const person = await keeper();
    const root = await stored(person, 'root');
    const path = join(temporaryFolder(), 'bob.crt');
    expect(await certificate(person.session, ['-o', path, NAME])).toBe(0);
    expect(person.session.printed).toBe(
      `Certificate of the root key ${root.id} for ${NAME}: ${path}\nWhoever has its root key adds it by: signet trust role --add-key FILE ${NAME} root\n`,
    );
    const before = readFileSync(path);
    await failure(certificate(person.session, ['-o', path, NAME]), 'file-exists');
    expect(readFileSync(path).equals(before)).toBe(true);

    const owner = await empty();
    expect(await setRole(owner, ['--add-key', path, NAME, 'root'])).toBe(0);
    const published = readRoot(payloadOf(owner.simulator.file('root')));
    const ids = canonicalKeyIds(baseSigners(published, 'root'));
    expect(ids).toHaveLength(2);
    expect(ids).toContain(root.id);
  });

  test('of the root key that is named, where there are several', async () => {
    const person = await keeper();
    const [one, two] = [await stored(person, 'root'), await stored(person, 'root')];
    const error = await failure(certificate(person.session, [NAME]), 'key-ambiguous');
    expect(error.message).toStartWith('the role root fits 2 keys: ');
    for (const { id } of [one, two]) {
      person.session.printed = '';
      expect(await certificate(person.session, ['--key', id.slice(0, 10), NAME])).toBe(0);
      expect(canonicalKeyId(parsePublicKeyFile(Buffer.from(person.session.printed), person.session.now()))).toBe(id);
    }
  });

  test('of a new root key, if that is wanted', async () => {
    const person = await keeper();
    person.session.answers.push('long enough', 'long enough');
    const path = join(temporaryFolder(), 'new.crt');
    expect(await certificate(person.session, ['--new', '--output', path, NAME])).toBe(0);
    const [root, ...others] = await person.folder.list();
    expect([root?.role, root?.gun, others.length]).toEqual(['root', undefined, 0]);
    const key = parsePublicKeyFile(readFileSync(path), person.session.now());
    expect(canonicalKeyId(key)).toBe(root?.id as never);
  });
});

describe('there is none', () => {
  test('without a root key', async () => {
    const person = await keeper();
    await stored(person, 'alice');
    const error = await failure(certificate(person.session, ['acme/app']), 'signing-key-missing');
    expect([error.message, error.next]).toEqual([
      'there is no root key here',
      'Make one: signet trust key certificate --new docker.io/acme/app',
    ]);
    expect(await person.folder.list()).toHaveLength(1);
  });

  test('of a key that is none', async () => {
    const person = await keeper();
    await stored(person, 'root');
    const { id } = await stored(person, 'alice');
    const error = await failure(certificate(person.session, ['--key', 'alice', NAME]), 'key-role-conflict');
    expect(error.message).toBe(`${id} is the alice key, and cannot be a root key`);
    await failure(certificate(person.session, ['--key', 'bob', NAME]), 'signing-key-missing');
    await failure(certificate(person.session, ['--key', 'root', '--new', NAME]), 'usage');
  });

  test('of an Ed25519 key', async () => {
    const person = await keeper();
    await stored(person, 'root', { type: 'ed25519' });
    const path = join(temporaryFolder(), 'no.crt');
    await failure(certificate(person.session, ['-o', path, NAME]), 'key-unsupported');
    expect(existsSync(path)).toBe(false);
  });

  test('for an image, or for no repository', async () => {
    const person = await keeper();
    await stored(person, 'root');
    await failure(certificate(person.session, [`${NAME}:1.0`]), 'image-reference-unsupported');
    await failure(certificate(person.session, ['no repository']), 'reference-invalid');
    await failure(certificate(person.session, ['--trust-dir', '/x', 'a/../b']), 'name-invalid');
  });
});
