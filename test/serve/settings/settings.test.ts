import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { givenSettings, SERVE_FLAGS } from '../../../src/cli/commands/serve/flags.ts';
import { SERVE } from '../../../src/cli/commands/serve/serve.ts';
import { parseCommand } from '../../../src/cli/line/command.ts';
import { readSettings, type SettingSources } from '../../../src/serve/settings/read-settings.ts';
import { flagOf, SETTING_NAMES, SETTINGS, variableOf } from '../../../src/serve/settings/settings.ts';
import { temporaryFolder } from '../../support/temp.ts';

const folder = temporaryFolder();

function settingsFile(content: string): string {
  const file = join(temporaryFolder(), 'signet.json');
  writeFileSync(file, content);
  return file;
}

function read(sources: Partial<SettingSources>) {
  return readSettings({ folder, ...sources });
}

function failure(sources: Partial<SettingSources>): { code: string; message: string } {
  try {
    read(sources);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
  throw new Error('the settings were taken');
}

describe('defaults', () => {
  test('are those of the table, and safe: TLS, accounts, loopback, nothing public', () => {
    const settings = read({});
    expect(settings.listen).toEqual({ host: 'localhost', port: 5000 });
    expect(settings.tls).toBe(true);
    expect(settings.auth).toBe(true);
    expect(settings.behindProxy).toBe(false);
    expect(settings.publicPull).toEqual([]);
    expect(settings.accessLog).toBe('off');
    expect(Object.keys(settings)).toEqual([...SETTING_NAMES]);
  });

  test('are allowed values of their own types', () => {
    for (const name of SETTING_NAMES) {
      const { type, default: value } = SETTINGS[name] as (typeof SETTINGS)['tls'];
      const shown = type.show(value);
      if (shown !== '') expect(type.read([shown], '/')).toEqual(value);
    }
  });

  test('of caching are those of Notary', () => {
    expect(read({}).currentMaxAge).toBe(300);
    expect(read({}).consistentMaxAge).toBe(2_592_000);
  });
});

describe('sources', () => {
  const file = settingsFile('{"tokenLifetime": 100, "service": "of-file", "shutdownGrace": "2m"}');
  const environment = { SIGNET_TOKEN_LIFETIME: '200', SIGNET_SERVICE: 'of-environment' };

  test('a flag goes before the environment, the environment before the file, the file before the default', () => {
    const flags = new Map([['token-lifetime', ['300']]]);
    const settings = read({ file, environment, flags });
    expect(settings.tokenLifetime).toBe(300);
    expect(settings.service).toBe('of-environment');
    expect(settings.shutdownGrace).toBe(120);
    expect(settings.maxRequests).toBe(1024);
  });

  test('the last of a repeated flag counts where a setting has one value', () => {
    expect(read({ flags: new Map([['service', ['a', 'b']]]) }).service).toBe('b');
  });

  test('an empty variable is as none', () => {
    expect(read({ environment: { SIGNET_SERVICE: '' } }).service).toBe('signet');
  });

  test('lists are arrays in the file, have commas in the environment and repeat as flags', () => {
    const expected = [
      { host: 'registry.example.com', port: undefined },
      { host: '2001:db8::7', port: 5443 },
    ];
    expect(read({ file: settingsFile('{"names": ["registry.example.com", "[2001:db8::7]:5443"]}') }).names).toEqual(
      expected,
    );
    expect(read({ environment: { SIGNET_NAMES: 'registry.example.com, [2001:db8::7]:5443' } }).names).toEqual(expected);
    expect(read({ flags: new Map([['name', ['Registry.Example.com', '[2001:DB8::7]:5443']]]) }).names).toEqual(
      expected,
    );
  });

  test('relative paths begin at the file that names them, or at the current folder', () => {
    const named = settingsFile('{"tlsCertificate": "a.crt", "tlsKey": "a.key"}');
    expect(read({ file: named }).tlsKey).toBe(join(named, '..', 'a.key'));
    const environment = { SIGNET_TLS_CERTIFICATE: 'a.crt', SIGNET_TLS_KEY: '/b.key' };
    expect(read({ environment }).tlsCertificate).toBe(join(folder, 'a.crt'));
    expect(read({ environment }).tlsKey).toBe('/b.key');
  });

  test('times and sizes have units', () => {
    const file = settingsFile('{"gcGrace": "7d", "gcInterval": 0, "maxBlob": "20GiB", "maxPublish": 65536}');
    const { gcGrace, gcInterval, maxBlob, maxPublish } = read({ file });
    expect([gcGrace, gcInterval, maxBlob, maxPublish]).toEqual([604_800, 0, 21_474_836_480, 65_536]);
  });

  test('names of flags and variables follow from the settings', () => {
    expect(flagOf('tlsKey')).toBe('tls-key');
    expect(flagOf('names')).toBe('name');
    expect(variableOf('tlsKey')).toBe('SIGNET_TLS_KEY');
    expect(variableOf('names')).toBe('SIGNET_NAMES');
  });
});

describe('refused', () => {
  /** Per setting, texts that it must not take. */
  const WRONG: Readonly<Record<(typeof SETTING_NAMES)[number], readonly string[]>> = {
    listen: ['5000', 'localhost', '127.0.0.1:', '127.0.0.1:65536', 'a b:1', '::1:5000', 'https://a:1', '1.2.3:5000'],
    names: ['', 'a/b', 'user@host', 'host:port', '[::g]', '300.1.1.1', '-a.example', 'a..b', 'a"b'],
    tls: ['', 'yes', '1', 'ON'],
    tlsCertificate: ['a\0b'],
    tlsKey: ['a\0b'],
    behindProxy: ['maybe'],
    database: [
      '',
      'signet.db',
      'sqlite:',
      'oracle://u:hunter2@h/n',
      'postgres://u:hunter2@h',
      'mysql://u:hun#ter2@h/n',
    ],
    databaseFile: ['a\0b'],
    databasePool: ['0', '1001', 'many'],
    databaseTimeout: ['0', '11m'],
    signerDatabase: ['', 'notarysigner', 'oracle://u:hunter2@h/n', 'mysql://u:hun#ter2@h/n'],
    signerDatabaseFile: ['a\0b'],
    signerPassphrases: ['a\0b'],
    auth: ['none'],
    publicPull: ['team/App', 'a//b', '**', 'team/*/x'],
    service: ['a b', 'a"b', 'x'.repeat(101), 'é'],
    tokenLifetime: ['59', '59s', '61m', '2h', '-60', '1e3', '60.5', 'NaN'],
    tokenIssuer: ['a b', 'a"b'],
    tokenIssuerService: ['a b', ''],
    tokenIssuerRealm: [
      'harbor.example.com/service/token',
      'ftp://a/b',
      'https://a"b',
      'https://user@host/x',
      'https://a/#x',
    ],
    tokenIssuerKeys: ['a\0b'],
    masterKeyFile: ['a\0b'],
    signer: ['signer.example.com', 'https://a:1', 'a b:1', ''],
    signerCa: ['a\0b'],
    signerCertificate: ['a\0b'],
    signerKey: ['a\0b'],
    signerWithoutCertificate: ['yes', ''],
    mirror: ['a\0b', ' '],
    gunPrefixes: ['docker.io', '/docker.io/', '../', 'a//b/', 'a/../b/', '/'],
    currentMaxAge: ['366d', '-1', 'never'],
    consistentMaxAge: ['31536001'],
    maxPublish: ['1023', '65MiB', '1MB', '1mib'],
    maxBlob: ['1KiB', '17TiB', '9999999999999999'],
    maxUploads: ['0', '1000001', '1.5'],
    gcInterval: ['21d'],
    uploadExpiry: ['59s', '0', '366d'],
    gcGrace: ['59s', '0'],
    logLevel: ['warn', 'INFO', 'trace'],
    logFormat: ['xml'],
    accessLog: ['a\0b'],
    metrics: ['on', 'everyone', 'off'],
    maxRequests: ['0', '1000001', '1.5'],
    idleTimeout: ['0', '256', '5m'],
    shutdownGrace: ['3601', '-1s'],
  };

  for (const name of SETTING_NAMES) {
    test(name, () => {
      for (const text of WRONG[name]) {
        const { code, message } = failure({ flags: new Map([[flagOf(name), [text]]]) });
        expect([text, code]).toEqual([text, 'setting-invalid']);
        const quotes = /database$/i.test(name) ? ': the database URL cannot be used' : ', got ';
        expect(message).toStartWith(
          `setting ${name} (--${flagOf(name)}) must be ${SETTINGS[name].type.expects}${quotes}`,
        );
        expect(message).not.toContain('hunter2');
      }
    });
  }

  test('a password as a flag, but not in a variable or in the file', () => {
    const url = 'postgres://signet:hunter2@db.example.com/signet';
    const { code, message } = failure({ flags: new Map([['database', [url]]]) });
    expect([code, message]).toEqual([
      'setting-invalid',
      '--database has a password, and every user of the machine can read flags',
    ]);
    const { database } = read({ environment: { SIGNET_DATABASE: url } });
    expect(String(database)).toBe('postgres://signet@db.example.com:5432/signet');
    expect(String(read({ file: settingsFile(JSON.stringify({ database: url })) }).database)).toBe(String(database));
    expect(Bun.inspect(read({ environment: { SIGNET_DATABASE: url } }))).not.toContain('hunter2');
  });

  test('two databases', () => {
    const flags = new Map([
      ['database', ['sqlite:a.db']],
      ['database-file', ['url']],
    ]);
    expect(failure({ flags }).code).toBe('settings-conflict');
  });

  test('an unknown member of the file, however it is written', () => {
    for (const name of ['Listen', 'tls_key', '__proto__', 'constructor', 'data']) {
      const { code, message } = failure({
        file: settingsFile(
          JSON.stringify([[name, 1]])
            .replace('[[', '{')
            .replace(',', ':')
            .replace(']]', '}'),
        ),
      });
      expect([name, code]).toEqual([name, 'setting-unknown']);
      expect(message).toContain('known are listen, names, tls,');
    }
  });

  test('a file that is not one JSON object', () => {
    expect(failure({ file: join(folder, 'missing.json') }).code).toBe('settings-unreadable');
    for (const content of ['', '{', '{"tls": "on"} x', '{"tls": "on", "tls": "off"}', '{"maxRequests": 1.5}']) {
      expect([content, failure({ file: settingsFile(content) }).code]).toEqual([content, 'settings-unreadable']);
    }
    expect(failure({ file: settingsFile('[]') }).code).toBe('json-unexpected');
  });

  test('members of another JSON type', () => {
    for (const content of [
      '{"tls": null}',
      '{"tls": ["on"]}',
      '{"names": "a"}',
      '{"names": [["a"]]}',
      '{"listen": {}}',
    ]) {
      const { code, message } = failure({ file: settingsFile(content) });
      expect([content, code]).toEqual([content, 'setting-invalid']);
      expect(message).toContain(' must be ');
    }
  });

  test('half a certificate, a certificate without TLS, plain HTTP for other machines, and half a signer', () => {
    const SIGNER = {
      SIGNET_SIGNER: 'signer:7899',
      SIGNET_SIGNER_CA: 'a',
      SIGNET_SIGNER_CERTIFICATE: 'b',
      SIGNET_SIGNER_KEY: 'c',
    };
    const conflicts: Record<string, string>[] = [
      { SIGNET_TLS_KEY: 'a' },
      { SIGNET_TLS_CERTIFICATE: 'a' },
      { SIGNET_TLS: 'off', SIGNET_TLS_KEY: 'a', SIGNET_TLS_CERTIFICATE: 'a' },
      { SIGNET_TLS: 'off', SIGNET_LISTEN: '0.0.0.0:5000' },
      { SIGNET_TLS: 'off', SIGNET_LISTEN: '[::]:5000' },
      { SIGNET_TLS: 'off', SIGNET_LISTEN: 'registry.example.com:5000' },
      { SIGNET_TLS: 'off', SIGNET_LISTEN: '127.example.com:5000' },
      { SIGNET_SIGNER: 'signer:7899' },
      { SIGNET_SIGNER: 'signer:7899', SIGNET_SIGNER_CA: 'a' },
      { SIGNET_SIGNER: 'signer:7899', SIGNET_SIGNER_CA: 'a', SIGNET_SIGNER_CERTIFICATE: 'b' },
      { SIGNET_SIGNER: 'signer:7899', SIGNET_SIGNER_CERTIFICATE: 'b', SIGNET_SIGNER_KEY: 'c' },
      { ...SIGNER, SIGNET_SIGNER_WITHOUT_CERTIFICATE: 'on' },
      { ...SIGNER, SIGNET_MIRROR: 'copies' },
      { SIGNET_SIGNER_CA: 'a' },
      { SIGNET_SIGNER_WITHOUT_CERTIFICATE: 'on' },
    ];
    for (const environment of conflicts) {
      expect([environment, failure({ environment }).code]).toEqual([environment, 'settings-conflict']);
    }
    expect(read({ environment: SIGNER }).signer).toMatchObject({ host: 'signer', port: 7899 });
    expect(read({ environment: { SIGNET_TLS: 'off', SIGNET_LISTEN: '[::1]:5000' } }).tls).toBe(false);
    const behindProxy = { SIGNET_TLS: 'off', SIGNET_LISTEN: '0.0.0.0:80', SIGNET_BEHIND_PROXY: 'on' };
    expect(read({ environment: behindProxy }).tls).toBe(false);
  });
});

describe('flags', () => {
  test('take their value after a space or an equals sign', () => {
    const words = ['--name', 'a', '--listen=127.0.0.1:1', '--name=b=c', '--name', '--listen', '--data', 'x', '--yes'];
    expect(givenSettings(parseCommand(SERVE, words))).toEqual(
      new Map([
        ['listen', ['127.0.0.1:1']],
        ['name', ['a', 'b=c', '--listen']],
      ]),
    );
  });

  test('there is one of each setting, and they stand in order', () => {
    const names = SERVE_FLAGS.map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
    expect(new Set(names)).toEqual(
      new Set([...SETTING_NAMES.map(flagOf), 'check', 'config', 'data', 'json', 'trust-here', 'untrust-here', 'yes']),
    );
  });
});
