import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpClient } from '../../../src/remote/http/http.ts';
import { dockerConnections } from '../../../src/remote/tls/docker-connections.ts';
import { readTlsFolder } from '../../../src/remote/tls/tls-folder.ts';
import { isLoopback, loopbackAddress } from '../../../src/remote/transport/loopback.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { makeAuthority } from '../certificates.ts';
import { serve } from '../servers.ts';

const AUTHORITY = makeAuthority('Folder');
const IDENTITY = AUTHORITY.issue(['me']);

function contentOf(name: string): string {
  if (name.endsWith('.crt')) return AUTHORITY.cert;
  if (name.endsWith('.cert')) return IDENTITY.cert;
  return name.endsWith('.key') ? IDENTITY.key : `content of ${name}`;
}

function folderWith(names: readonly string[], below = ''): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, below), { recursive: true });
  for (const name of names) writeFileSync(join(folder, below, name), contentOf(name));
  return folder;
}

describe('readTlsFolder', () => {
  test('takes authorities and pairs, and nothing else', () => {
    const folder = folderWith(['b.crt', 'a.crt', 'client.cert', 'client.key', 'notes.txt', 'ca.pem']);
    expect(readTlsFolder(folder)).toEqual({
      authorities: [Buffer.from(contentOf('a.crt')), Buffer.from(contentOf('b.crt'))],
      identities: [{ certificate: Buffer.from(contentOf('client.cert')), key: Buffer.from(contentOf('client.key')) }],
    });
  });

  test('finds nothing if there is no folder', () => {
    expect(readTlsFolder(join(temporaryFolder(), 'absent', 'deeper'))).toEqual({ authorities: [], identities: [] });
  });

  test.each([
    [
      ['client.cert'],
      'missing key client.key for client certificate client.cert. CA certificates must use the extension .crt',
    ],
    [['client.key', 'ca.crt'], 'missing client certificate client.cert for key client.key'],
  ])('refuses half a pair: %j', async (names, message) => {
    const error = await failure(() => readTlsFolder(folderWith(names)), 'tls-files-invalid');
    expect(error.message).toBe(message);
  });

  test('refuses what cannot be read, and what is too large', async () => {
    const folder = folderWith([]);
    mkdirSync(join(folder, 'ca.crt'));
    await failure(() => readTlsFolder(folder), 'tls-files-invalid');
    const large = folderWith([]);
    writeFileSync(join(large, 'ca.crt'), Buffer.alloc(2_000_000));
    await failure(() => readTlsFolder(large), 'tls-files-invalid');
  });

  const [HEAD = '', ...REST] = AUTHORITY.cert.split('\n');

  test.each([
    ['ca.crt', '', 'there is no certificate in FILE'],
    ['ca.crt', 'words', 'there is no certificate in FILE'],
    ['ca.crt', IDENTITY.key, 'there is no certificate in FILE'],
    ['ca.crt', AUTHORITY.cert.slice(0, 200), 'there is no certificate in FILE'],
    ['ca.crt', [HEAD, ...REST.slice(1)].join('\n'), 'a certificate in FILE cannot be read'],
    ['ca.crt', AUTHORITY.cert + AUTHORITY.cert.slice(0, 200), 'a certificate in FILE cannot be read'],
    ['me.cert', '', 'there is no certificate in FILE'],
    ['me.key', '', 'there is no private key that can be read in FILE'],
    ['me.key', AUTHORITY.key, 'FILE is not the key of the first certificate in '],
  ])('names %s where it holds something else (%#)', async (name, content, message) => {
    const folder = folderWith(['ca.crt', 'me.cert', 'me.key']);
    expect(readTlsFolder(folder).identities).toHaveLength(1);
    writeFileSync(join(folder, name), content);
    const error = await failure(() => readTlsFolder(folder), 'tls-files-invalid');
    expect(error.message).toStartWith(message.replace('FILE', join(folder, name)));
    expect(error.next).toBe(`Fix or remove ${join(folder, name)}`);
  });

  test('takes several certificates in one file', () => {
    const folder = folderWith([]);
    writeFileSync(join(folder, 'ca.crt'), `A comment\r\n${AUTHORITY.cert}${IDENTITY.cert.replaceAll('\n', '\r\n')}`);
    expect(readTlsFolder(folder).authorities).toHaveLength(1);
  });

  test('says so where a file stands in its place, or in that of its folder', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    for (const path of [join(folder, 'file'), join(folder, 'file/registry.example')]) {
      const error = await failure(() => readTlsFolder(path), 'tls-files-invalid');
      expect(error.message).toBe(`a file stands where the folder of certificates ${path} should be`);
    }
    expect(readTlsFolder(join(folder, 'nothing/registry.example'))).toEqual({ authorities: [], identities: [] });
  });
});

