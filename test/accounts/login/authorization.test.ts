import { expect, test } from 'bun:test';
import { parseAuthorization } from '../../../src/accounts/login/authorization.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

test('reads what is there', () => {
  expect(parseAuthorization(null)).toEqual({ scheme: 'none' });
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    expect(parseAuthorization(`${scheme} a.b.c`)).toEqual({ scheme: 'bearer', token: 'a.b.c' });
  }
});

test.each([
  ['alice:secret', 'alice', 'secret'],
  ['alice:se:cr:et', 'alice', 'se:cr:et'],
  ['alice:', 'alice', ''],
  [':secret', '', 'secret'],
  [':', '', ''],
  ['älice:pässwörd', 'älice', 'pässwörd'],
  ['alice: secret ', 'alice', ' secret '],
])('reads the Basic credentials %p', (text, name, password) => {
  for (const scheme of ['Basic', 'basic']) {
    const credentials = { name, password: Buffer.from(password) };
    expect(parseAuthorization(`${scheme} ${base64(text)}`)).toEqual({ scheme: 'basic', credentials });
  }
});

test('a password may be any bytes, a name may not', () => {
  const bytes = (name: number[], password: number[]) => Buffer.from([...name, 0x3a, ...password]).toString('base64');
  expect(parseAuthorization(`Basic ${bytes([0x61], [0xff, 0x00])}`)).toEqual({
    scheme: 'basic',
    credentials: { name: 'a', password: Buffer.from([0xff, 0x00]) },
  });
  expect(parseAuthorization(`Basic ${bytes([0xff], [0x61])}`)).toEqual({ scheme: 'malformed' });
});

test.each([
  '',
  ' ',
  'Bearer',
  'Bearer ',
  'Bearer  token',
  'Bearer a b',
  'Token abc',
  'Basic',
  'Basic !!!!',
  `Basic ${base64('no colon')}`,
  `Basic ${base64('alice:secret')}=`,
  `Basic ${base64('alice:secret!').replaceAll('=', '')}`,
  `Basic ${base64('alice:secret')} `,
  `Basic\t${base64('alice:secret')}`,
  `Basic ${base64(`alice:${'a'.repeat(5000)}`)}`,
  `Digest ${base64('alice:secret')}`,
])('%p is malformed', (header) => {
  expect(parseAuthorization(header)).toEqual({ scheme: 'malformed' });
});
