import { describe, expect, test } from 'bun:test';
import { formatHostName, isLoopbackHost, parseHostName } from '../../../src/serve/settings/host-name.ts';
import { OwnNames } from '../../../src/serve/tls/own-names.ts';

describe('parseHostName', () => {
  test('takes names, IPv4 and bracketed IPv6 addresses, each with or without a port', () => {
    expect(parseHostName('Registry.Example.COM')).toEqual({ host: 'registry.example.com', port: undefined });
    expect(parseHostName('localhost:0')).toEqual({ host: 'localhost', port: 0 });
    expect(parseHostName('192.0.2.7:65535')).toEqual({ host: '192.0.2.7', port: 65_535 });
    expect(parseHostName('[::1]:5000')).toEqual({ host: '::1', port: 5000 });
    expect(parseHostName('trust_server-1.local')).toEqual({ host: 'trust_server-1.local', port: undefined });
  });

  test('reads back what formatHostName writes', () => {
    for (const text of ['a', 'a.b:1', '192.0.2.7', '[2001:db8::1]', '[::]:443']) {
      const name = parseHostName(text);
      expect(name === undefined ? undefined : formatHostName(name)).toBe(text);
    }
  });

  test('refuses everything else', () => {
    const wrong = [
      '',
      ':1',
      'a:',
      'a:65536',
      'a:-1',
      '::1',
      '[::1',
      '[a]',
      'a b',
      'a/b',
      'a@b',
      'a"b',
      'é',
      'a..b',
      '.a',
    ];
    const numeric = ['1.2.3', '1', '256.1.1.1', '1.2.3.4.5', '0127.0.0.1'];
    for (const text of [...wrong, ...numeric, 'a\n', '-a', 'a-', `${'a'.repeat(64)}.b`, 'a.'.repeat(200)]) {
      expect([text, parseHostName(text)]).toEqual([text, undefined]);
    }
  });
});

test('loopback is what no other machine can reach', () => {
  expect(['localhost', '127.0.0.1', '127.255.0.9', '::1'].every(isLoopbackHost)).toBe(true);
  const others = ['0.0.0.0', '::', '128.0.0.1', '127.example.com', 'localhost.example.com', ''];
  expect(others.some(isLoopbackHost)).toBe(false);
});

describe('OwnNames', () => {
  const configured = [
    { host: 'registry.example.com', port: undefined },
    { host: '192.0.2.7', port: 8443 },
  ];
  const names = new OwnNames(configured, { host: '0.0.0.0', port: 5000 }, 'box');

  test('are loopback, the machine and the configured names, at the listening and the default port', () => {
    const own = names.authorities(5000);
    for (const name of ['localhost', '127.0.0.1', '[::1]', 'box', 'registry.example.com']) {
      expect([name, own.has(name), own.has(`${name}:5000`), own.has(`${name}:443`)]).toEqual([name, true, true, true]);
      expect([name, own.has(`${name}:5001`)]).toEqual([name, false]);
    }
  });

  test('that have a port are nothing without it', () => {
    const own = names.authorities(5000);
    expect(own.has('192.0.2.7:8443')).toBe(true);
    expect(own.has('192.0.2.7')).toBe(false);
    expect(own.has('192.0.2.7:5000')).toBe(false);
  });

  test('hold the address that is listened on, unless it stands for all', () => {
    expect(names.authorities(5000).has('0.0.0.0:5000')).toBe(false);
    const one = new OwnNames([], { host: '192.0.2.9', port: 5000 }, 'box');
    expect(one.authorities(5000).has('192.0.2.9:5000')).toBe(true);
  });

  test('leave out a machine name that is none', () => {
    const odd = new OwnNames([], { host: '127.0.0.1', port: 5000 }, 'my machine"');
    expect(odd.dnsNames).toEqual(['localhost']);
    expect(odd.addresses).toEqual(['127.0.0.1', '::1']);
  });

  test('give the names of the certificate and of texts', () => {
    expect(names.dnsNames).toEqual(['box', 'localhost', 'registry.example.com']);
    expect(names.addresses).toEqual(['127.0.0.1', '192.0.2.7', '::1']);
    expect(names.advertised(5000)).toEqual(['registry.example.com:5000', '192.0.2.7:8443']);
  });
});
