import { beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePublicKey } from '../../src/core/keys/public-key.ts';
import { parseReference } from '../../src/core/names/reference.ts';
import type { PassphraseRequest } from '../../src/trust/keys/passphrases.ts';
import { openTrust } from '../../src/trust/open.ts';
import { findProgram, trustingClis } from '../support/clis.ts';
import { Person, succeeds } from '../support/notary-client.ts';
import { run } from '../support/run.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

// Root certificates that are not Signet's own: of docker, of notary, and of authorities by openssl.

const PASSPHRASES = { root: 'the root of what is pinned here', other: 'and what is signed with' };
const LOGIN = { name: 'alice', password: 'what alice has chosen' };

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(LOGIN.name, LOGIN.password);
}, 60_000);

/** Somebody who has never been here, with these pins. */
async function pinnedTo(trustPinning: unknown, files: Readonly<Record<string, string>> = {}): Promise<Person> {
  const person = await new Person(server, { login: LOGIN }).loggedIn();
  const folder = join(person.home, '.docker');
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  writeFileSync(
    join(folder, 'signet.json'),
    JSON.stringify({ trustPinning: { tofu: 'off', ...(trustPinning as object) } }),
  );
  return person;
}

async function isLetIn(person: Person, gun: string): Promise<boolean> {
  const { exitCode, stderr } = await person.signet('trust', 'inspect', gun);
  if (exitCode === 1) expect(stderr).toContain('unable to match any certificates to trust_pinning config');
  return exitCode === 0;
}

/** The certificate of the repository's root key, as its owner has it cached. */
function certificateOf(owner: Person, gun: string): string {
  const root = JSON.parse(readFileSync(join(owner.trust, 'tuf', gun, 'metadata/root.json'), 'utf8'));
  const key = root.signed.keys[root.signed.roles.root.keyids[0]];
  return Buffer.from(key.keyval.public, 'base64').toString();
}

function rootKeyOf(owner: Person): string {
  const folder = join(owner.trust, 'private');
  const file = readdirSync(folder).find((name) => readFileSync(join(folder, name), 'utf8').includes('role: root'));
  return file?.replace('.key', '') ?? '';
}

/** Runs openssl, quietly. */
async function openssl(folder: string, ...words: readonly string[]): Promise<void> {
  const outcome = await run([findProgram('openssl'), ...words], { cwd: folder });
  expect(outcome).toMatchObject({ exitCode: 0 });
}

interface Issued {
  /** The private key's file. */
  readonly key: string;
  /** The certificates: of the root key, of the authority that issued it, of the one above, which vouches for itself. */
  readonly leaf: string;
  readonly team: string;
  readonly authority: string;
}

/** An authority, an intermediate one, and by that a root certificate for the GUN with these purposes: all by openssl. */
async function issue(gun: string, purposes: string | undefined): Promise<Issued> {
  const folder = temporaryFolder();
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const extensions = [
    '[authority]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign',
    '[team]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign',
    `[leaf]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n${purposes === undefined ? '' : `extendedKeyUsage=${purposes}`}`,
  ];
  writeFileSync(join(folder, 'x.cnf'), `[req]\ndistinguished_name=dn\n[dn]\n${extensions.join('\n')}\n`);
  const request = (name: string, subject: string) =>
    openssl(
      folder,
      'req',
      ...ec,
      '-config',
      'x.cnf',
      '-subj',
      `/CN=${subject.replaceAll('/', '\\/')}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
  const certify = (name: string, by: readonly string[]) =>
    openssl(
      folder,
      'x509',
      '-req',
      '-sha256',
      '-days',
      '30',
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.crt`,
      '-extfile',
      'x.cnf',
      '-extensions',
      name,
      ...by,
    );
  await request('authority', 'Acme Root Authority');
  await certify('authority', ['-signkey', 'authority.key']);
  await request('team', 'Acme Team Authority');
  await certify('team', ['-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial']);
  await request('leaf', gun);
  await certify('leaf', ['-CA', 'team.crt', '-CAkey', 'team.key', '-CAcreateserial']);
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');
  return {
    key: join(folder, 'leaf.key'),
    leaf: text('leaf.crt'),
    team: text('team.crt'),
    authority: text('authority.crt'),
  };
}

