import { beforeEach, describe, expect, test } from 'bun:test';
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DAY, HOUR, YEAR } from '../../src/core/time.ts';
import { type DataFolder, openDataFolder } from '../../src/serve/data/data-folder.ts';
import { Authority, RENEWAL } from '../../src/serve/tls/authority.ts';
import { OwnNames } from '../../src/serve/tls/own-names.ts';
import { loadServerCertificate, notAfter, notBefore } from '../../src/serve/tls/server-certificate.ts';
import { issueCertificate } from '../../src/serve/tls/x509.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';

const NOW = Date.UTC(2026, 10, 23, 17, 0, 0);
const LISTEN = { host: '127.0.0.1', port: 5000 };
const NAMES = new OwnNames([], LISTEN, 'box');

let folder: DataFolder;
beforeEach(() => {
  folder = openDataFolder(temporaryFolder());
});

function tlsFiles(): Map<string, string> {
  return new Map(readdirSync(folder.tls).map((name) => [name, readFileSync(join(folder.tls, name), 'latin1')]));
}

describe('the local authority', () => {
  test('is made with its key, both private, and lives ten years', () => {
    const { certificate } = Authority.open(folder, 'box', NOW);
    expect(readdirSync(folder.tls).sort()).toEqual(['ca.crt', 'ca.key']);
    expect(statSync(folder.tls).mode & 0o777).toBe(0o700);
    for (const name of ['ca.crt', 'ca.key']) expect(statSync(join(folder.tls, name)).mode & 0o777).toBe(0o600);
    expect(certificate.ca).toBe(true);
    expect(certificate.subject).toBe('CN=Signet authority of box');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(notAfter(certificate) - NOW).toBe(3652 * DAY);
    expect(notBefore(certificate)).toBe(NOW - HOUR);
  });

  test('stays the same', () => {
    const first = Authority.open(folder, 'box', NOW);
    const files = tlsFiles();
    expect(Authority.open(folder, 'renamed', NOW + YEAR).certificate.fingerprint256).toBe(
      first.certificate.fingerprint256,
    );
    expect(tlsFiles()).toEqual(files);
  });

  test('begun by a start that was cut off is made again', () => {
    Authority.open(folder, 'box', NOW);
    rmSync(folder.authorityCertificate);
    expect(Authority.open(folder, 'box', NOW).certificate.ca).toBe(true);
  });

  test('that cannot be used stops the start and is not replaced', async () => {
    Authority.open(folder, 'box', NOW);
    const other = openDataFolder(temporaryFolder());
    Authority.open(other, 'box', NOW);
    const key = readFileSync(folder.authorityKey);
    for (const content of [readFileSync(other.authorityKey), Buffer.from(''), Buffer.from('no key')]) {
      writeFileSync(folder.authorityKey, content);
      await failure(() => Authority.open(folder, 'box', NOW), 'certificate-unusable');
    }
    writeFileSync(folder.authorityKey, key);
    const certificate = readFileSync(folder.authorityCertificate);
    for (const content of [Buffer.from(''), certificate.subarray(0, 100), Buffer.from('no certificate')]) {
      writeFileSync(folder.authorityCertificate, content);
      await failure(() => Authority.open(folder, 'box', NOW), 'certificate-unusable');
      expect(readFileSync(folder.authorityCertificate)).toEqual(content);
    }
  });

  test('that has expired stops the start', async () => {
    Authority.open(folder, 'box', NOW);
    const files = tlsFiles();
    Authority.open(folder, 'box', NOW + 3652 * DAY - 1000);
    await failure(() => Authority.open(folder, 'box', NOW + 3652 * DAY), 'authority-expired');
    expect(tlsFiles()).toEqual(files);
  });
});

