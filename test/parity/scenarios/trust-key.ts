import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sealKey } from '../../../src/core/keys/key-file.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { formatPublicKeyFile } from '../../../src/core/keys/public-key-file.ts';
import { PASSPHRASE, type Typed } from '../person.ts';
import type { Place } from '../place.ts';
import { type Scenario, scenariosOf } from '../scenario.ts';

const secret = (expect: RegExp, send = 'a passphrase') => ({ expect, send, isSecret: true });
const ENTER = /Enter passphrase for new alice key with ID [0-9a-f]{7}: $/;
const REPEAT = /Repeat passphrase for new alice key with ID [0-9a-f]{7}: $/;

function generating(words: readonly string[], more: Partial<Typed> = {}) {
  return async (place: Place): Promise<Typed> => {
    const person = place.person();
    mkdirSync(join(person.home, 'keys'));
    person.write('taken.pub', '');
    return { person, args: ['trust', 'key', 'generate', ...words], ...more };
  };
}

const GENERATE: readonly Scenario[] = scenariosOf('trust-key-generate', {
  plain: generating(['alice']),
  'in-a-folder': generating(['alice', '--dir', 'keys']),
  'in-an-absolute-folder': async (place) => {
    const person = place.person();
    return { person, args: ['trust', 'key', 'generate', '--dir', person.home, 'alice'] };
  },
  'folder-missing': generating(['alice', '--dir', 'nowhere']),
  'file-there': generating(['taken']),
  'file-there-in-a-folder': generating(['--dir=.', 'taken']),
  'folder-is-a-file': generating(['--dir=taken.pub', 'alice']),
  'name-in-upper-case': generating(['Alice']),
  'name-with-slash': generating(['a/b']),
  'name-empty': generating(['']),
  'name-root': generating(['root']),
  asks: async (place) => ({
    person: place.asked(),
    args: ['trust', 'key', 'generate', 'alice'],
    answers: [secret(ENTER), secret(REPEAT)],
  }),
  'asks-too-short-and-mismatch': async (place) => ({
    person: place.asked(),
    args: ['trust', 'key', 'generate', 'alice'],
    answers: [
      secret(ENTER, 'short'),
      secret(ENTER),
      secret(REPEAT, 'another one'),
      secret(ENTER, '  spaces around '),
      secret(REPEAT, 'spaces around'),
    ],
  }),
  'asks-no-answer': async (place) => ({ person: place.asked(), args: ['trust', 'key', 'generate', 'alice'] }),
});

const PASSPHRASES = { right: PASSPHRASE, wrong: 'something else' };

function loading(words: readonly string[], more: Partial<Typed> = {}) {
  return async (place: Place): Promise<Typed> => {
    const person = more.answers === undefined && more.stdin === undefined ? place.person() : place.asked();
    const key = generatePrivateKey('ecdsa');
    const seal = (role: string, passphrase: string) => sealKey(key, { role, passphrase: Buffer.from(passphrase) });
    person.write('plain.pem', seal('', ''));
    person.write('named.pem', seal('carol', ''));
    person.write('encrypted.pem', seal('alice', PASSPHRASES.right));
    person.write('open.pem', seal('', ''), 0o644);
    person.write('public.pem', formatPublicKeyFile(key.publicKey, 'alice'));
    person.write('text.pem', 'no key at all\n');
    person.write('empty.pem', '');
    return { person, args: ['trust', 'key', 'load', ...words], ...more };
  };
}

const LOAD: readonly Scenario[] = scenariosOf('trust-key-load', {
  plain: loading(['plain.pem']),
  'with-name': loading(['--name', 'alice', 'plain.pem']),
  'with-role-in-file': loading(['--name', 'alice', 'named.pem']),
  'plain-asks': loading(['plain.pem', '--name=alice'], { answers: [secret(ENTER), secret(REPEAT)] }),
  encrypted: loading(['encrypted.pem']),
  'encrypted-asks': loading(['encrypted.pem', '--name', 'alice'], {
    answers: [secret(/Enter passphrase for encrypted key: $/, PASSPHRASES.right)],
  }),
  'encrypted-wrong': loading(['encrypted.pem'], {
    env: { DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: PASSPHRASES.wrong },
  }),
  'readable-by-others': loading(['open.pem']),
  missing: loading(['missing.pem']),
  'a-folder': loading(['.']),
  'a-public-key': loading(['public.pem']),
  'not-pem': loading(['text.pem']),
  empty: loading(['empty.pem']),
  'name-in-upper-case': loading(['--name', 'Alice', 'plain.pem']),
});

export const TRUST_KEY: readonly Scenario[] = [...GENERATE, ...LOAD];