describe('a repository that docker has founded', () => {
  test('is let in by each kind of pin of its root key, and by no other', async () => {
    const owner = await new Person(server, { login: LOGIN }).loggedIn();
    const [docker] = await trustingClis();
    const gun = `${server.host}/alice/by-docker`;
    const trust = (...words: string[]) => succeeds(owner.run([`${docker?.path}`, 'trust', ...words]));
    await trust('key', 'generate', 'alice');
    await trust('signer', 'add', '--key', 'alice.pub', 'alice', gun);
    const [{ AdministrativeKeys }] = JSON.parse(await trust('inspect', gun));
    const listed = AdministrativeKeys.find(({ Name }: { Name: string }) => Name === 'Root').Keys[0].ID;
    const files = { 'root.crt': certificateOf(owner, gun) };
    for (const pin of [listed, rootKeyOf(owner), 'root.crt']) {
      expect([pin, await isLetIn(await pinnedTo({ certs: { [gun]: [pin] } }, files), gun)]).toEqual([pin, true]);
    }
    const stranger = '0'.repeat(64);
    expect(await isLetIn(await pinnedTo({ certs: { [gun]: [stranger] } }), gun)).toBe(false);
    const { authority } = await issue(gun, undefined);
    expect(await isLetIn(await pinnedTo({ ca: { [gun]: 'ca.pem' } }, { 'ca.pem': authority }), gun)).toBe(false);
  }, 120_000);
});

/** Gives the repository a new root certificate, as its owner, who has its key in the trust folder. */
async function changeRoot(owner: Person, gun: string, chain: string): Promise<void> {
  const passphrase = async ({ alias }: PassphraseRequest) =>
    Buffer.from(alias === 'root' ? PASSPHRASES.root : PASSPHRASES.other);
  const { client, keys } = await openTrust({
    folder: join(owner.home, '.docker'),
    env: {},
    passphrases: { existing: passphrase, fresh: passphrase },
    now: Date.now,
    warn: () => undefined,
  });
  try {
    const root = makePublicKey('ecdsa-x509', Buffer.from(chain));
    const repository = client.repository(parseReference(gun), ['pull', 'push']);
    await repository.publish((editor) => editor.replaceKeys('root', [root]));
  } finally {
    keys.close();
  }
}

/** Whether notary lets in what this authority has certified (protocol C.7). */
async function isLetInByNotary(gun: string, authority: string): Promise<boolean> {
  const visitor = new Person(server, { login: LOGIN });
  const [config, ca] = ['config.json', 'ca.pem'].map((name) => join(visitor.home, name));
  writeFileSync(`${ca}`, authority);
  writeFileSync(`${config}`, JSON.stringify({ trust_pinning: { disable_tofu: true, ca: { [gun]: ca } } }));
  return (await visitor.notary('-c', `${config}`, 'list', gun)).exitCode === 0;
}

describe('a repository with a root certificate by an authority, loaded into notary', () => {
  // Notary itself does not take its own kind of certificate from an authority (protocol G-60).
  const purposes: [purpose: string | undefined, notaryTakesIt: boolean][] = [
    [undefined, true],
    ['serverAuth', true],
    ['codeSigning', false],
  ];
  for (const [purpose, notaryTakesIt] of purposes) {
    test(`for ${purpose ?? 'any purpose'} is let in by a pin of the authority`, async () => {
      const owner = await new Person(server, { login: LOGIN, passphrases: PASSPHRASES }).loggedIn();
      const gun = `${server.host}/alice/by-authority-${purpose?.toLowerCase() ?? 'any'}`;
      const { key, leaf, team, authority } = await issue(gun, purpose);
      const certificate = join(owner.home, 'leaf.crt');
      writeFileSync(certificate, leaf);
      await succeeds(owner.notary('key', 'import', key, '--role', 'root'));
      await succeeds(owner.notary('init', gun, '--rootcert', certificate, '-p'));
      const byAuthority = async (bundle: string) =>
        isLetIn(await pinnedTo({ ca: { [`${server.host}/alice/`]: 'ca.pem' } }, { 'ca.pem': bundle }), gun);
      const byCertificate = await pinnedTo({ certs: { [gun]: ['root.crt'] } }, { 'root.crt': leaf });
      expect(await isLetIn(byCertificate, gun)).toBe(true);
      expect([await byAuthority(team), await isLetInByNotary(gun, team)]).toEqual([true, notaryTakesIt]);
      expect(await byAuthority((await issue(gun, purpose)).team)).toBe(false);
      // Notary has dropped what followed the first certificate; with it, the authority above is enough.
      expect([await byAuthority(authority), await isLetInByNotary(gun, authority)]).toEqual([false, false]);
      await changeRoot(owner, gun, leaf + team);
      expect([await byAuthority(authority), await isLetInByNotary(gun, authority)]).toEqual([true, notaryTakesIt]);
      expect(await isLetIn(byCertificate, gun)).toBe(true);
    }, 120_000);
  }
});