describe('the certificate of the server', () => {
  test('is issued by the authority for every name of the server, for servers only, for at most 825 days', () => {
    const configured = [
      { host: 'registry.example.com', port: undefined },
      { host: '192.0.2.7', port: 8443 },
      { host: '2001:db8::7', port: undefined },
      { host: '::ffff:192.0.2.8', port: undefined },
    ];
    const authority = Authority.open(folder, 'box', NOW);
    const { leaf, chain } = authority.serverCertificate(new OwnNames(configured, LISTEN, 'box'), NOW);
    expect(leaf.verify(authority.certificate.publicKey)).toBe(true);
    expect(leaf.checkIssued(authority.certificate)).toBe(true);
    expect(leaf.ca).toBe(false);
    for (const name of ['localhost', 'box', 'registry.example.com'])
      expect([name, leaf.checkHost(name)]).toEqual([name, name]);
    const addresses = ['127.0.0.1', '::1', '192.0.2.7', '2001:db8::7', '::ffff:192.0.2.8'];
    for (const address of addresses) expect([address, leaf.checkIP(address)]).toEqual([address, address]);
    expect(leaf.checkHost('other.example.com')).toBeUndefined();
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(notAfter(leaf) - NOW).toBeLessThanOrEqual(825 * DAY);
    expect(notBefore(leaf)).toBe(NOW - HOUR);
    expect(new X509Certificate(chain).fingerprint256).toBe(leaf.fingerprint256);
    expect(statSync(folder.serverKey).mode & 0o777).toBe(0o600);
    expect(statSync(folder.serverCertificate).mode & 0o777).toBe(0o600);
  });

  test('is kept until thirty days before its end, and replaced from then on', () => {
    const authority = Authority.open(folder, 'box', NOW);
    const first = authority.serverCertificate(NAMES, NOW);
    const end = notAfter(first.leaf);
    expect(authority.serverCertificate(NAMES, end - RENEWAL).leaf.fingerprint256).toBe(first.leaf.fingerprint256);
    const second = authority.serverCertificate(NAMES, end - RENEWAL + 1000);
    expect(second.leaf.fingerprint256).not.toBe(first.leaf.fingerprint256);
    expect(second.key).not.toBe(first.key);
    expect(notAfter(second.leaf)).toBeGreaterThan(end + 300 * DAY);
    expect(readFileSync(folder.serverCertificate, 'utf8')).toBe(second.chain);
  });

  test('is replaced when the server gets a name that it lacks', () => {
    const authority = Authority.open(folder, 'box', NOW);
    const first = authority.serverCertificate(NAMES, NOW).leaf.fingerprint256;
    const more = new OwnNames([{ host: 'registry.example.com', port: undefined }], LISTEN, 'box');
    const second = authority.serverCertificate(more, NOW).leaf.fingerprint256;
    expect(second).not.toBe(first);
    expect(authority.serverCertificate(NAMES, NOW).leaf.fingerprint256).toBe(second);
  });

  test('is replaced where a crash, or another authority, left one that cannot be used', () => {
    const authority = Authority.open(folder, 'box', NOW);
    const good = authority.serverCertificate(NAMES, NOW);
    const spoilers: (() => void)[] = [
      () => rmSync(folder.serverKey),
      () => writeFileSync(folder.serverCertificate, ''),
      () => writeFileSync(folder.serverKey, readFileSync(folder.authorityKey)),
      () => {
        const other = openDataFolder(temporaryFolder());
        Authority.open(other, 'box', NOW).serverCertificate(NAMES, NOW);
        writeFileSync(folder.serverCertificate, readFileSync(other.serverCertificate));
        writeFileSync(folder.serverKey, readFileSync(other.serverKey));
      },
    ];
    for (const spoil of spoilers) {
      spoil();
      const next = authority.serverCertificate(NAMES, NOW);
      expect(next.leaf.fingerprint256).not.toBe(good.leaf.fingerprint256);
      expect(next.leaf.verify(authority.certificate.publicKey)).toBe(true);
      loadServerCertificate(folder.serverCertificate, folder.serverKey, NOW);
    }
  });

  test('does not outlive the authority, and is not replaced for nothing near its end', () => {
    const authority = Authority.open(folder, 'box', NOW);
    const late = NOW + 3640 * DAY;
    const { leaf } = authority.serverCertificate(NAMES, late);
    expect(notAfter(leaf)).toBe(notAfter(authority.certificate));
    expect(authority.serverCertificate(NAMES, late + DAY).leaf.fingerprint256).toBe(leaf.fingerprint256);
  });
});

describe("a user's certificate", () => {
  const issuer = newKey();
  const key = newKey();
  let certificateFile: string;
  let keyFile: string;

  beforeEach(() => {
    certificateFile = join(folder.path, 'own.crt');
    keyFile = join(folder.path, 'own.key');
    writeFileSync(certificateFile, issue(key.publicKey) + issue(issuer.publicKey, 'Some authority'));
    writeFileSync(keyFile, key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  });

  function issue(publicKey: KeyObject, commonName = 'registry.example.com', from = NOW - DAY, to = NOW + DAY): string {
    const purpose = { dnsNames: [commonName], addresses: [] };
    const request = { commonName, publicKey, notBefore: from, notAfter: to, purpose };
    return issueCertificate(request, { commonName: 'Some authority', privateKey: issuer.privateKey });
  }

  test('is loaded with its chain, whatever form its key has', () => {
    const { leaf, chain } = loadServerCertificate(certificateFile, keyFile, NOW);
    expect(leaf.subject).toBe('CN=registry.example.com');
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    writeFileSync(keyFile, key.privateKey.export({ type: 'sec1', format: 'pem' }));
    loadServerCertificate(certificateFile, keyFile, NOW);
  });

  test('is refused where a file is missing, is none, or does not belong to the other', async () => {
    const refused = () => failure(() => loadServerCertificate(certificateFile, keyFile, NOW), 'certificate-unusable');
    const good = readFileSync(certificateFile, 'latin1');
    for (const content of ['', 'no PEM', good.slice(0, 200), good.replace('MII', 'MIJ'), issue(issuer.publicKey)]) {
      writeFileSync(certificateFile, content);
      await refused();
    }
    rmSync(certificateFile);
    expect((await refused()).message).toContain(certificateFile);
    writeFileSync(certificateFile, good);
    const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
    for (const content of [
      '',
      'no PEM',
      newKey().privateKey.export({ type: 'pkcs8', format: 'pem' }),
      key.privateKey.export(encrypted),
    ]) {
      writeFileSync(keyFile, content);
      await refused();
    }
    rmSync(keyFile);
    expect((await refused()).message).toContain(keyFile);
  });

  test('is refused before and after its time', async () => {
    const load = (now: number) => loadServerCertificate(certificateFile, keyFile, now);
    load(NOW - DAY);
    load(NOW + DAY - 1000);
    await failure(() => load(NOW - DAY - 1000), 'certificate-unusable');
    await failure(() => load(NOW + DAY), 'certificate-unusable');
  });
});

function newKey(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}
