import { beforeEach, describe, expect, test } from 'bun:test';
import { DockerPassphrases } from '../../src/cli/passphrases.ts';
import { parseKeyId } from '../../src/core/names/key-id.ts';
import { failure } from '../support/failure.ts';

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
function asking(...lines: string[]): DockerPassphrases {
  typed = lines.map((line) => Buffer.from(line));
  const waiting = [...typed];
  return new DockerPassphrases(
    {},
    {
      print: (text) => {
        printed += text;
      },
      askHidden: async (prompt) => {
        printed += `${prompt}\n`;
        const next = waiting.shift();
        if (next === undefined) throw new Error('asked too often');
        return next;
      },
    },
  );
}

/** Nobody to ask. */
function inEnvironment(env: Readonly<Record<string, string>>): DockerPassphrases {
  const nobody = async () => {
    throw new Error('nobody is to be asked');
  };
  return new DockerPassphrases(env, { print: () => undefined, askHidden: nobody });
}

const take = async (passphrase: Promise<Buffer>) => (await passphrase).toString();

describe('from the environment', () => {
  const env = {
    DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'for root',
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: ' other ',
  };

  test.each([
    ['root', 'for root'],
    ['targets', ' other '],
    ['snapshot', ' other '],
    ['alice', ' other '],
    ['encrypted', ' other '],
  ])('%s', async (alias, expected) => {
    expect(await take(inEnvironment(env).existing({ id: ID, alias }, 0))).toBe(expected);
    expect(await take(inEnvironment(env).fresh({ id: ID, alias }))).toBe(expected);
  });

  test('a wrong one is final', async () => {
    const error = await failure(inEnvironment(env).existing({ id: ID, alias: 'alice' }, 1), 'key-passphrase-wrong');
    expect(error.message).toBe('password invalid, operation has failed.');
    expect(error.detail).toEqual({ alias: 'alice', id: ID });
  });

  test('a short one is taken, as docker takes it', async () => {
    const short = inEnvironment({ DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'x' });
    expect(await take(short.fresh({ id: ID, alias: 'root' }))).toBe('x');
  });

  test('an empty variable is none', async () => {
    const env = { DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: '' };
    await expect(inEnvironment(env).existing({ id: ID, alias: 'alice' }, 0)).rejects.toThrow('nobody is to be asked');
  });

  test('each of the two is for its own keys', async () => {
    const onlyRoot = inEnvironment({ DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'x' });
    await expect(onlyRoot.existing({ id: ID, alias: 'targets' }, 0)).rejects.toThrow('nobody is to be asked');
    const onlyOthers = inEnvironment({ DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'x' });
    await expect(onlyOthers.fresh({ id: ID, alias: 'root' })).rejects.toThrow('nobody is to be asked');
  });
});

describe('from a prompt, for an existing key', () => {
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

describe('from a prompt, for a new key', () => {
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
