import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { readNotaryConfiguration } from '../../../src/trust/settings/notary-configuration.ts';
import { NO_PINS } from '../../../src/trust/settings/pinning-settings.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/temp.ts';

const ID = 'a'.repeat(64);
const folder = temporaryFolder();
const path = join(folder, 'config.json');
const NO_TLS = { ca: undefined, cert: undefined, key: undefined };

function read(value: unknown) {
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return readNotaryConfiguration(path);
}

describe("notary's config.json (protocol E.1.1)", () => {
  test('may be missing, and may say nothing', async () => {
    expect(await readNotaryConfiguration(join(folder, 'none.json'))).toBeUndefined();
    const nothing = { trustDir: join(homedir(), '.notary'), server: undefined, tls: NO_TLS, pinning: NO_PINS };
    expect(await read({})).toEqual(nothing);
    expect(await read({ trust_dir: '', remote_server: {}, trust_pinning: {}, logging: { level: 'debug' } })).toEqual(
      nothing,
    );
  });

  test('names folder, server, certificates and pins, each relative to what Notary takes it for', async () => {
    const configuration = await read({
      trust_dir: '~/.docker/trust',
      remote_server: {
        url: 'https://notary.example:4443/',
        root_ca: 'root-ca.crt',
        tls_client_cert: 'tls/client.crt',
        tls_client_key: '/etc/client.key',
        skipTLSVerify: false,
      },
      trust_pinning: {
        certs: { 'docker.io/library/*': [ID], MyCollection: [ID] },
        ca: { 'docker.io/acme': 'acme.pem' },
        disable_tofu: true,
      },
    });
    expect(configuration).toEqual({
      trustDir: join(homedir(), '.docker/trust'),
      server: new URL('https://notary.example:4443/'),
      tls: { ca: join(folder, 'root-ca.crt'), cert: join(folder, 'tls/client.crt'), key: '/etc/client.key' },
      pinning: {
        certs: new Map([
          ['docker.io/library/*', [ID]],
          ['MyCollection', [ID]],
        ]),
        ca: new Map([['docker.io/acme', resolve('acme.pem')]]),
        tofu: 'off',
      },
    });
  });

  test('has a folder relative to the working folder, or the home', async () => {
    for (const [text, trustDir] of [
      ['trust', resolve('trust')],
      ['./~', resolve('~')],
      ['~', homedir()],
      ['~x', resolve('~x')],
      ['/var/trust', '/var/trust'],
    ])
      expect((await read({ trust_dir: text }))?.trustDir).toBe(trustDir as string);
  });

  test('knows its members in any case, as Notary does, and leaves names of collections alone', async () => {
    const pins = { Trust_Pinning: { CERTS: { 'Acme/App': [ID] }, Disable_TOFU: false } };
    const configuration = await read({ ...pins, REMOTE_SERVER: { URL: 'https://n.example' } });
    expect(configuration?.server?.host).toBe('n.example');
    expect(configuration?.pinning).toEqual({ certs: new Map([['Acme/App', [ID]]]), ca: new Map(), tofu: 'on' });
  });

  const wrong: [what: string, value: unknown][] = [
    ['that is no JSON', '{'],
    ['that is YAML', 'trust_dir: /tmp'],
    ['that is a list', []],
    ['with a member twice', '{"trust_dir":"a","trust_dir":"b"}'],
    ['with a member in two cases', { trust_dir: 'a', Trust_Dir: 'b' }],
    ['with a folder that is none', { trust_dir: 5 }],
    ['with a server without TLS', { remote_server: { url: 'http://notary.example' } }],
    ['with a server that is no address', { remote_server: { url: 'notary.example' } }],
    ['with a server that is a text', { remote_server: 'https://notary.example' }],
    ['that turns verification off', { remote_server: { skipTLSVerify: true } }],
    ['that turns verification off in another case', { remote_server: { SKIPTLSVERIFY: true } }],
    ['that may turn verification off', { remote_server: { skipTLSVerify: 'yes' } }],
    ['with a client certificate and no key', { remote_server: { tls_client_cert: 'a' } }],
    ['with a client key and no certificate', { remote_server: { tls_client_key: 'a' } }],
    ['with pins that are null', { trust_pinning: null }],
    ['with an unknown kind of pin', { trust_pinning: { cert: {} } }],
    ["with Signet's spelling", { trust_pinning: { disableTofu: true } }],
    ['with trust on first use as a text', { trust_pinning: { disable_tofu: 'true' } }],
    ['with pins that are no list', { trust_pinning: { certs: { a: ID } } }],
    ['without pins in a list', { trust_pinning: { certs: { a: [] } } }],
    ['with a pin that is a file', { trust_pinning: { certs: { a: ['root.crt'] } } }],
    ['with a pin that is a number', { trust_pinning: { certs: { a: [1] } } }],
    ['with a pin of no collection', { trust_pinning: { certs: { 'a//b': [ID] } } }],
    ['with a pin of a folder', { trust_pinning: { certs: { 'a/': [ID] } } }],
    ['with a star inside', { trust_pinning: { certs: { 'a/*/b*': [ID] } } }],
    ['with authorities for no collection', { trust_pinning: { ca: { 'a/*': 'ca.pem' } } }],
    ['with authorities that are no file', { trust_pinning: { ca: { a: ['ca.pem'] } } }],
  ];
  test.each(wrong)('%s is refused, and named', async (_, value) => {
    const error = await failure(read(value), 'configuration-invalid');
    expect(error.message).toStartWith(`${path}: `);
  });

  test('that turns verification off is answered with what helps instead', async () => {
    const error = await failure(read({ remote_server: { skipTLSVerify: true } }), 'configuration-invalid');
    expect(error.next).toContain('remote_server.root_ca');
  });
});
