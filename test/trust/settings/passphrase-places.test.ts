import { describe, expect, test } from 'bun:test';
import { parseConfiguration } from '../../../src/trust/settings/configuration.ts';
import { placeFor } from '../../../src/trust/settings/passphrase-places.ts';
import { failure } from '../../support/failure.ts';

const parse = (passphrases: unknown) =>
  parseConfiguration(Buffer.from(JSON.stringify({ passphrases })), 'signet.json').passphrases;

describe('passphrases in signet.json', () => {
  test('lie in files, behind commands and in keychains', () => {
    const places = parse({
      root: { command: ['/usr/bin/pass', 'show', 'signet/root'] },
      repository: { keychain: 'secretservice' },
      alice: { file: '/run/secrets/alice' },
      'targets/releases': { command: ['pass'] },
    });
    expect([...places]).toEqual([
      ['root', { kind: 'command', program: '/usr/bin/pass', args: ['show', 'signet/root'] }],
      ['repository', { kind: 'keychain', helper: 'secretservice' }],
      ['alice', { kind: 'file', path: '/run/secrets/alice' }],
      ['targets/releases', { kind: 'command', program: 'pass', args: [] }],
    ]);
    expect(parse({})).toEqual(new Map());
  });

  test('a name goes before "repository", which is for every key but those of roots', () => {
    const places = parse({ repository: { keychain: 'pass' }, alice: { file: '/a' } });
    expect(placeFor(places, 'alice')).toEqual({ kind: 'file', path: '/a' });
    for (const alias of ['targets', 'snapshot', 'bob', 'encrypted', 'repository', '']) {
      expect(placeFor(places, alias)).toEqual({ kind: 'keychain', helper: 'pass' });
    }
    expect(placeFor(places, 'root')).toBeUndefined();
    expect(placeFor(new Map(), 'alice')).toBeUndefined();
  });

  test.each([
    ['a text', 'x'],
    ['a list', []],
    ['a place that is a text', { root: '/file' }],
    ['nowhere', { root: {} }],
    ['two places', { root: { file: '/a', keychain: 'pass' } }],
    ['three places', { root: { file: '/a', keychain: 'pass', command: ['a'] } }],
    ['an unknown place', { root: { vault: 'x' } }],
    ['a place in another case', { root: { File: '/a' } }],
    ['the passphrase itself', { root: { passphrase: 'x' } }],
    ['a file that depends on the folder', { root: { file: 'a' } }],
    ['a file of a home that nobody knows', { root: { file: '~/a' } }],
    ['a file without a name', { root: { file: '' } }],
    ['a file with a zero byte', { root: { file: '/a\0b' } }],
    ['a file that is a number', { root: { file: 1 } }],
    ['a command that is one text', { root: { command: 'pass show x' } }],
    ['a command of nothing', { root: { command: [] } }],
    ['a command without a program', { root: { command: ['', 'x'] } }],
    ['a command of null', { root: { command: null } }],
    ['a command with a number', { root: { command: ['pass', 1] } }],
    ['a command with a zero byte', { root: { command: ['pass', 'a\0b'] } }],
    ['a command that depends on the folder', { root: { command: ['./pass'] } }],
    ['a keychain that is a path', { root: { keychain: '../x' } }],
    ['a keychain without a name', { root: { keychain: '' } }],
    ['a name in capitals', { Root: { file: '/a' } }],
    ['an empty name', { '': { file: '/a' } }],
    ['a name with a space', { 'alice ': { file: '/a' } }],
  ])('%s is refused', async (_, value) => {
    const error = await failure(() => parse(value), 'configuration-invalid');
    expect(error.message).toStartWith('signet.json: ');
  });
});