describe('loopback', () => {
  test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '::1', '[::1]'])('%s is this machine', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each(['localhost.example', '128.0.0.1', '10.127.0.0.1', '127.0.0.1.example', '[::2]', '', 'notlocalhost'])(
    '%s is not',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );

  test('by look-up is only what resolves to nothing else', async () => {
    expect(await loopbackAddress('localhost')).toBe('localhost');
    expect(await loopbackAddress('127.0.0.1')).toBe('127.0.0.1');
    expect(await loopbackAddress('192.0.2.1')).toBeUndefined();
    expect(await loopbackAddress('[2001:db8::1]')).toBeUndefined();
    expect(await loopbackAddress('no-such-host.invalid')).toBeUndefined();
  });
});

describe('dockerConnections', () => {
  const NOT_LOCAL = new URL('https://192.0.2.1:4443');

  test('takes the certificates of the host and port', async () => {
    const folder = folderWith(['ca.crt', 'me.cert', 'me.key'], '192.0.2.1:4443');
    const connect = dockerConnections({ folders: [folder], registry: '192.0.2.1:5000' });
    expect(await connect(NOT_LOCAL)).toEqual({
      authorities: [Buffer.from(contentOf('ca.crt'))],
      identities: [{ certificate: Buffer.from(contentOf('me.cert')), key: Buffer.from(contentOf('me.key')) }],
      verify: true,
      address: undefined,
      authorityFile: join(folder, '192.0.2.1:4443', 'ca.crt'),
    });
    expect((await connect(new URL('https://192.0.2.1:4444'))).authorities).toEqual([]);
  });

  test('knows the port of https under both names', async () => {
    const folder = folderWith(['ca.crt'], '192.0.2.1:443');
    const connect = dockerConnections({ folders: [folder], registry: '192.0.2.1' });
    expect((await connect(new URL('https://192.0.2.1'))).authorities).toHaveLength(1);
  });

  test("takes the trust server's authorities, not its client certificates, for its token service", async () => {
    const folder = folderWith(['ca.crt', 'me.cert', 'me.key'], '192.0.2.1:4443');
    const connect = dockerConnections({ folders: [folder], registry: '192.0.2.1:5000', server: NOT_LOCAL });
    const { authorities, identities } = await connect(new URL('https://192.0.2.9'));
    expect(authorities).toEqual([Buffer.from(contentOf('ca.crt'))]);
    expect(identities).toEqual([]);
    expect((await connect(NOT_LOCAL)).authorities).toHaveLength(1);
  });

  test('verifies unless both the registry and the server are this machine', async () => {
    const verifies = async (registry: string, server: string) =>
      (await dockerConnections({ folders: [], registry })(new URL(server))).verify;
    expect(await verifies('localhost:5000', 'https://localhost:4443')).toBe(false);
    expect(await verifies('127.0.0.1:5000', 'https://[::1]:4443')).toBe(false);
    expect(await verifies('[::1]', 'https://127.0.0.1')).toBe(false);
    expect(await verifies('192.0.2.1:5000', 'https://localhost:4443')).toBe(true);
    expect(await verifies('localhost:5000', 'https://192.0.2.1:4443')).toBe(true);
    expect(await verifies('docker.io', 'https://192.0.2.1')).toBe(true);
    expect(await verifies('no-such-host.invalid', 'https://no-such-host.invalid')).toBe(true);
  });

  test('lets a server on this machine be reached whatever its certificate', async () => {
    const server = serve(() => new Response('hello'), makeAuthority('unknown').issue(['elsewhere.example']));
    const registry = `localhost:${server.port}`;
    const http = new HttpClient({ userAgent: 'test', connectionFor: dockerConnections({ folders: [], registry }) });
    expect((await http.send({ method: 'GET', url: new URL(server.origin), limit: 100 })).body.toString()).toBe('hello');
  });
});
