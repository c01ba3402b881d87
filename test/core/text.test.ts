import { describe, expect, test } from 'bun:test';
import { decodeBase64, decodeBase64AsGo } from '../../src/core/base64.ts';
import { lifetimeOf } from '../../src/core/lifetimes.ts';
import { RELEASES } from '../../src/core/names/role.ts';
import { printable, quoted, visible, visibleInLine } from '../../src/core/printable.ts';
import { DAY, formatTime, parseTime } from '../../src/core/time.ts';
import { failure } from '../support/failure.ts';

describe('base64', () => {
  test('has one spelling', () => {
    expect(decodeBase64('')).toEqual(Buffer.of());
    expect(decodeBase64('YWJj')).toEqual(Buffer.from('abc'));
    expect(decodeBase64('YQ==')).toEqual(Buffer.from('a'));
    expect(decodeBase64('+/+/')).toEqual(Buffer.from([0xfb, 0xff, 0xbf]));
  });

  for (const text of ['YQ', 'YQ=', 'YQ===', 'YR==', 'YWJj\n', 'YW\nJj', ' YWJj', '-_-_', 'YWJj=', '====', 'é']) {
    test(`${JSON.stringify(text)} is none`, () => expect(decodeBase64(text)).toBeUndefined());
  }
});

describe('base64 of logins, as Go reads it,', () => {
  test('may have line ends anywhere', () => {
    for (const text of ['YWJjZA==', 'YWJj\nZA==\n', 'YW\r\nJjZA=\r\n=\r\n', '\nYWJjZA==']) {
      expect(decodeBase64AsGo(text)?.toString()).toBe('abcd');
    }
    expect(decodeBase64AsGo('')?.length).toBe(0);
    expect(decodeBase64AsGo('YR==')?.toString()).toBe('a');
  });

  for (const text of [
    'YQ',
    'YQ=',
    'YQ===',
    ' YWJj',
    'YW Jj',
    'YWJj\t',
    '-_-_',
    '====',
    '=',
    'Y===',
    'YWJjYQ==YWJj',
    'é',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => expect(decodeBase64AsGo(text)).toBeUndefined());
  }
});

describe('a time (protocol A.3)', () => {
  const times: [text: string, iso: string][] = [
    ['2026-12-07T17:40:23.91170194Z', '2026-12-07T17:40:23.911Z'],
    ['2116-07-03T17:56:36.027379879-05:00', '2116-07-03T22:56:36.027Z'],
    ['2026-12-07T17:40:23Z', '2026-12-07T17:40:23.000Z'],
    ['2026-12-07T17:40:23.1+02:30', '2026-12-07T15:10:23.100Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['2026-12-07T17:40:23-00:00', '2026-12-07T17:40:23.000Z'],
  ];
  for (const [text, iso] of times) {
    test(`${text} is read`, () => expect(new Date(parseTime(text)).toISOString()).toBe(iso));
  }

  test('is never read later than it was written', () => {
    expect(parseTime('2026-12-07T17:40:23.999999999Z')).toBe(Date.parse('2026-12-07T17:40:23.999Z'));
  });

  const invalid = [
    '',
    '2026-12-07',
    '2026-12-07T17:40:23',
    '2026-12-07 17:40:23Z',
    '2026-12-07t17:40:23z',
    '2026-12-07T17:40:23.Z',
    '2026-12-07T17:40:23.1234567890Z',
    '2026-12-07T17:40:23+0200',
    '2026-12-07T17:40:23+24:00',
    '2026-12-07T17:40:60Z',
    '2026-12-07T24:00:00Z',
    '2026-13-07T17:40:23Z',
    '2026-00-07T17:40:23Z',
    '2026-12-00T17:40:23Z',
    '2026-12-32T17:40:23Z',
    '2026-02-29T17:40:23Z',
    '2026-04-31T17:40:23Z',
    '12026-12-07T17:40:23Z',
    '+002026-12-07T17:40:23Z',
    '2026-12-07T17:40:23Z\n',
    '\u0662026-12-07T17:40:23Z',
  ];
  for (const text of invalid) {
    test(`${JSON.stringify(text)} is none`, () => failure(() => parseTime(text), 'time-invalid'));
  }

  test('is written in UTC and whole seconds', () => {
    expect(formatTime(Date.parse('2026-12-07T17:40:23.999+02:00'))).toBe('2026-12-07T15:40:23Z');
    expect(parseTime(formatTime(parseTime('2036-01-01T00:00:00Z')))).toBe(Date.parse('2036-01-01T00:00:00Z'));
  });
});

test('files live as long as Notary’s (protocol A.12)', () => {
  expect(lifetimeOf('root')).toBe(3650 * DAY);
  for (const role of ['targets', 'snapshot', RELEASES] as const) expect(lifetimeOf(role)).toBe(1095 * DAY);
  expect(lifetimeOf('timestamp')).toBe(14 * DAY);
});

test('foreign text fits on one line of a terminal', () => {
  expect(printable('plain é😀')).toBe('plain é😀');
  expect(printable('a\u001b[31mb\r\nc\u0000\u007f\u009bd\u2028e\u202ef')).toBe('a [31mb c d e f');
  expect(printable('a'.repeat(81))).toBe(`${'a'.repeat(80)}…`);
  expect(printable('abc', 3)).toBe('abc');
  expect(printable('😀😀', 3).isWellFormed()).toBe(true);
});

test('text for a terminal has invisible characters escaped, and keeps lines and JSON', () => {
  expect(visible('plain é😀 "and" \\\n\tmore\n')).toBe('plain é😀 "and" \\\n\tmore\n');
  expect(visible('a\u001b[31m\rb\u007f\u009bc\u2028d\u202ee\u200bf\u00a0g')).toBe(
    'a\\u001b[31m\\u000db\\u007f\\u009bc\\u2028d\\u202ee\\u200bf\\u00a0g',
  );
  expect(visible('\u{e0041}\ufe0f\u3164\u2800\ud83d')).toBe('\\udb40\\udc41\\ufe0f\\u3164\\u2800\\ud83d');
  const value = { name: 'x\u202e\u200b\u007f\u{e0041}\u001b' };
  expect(JSON.parse(visible(JSON.stringify(value, undefined, 4)))).toEqual(value);
  expect(visibleInLine('a\nb\tc')).toBe('a\\u000ab\\u0009c');
});

test('quoted text is unambiguous, visible and shortened', () => {
  expect(quoted('plain é😀 "and" \\')).toBe('"plain é😀 \\"and\\" \\\\"');
  expect(quoted('a\u001b[31m\n\u007f\u009b\u2028\u202e')).toBe('"a\\u001b[31m\\n\\u007f\\u009b\\u2028\\u202e"');
  expect(quoted('abcd', 3)).toBe('"abc…"');
  expect(quoted('abcd', 4)).toBe('"abcd"');
  expect(quoted('😀😀', 3)).toBe('"😀\\ud83d…"');
});
