import { describe, expect, test } from 'bun:test';
import { type JsonValue, parseJson } from '../../../src/core/json/parse.ts';
import { NO_PINS, parsePinning, parseTofu } from '../../../src/trust/settings/pinning-settings.ts';
import { failure } from '../../support/failure.ts';

const [ID, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];
const json = (value: unknown): JsonValue => parseJson(Buffer.from(JSON.stringify(value)));
const parse = (value: unknown) => parsePinning(json(value), '/etc/docker/signet.json');
const certs = (pattern: string, pins: unknown = [ID]) => parse({ certs: { [pattern]: pins } });
const ca = (...prefixes: string[]) => parse({ ca: Object.fromEntries(prefixes.map((prefix) => [prefix, 'ca.pem'])) });

describe('trustPinning', () => {
  test('may say nothing', () => {
    expect(parse({})).toEqual(NO_PINS);
    expect(parse({ certs: {}, ca: null })).toEqual(NO_PINS);
  });

  test('names keys by ID, and certificates by files beside the configuration or anywhere', () => {
    const pins = certs('docker.io/library/*', [ID, 'root.crt', 'pins/root', '../root.pem', '/root.crt', OTHER]);
    expect([...pins.certs]).toEqual([
      [
        'docker.io/library/*',
        [ID, '/etc/docker/root.crt', '/etc/docker/pins/root', '/etc/root.pem', '/root.crt', OTHER],
      ],
    ]);
  });

  test('names authorities by files', () => {
    const pins = parse({ ca: { 'docker.io/acme': 'acme.pem', '*': '/etc/all' } });
    expect([...pins.ca]).toEqual([
      ['docker.io/acme', '/etc/docker/acme.pem'],
      ['*', '/etc/all'],
    ]);
  });

  test.each([
    [{}, undefined],
    [{ tofu: 'on' }, 'on'],
    [{ tofu: 'off' }, 'off'],
    [{ tofu: 'ask' }, 'ask'],
    [{ disableTofu: true }, 'off'],
    [{ disableTofu: false }, 'on'],
  ] as const)('%j: trust on first use is %p', (value, tofu) => {
    expect(parse(value).tofu).toBe(tofu);
  });

  test.each([
    [{ tofu: 'on', disableTofu: false }, 'both tofu and disableTofu'],
    [{ tofu: 'ON' }, 'trustPinning: tofu is "ON"'],
    [{ tofu: '' }, 'trustPinning: tofu is ""'],
    [{ tofu: true }, 'tofu is not a string'],
    [{ tofu: null }, 'tofu is not a string'],
    [{ disableTofu: 'true' }, 'disableTofu is not true or false'],
    [{ disableTofu: null }, 'disableTofu is not true or false'],
    [{ disable_tofu: true }, 'unknown member "disable_tofu"'],
    [{ disableTOFU: true }, 'unknown member "disableTOFU"'],
    [{ CA: {} }, 'unknown member "CA"'],
    [{ certs: [] }, 'certs is not an object'],
    [{ ca: 'ca.pem' }, 'ca is not an object'],
    [[], 'trustPinning is not a JSON object'],
  ])('%j is refused', async (value, text) => {
    const error = await Promise.resolve()
      .then(() => parse(value))
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'SignetError', message: expect.stringContaining(text) });
  });
});

describe('a list of pins', () => {
  test.each([
    ['no list', ID],
    ['empty', []],
    ['of a number', [1]],
    ['of a list', [[ID]]],
    ['of an ID that is too short', [ID.slice(1)]],
    ['of an ID in upper case', [ID.toUpperCase()]],
    ['of an ID with its algorithm', [`sha256:${ID}`]],
    ['of a name', ['root']],
    ['of nothing', ['']],
    ['with one that is none', [ID, 'x']],
  ])('%s is refused, and named', async (_, pins) => {
    const error = await failure(() => certs('docker.io/library/*', pins), 'configuration-invalid');
    expect(error.message).toStartWith('trustPinning: certs of "docker.io/library/*"');
  });

  test('of authorities is one file', async () => {
    for (const path of [5, '', null, ['ca.pem']])
      await failure(() => parse({ ca: { 'docker.io/': path } }), 'configuration-invalid');
  });
});

