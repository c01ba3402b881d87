import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { Person, succeeds, type TrustService } from '../support/notary-client.ts';
import { type Published, published } from '../support/published.ts';

export const ALICE = { name: 'alice', password: 'what alice has chosen' };

/** A repository whose snapshots the server signs, and in its owner's home the keys of bob, carol and dave. */
export interface Delegated {
  readonly alice: Person;
  readonly gun: string;
  /** Somebody who has seen nothing yet. */
  readonly reader: Person;
  onServer(): Promise<Published>;
  /** Stages a delegation, or publishes it where `-p` is among the words. */
  delegate(role: string, ...words: readonly string[]): Promise<string>;
  /** Bob, carol or dave, on a machine of their own with their key. */
  signer(name: string): Promise<Person>;
}

/** Publishes a repository of alice, a user of `service`. */
export async function delegated(service: TrustService, name: string): Promise<Delegated> {
  const [alice, reader] = [new Person(service, { login: ALICE }), new Person(service, { login: ALICE })];
  const gun = `${service.host}/alice/${name}`;
  await succeeds(alice.notary('init', gun, '-p'));
  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '-r'));
  for (const signer of ['bob', 'carol']) {
    const certificate = ['-days', '400', '-subj', `/CN=${signer}`, '-keyout', `${signer}.pem`, '-out', `${signer}.crt`];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    await succeeds(alice.run(['openssl', 'req', '-x509', '-nodes', '-batch', ...curve, ...certificate]));
  }
  await succeeds(alice.run(['openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'dave.pem']));
  await succeeds(alice.run(['openssl', 'ec', '-in', 'dave.pem', '-pubout', '-out', 'dave.crt']));
  return {
    alice,
    gun,
    reader,
    onServer: async () => {
      const found = await published(service, gun, ALICE);
      if (found === undefined) throw new Error(`${gun} is not published`);
      return found;
    },
    delegate: (role, ...words) => succeeds(alice.notary('delegation', 'add', gun, role, ...words)),
    signer: async (signer) => {
      const person = new Person(service, { login: ALICE });
      for (const file of [`${signer}.pem`, 'dave.crt']) copyFileSync(join(alice.home, file), join(person.home, file));
      await succeeds(person.notary('key', 'import', `${signer}.pem`, '-r', signer));
      return person;
    },
  };
}

/** The rows of `notary list`: name and role. */
export async function targetsOf(person: Person, gun: string, ...words: readonly string[]): Promise<readonly string[]> {
  const [, , ...rows] = (await succeeds(person.notary('list', gun, ...words))).trimEnd().split('\n');
  return rows.map((row) => `${row.split(/ +/)[0]} ${row.split(/ +/)[3]}`);
}
