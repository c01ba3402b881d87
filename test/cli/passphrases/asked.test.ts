import { beforeEach, describe, expect, test } from 'bun:test';
import { AskedPassphrases } from '../../../src/cli/passphrases/asked.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';

const ID = parseKeyId('0123456789abcdef'.repeat(4));
const WARNING = 'You are about to create a new root signing key passphrase.';

let printed: string;
/** What the person types, one after the other; the buffers, to see them wiped. */
let typed: Buffer[];
beforeEach(() => {
  printed = '';
  typed = [];
});

/** Somebody who types these lines and nothing else. */
function asking(...lines: string[]): AskedPassphrases {
  typed = lines.map((line) => Buffer.from(line));
  const waiting = [...typed];
  return new AskedPassphrases({
    print: (text) => {
      printed += text;
    },
    askHidden: async (prompt) => {
      printed += `${prompt}\n`;
      const next = waiting.shift();
      if (next === undefined) throw new Error('asked too often');
      return next;
    },
  });
}

const take = async (passphrase: Promise<Buffer>) => (await passphrase).toString();

describe('for an existing key', () => {
  test.each([
    ['root', 'root'],
    ['targets', 'repository'],
    ['snapshot', 'repository'],
    ['default', 'repository'],
    ['alice', 'alice'],
  ])('%s is shown as %s', async (alias, shown) => {
    expect(await take(asking('secret').existing({ id: ID, alias }, 0))).toBe('secret');
    expect(printed).toBe(`Enter passphrase for ${shown} key with ID 0123456: \n`);
  });

  test('a key whose ID is not known is shown without one', async () => {
    await take(asking('secret').existing({ id: undefined, alias: 'encrypted' }, 0));
    expect(printed).toBe('Enter passphrase for encrypted key: \n');
  });

  test('a wrong one is said to be wrong before the next', async () => {
    await take(asking('secret').existing({ id: ID, alias: 'alice' }, 2));
    expect(printed).toBe('Passphrase incorrect. Please retry.\nEnter passphrase for alice key with ID 0123456: \n');
  });

  test('white space around it does not count, and what was typed is wiped', async () => {
    expect(await take(asking(' \t a b \r\n').existing({ id: ID, alias: 'alice' }, 0))).toBe('a b');
    expect(typed.map((line) => line.every((byte) => byte === 0))).toEqual([true]);
  });
});

describe('for a new key', () => {
  const SHORT =
    'Passphrase is too short. Please use a password manager to generate and store a good random passphrase.\n';

  test('is asked for twice', async () => {
    expect(await take(asking('long enough', 'long enough').fresh({ id: ID, alias: 'targets' }))).toBe('long enough');
    expect(printed).toBe(
      'Enter passphrase for new repository key with ID 0123456: \nRepeat passphrase for new repository key with ID 0123456: \n',
    );
  });

  test('is asked for again when it is short or differs, and all but the last is wiped', async () => {
    const passphrases = asking('seven..', 'long enough', 'long enougH', ' eight... ', 'eight...');
    expect(await take(passphrases.fresh({ id: ID, alias: 'alice' }))).toBe('eight...');
    const [enter, repeat] = ['Enter', 'Repeat'].map(
      (word) => `${word} passphrase for new alice key with ID 0123456: \n`,
    );
    expect(printed).toBe(`${enter}${SHORT}${enter}${repeat}Passphrases do not match. Please retry.\n${enter}${repeat}`);
    expect(typed.every((line) => line.every((byte) => byte === 0))).toBe(true);
  });

  test('warns before the first root key, and not again', async () => {
    const passphrases = asking('long enough', 'long enough', 'long enough', 'long enough');
    await take(passphrases.fresh({ id: ID, alias: 'root' }));
    expect(printed).toStartWith(WARNING);
    expect(printed.split('\n').findIndex((line) => line.startsWith('Enter passphrase'))).toBe(6);
    printed = '';
    await take(passphrases.fresh({ id: ID, alias: 'root' }));
    expect(printed).not.toContain(WARNING);
  });
});