describe('a pattern that some image has', () => {
  const names = [
    'docker.io/library/alpine',
    'docker.io/alice/app',
    'localhost/app',
    'localhost:5000/a/b_c',
    'Reg.example/a',
    '[::1]:5000/a',
  ];
  const prefixes = [
    '',
    'docker.io/',
    'docker.io/al',
    'docker.io/library/',
    'docker.io/library/alpine',
    'localhost:5000/',
    'reg.example/a_',
    'reg.example/a__',
    'reg.example/a.',
    'reg.example/a--',
  ];

  test.each(names)('%s', (name) => {
    expect([...certs(name).certs.keys()]).toEqual([name]);
  });

  test.each(prefixes)('%s*', (prefix) => {
    expect([...certs(`${prefix}*`).certs.keys()]).toEqual([`${prefix}*`]);
    expect([...ca(`${prefix}*`).ca.keys()]).toEqual([`${prefix}*`]);
    if (prefix !== '') expect([...ca(prefix).ca.keys()]).toEqual([prefix]);
  });
});

describe('a pattern that look-alike hosts have too is refused', () => {
  const starts = ['d', 'docker.io', 'local', 'localhost', 'localhost:', 'localhost:5000', 'reg', 'reg.', '[::1]:5'];

  test.each(starts)('%s*', async (start) => {
    for (const pins of [() => certs(`${start}*`), () => ca(`${start}*`), () => ca(start)]) {
      const error = await failure(pins, 'configuration-invalid');
      expect(error.message).toBe(`trustPinning: "${start}" may be the beginning of several hosts' names`);
      expect(error.next).toBe(`Write the host whole, with a slash behind it: "${start}/*"`);
    }
  });
});

describe('a pattern that no image has is refused, as it would not protect', () => {
  const names = [
    '',
    'alpine',
    'alice/app',
    'docker.io/alpine',
    'index.docker.io/alice/app',
    'docker.io',
    'docker.io/',
    'docker.io/library/',
    'docker.io/library/alpine:3',
    `docker.io/library/alpine@sha256:${ID}`,
    'docker.io/Library/alpine',
    'https://docker.io/library/alpine',
    ' docker.io/library/alpine',
    'docker.io/*/alpine',
    'a.b/../c',
    'a.b//c',
    '__proto__',
  ];
  const prefixes = [
    'alice/',
    'index.docker.io/',
    'docker.io//',
    '/docker.io/',
    'https://',
    'docker.io/Acme/',
    'DOCKER.IO/acme/app',
    'docker.io:443/library/*',
    'a.b/c:',
    'a.b/c*',
    '*',
    ' ',
    'a.b/./',
    `a.b/${'x'.repeat(260)}`,
  ];

  test.each(names)('%s', async (name) => {
    const error = await failure(() => certs(name), 'configuration-invalid');
    expect(error.message).toStartWith('trustPinning: no repository has the name "');
  });

  test.each(prefixes)('%s*', async (prefix) => {
    await failure(() => certs(`${prefix}*`), 'configuration-invalid');
    await failure(() => ca(`${prefix}*`), 'configuration-invalid');
    if (!prefix.endsWith('*')) await failure(() => ca(prefix), 'configuration-invalid');
  });

  test('and the likely one is named', async () => {
    expect((await failure(() => certs('alpine'), 'configuration-invalid')).message).toEndWith(
      'is docker.io/library/alpine meant?',
    );
  });

  test('an empty prefix of authorities is not taken for every repository, nor the same one twice', async () => {
    await failure(() => ca(''), 'configuration-invalid');
    await failure(() => ca('docker.io/', 'docker.io/*'), 'configuration-invalid');
  });
});

test('a word for trust on first use is one of three', async () => {
  expect((await failure(() => parseTofu('yes', 'SIGNET_TOFU'), 'configuration-invalid')).message).toBe(
    'SIGNET_TOFU is "yes", not one of on, off, ask',
  );
});
