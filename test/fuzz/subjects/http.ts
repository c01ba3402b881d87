import { deepStrictEqual, strictEqual } from 'node:assert';
import type { RoleName } from '../../../src/core/names/role.ts';
import { parseParameterizedHeader } from '../../../src/http/header-parameters.ts';
import { partsOf } from '../../../src/notary/http/multipart.ts';
import { readUpload } from '../../../src/notary/http/upload-request.ts';
import { parseRange } from '../../../src/registry/http/byte-range.ts';
import { parseChallenges } from '../../../src/remote/auth/challenge.ts';
import { parseRealm } from '../../../src/remote/auth/realm.ts';
import { describeFailure } from '../../../src/remote/http/error-body.ts';
import { multipartUpload } from '../../../src/remote/notary/multipart.ts';
import { callOf } from '../../support/routes.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, lines, words } from '../mutate.ts';
import { json } from '../mutate-json.ts';

const BOUNDARY = 'b0undary';
const form = (...files: [string, string][]) =>
  multipartUpload(new Map(files.map(([role, text]) => [role as RoleName, Buffer.from(text)])), BOUNDARY).body;

const PIECES = [
  ...[
    '\r\n',
    '--',
    `--${BOUNDARY}`,
    `\r\n--${BOUNDARY}`,
    `--${BOUNDARY}--`,
    '\r\n\r\n',
    'Content-Disposition: ',
    'form-data',
  ],
  ...[
    '; ',
    'name=',
    'filename=',
    '"',
    '\\"',
    '\\',
    '=',
    ':',
    ' ',
    '\t',
    '*',
    "UTF-8''",
    'Content-Transfer-Encoding: base64',
  ],
  ...[
    'Bearer ',
    'Basic ',
    'realm=',
    'service=',
    'scope=',
    'https://a/b',
    ',',
    '==',
    'é',
    '\u0001',
    'x',
    '[::1]',
    '%2f',
    '%00',
    '&',
    '+',
  ],
  ...[
    'bytes=',
    '-',
    '0',
    '5',
    '9'.repeat(15),
    'grant_type=password',
    'scope=repository:a/b:pull',
    'refresh_token=',
    'username=',
  ],
];

/** Accepted forms are read as the runtime's own reader reads them. */
const multipart: Subject = {
  seeds: [
    form(['root', '{"a":1}'], ['targets/releases', '\r\n--b\r\n']),
    form(['targets', '']),
    Buffer.from(`--${BOUNDARY}--`),
  ],
  mutate: anyOf(words(PIECES), words(PIECES), lines, bytes),
  refusals: ['upload-malformed', 'upload-too-large', 'upload-filename-missing', 'upload-encoding-unsupported'],
  check: async (input) => {
    const parts = [...partsOf(input, BOUNDARY)];
    const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
    const files = await readUpload(
      callOf(new Request('https://h/', { method: 'POST', body: new Uint8Array(input), headers })),
    );
    deepStrictEqual(
      files.map((file) => file.bytes),
      parts.map(({ content }) => content),
    );
    deepStrictEqual(
      files.map(({ bytes: content }) => content.toString('latin1')),
      naiveContents(input.toString('latin1')),
    );
  },
};

const header: Subject = {
  seeds: [
    'form-data; name="files"; filename="targets/a"',
    'multipart/form-data; boundary=x',
    'text/plain;a="\\"\\\\"',
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(words(PIECES), bytes),
  refusals: [],
  check: (input) => {
    const read = parseParameterizedHeader(input.toString('latin1'));
    if (read === undefined) throw new Refused();
    const parameters = [...read.parameters].map(([name, value]) => `; ${name}="${value.replace(/["\\]/g, '\\$&')}"`);
    deepStrictEqual(parseParameterizedHeader(`${read.value}${parameters.join('')}`), read);
  },
};

const challenge: Subject = {
  seeds: [
    'Bearer realm="https://auth.example.com/token",service="reg",scope="repository:a/b:pull"',
    'Basic realm="x", Bearer realm=y , Negotiate, NTLM abc==',
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(words(PIECES), bytes),
  refusals: ['response-invalid'],
  check: (input) => {
    const read = parseChallenges(input.toString('latin1'));
    const text = read.map(({ scheme, parameters }) => {
      const list = [...parameters].map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`);
      return `${scheme} ${list.join(',')}`.trim();
    });
    deepStrictEqual(parseChallenges(text.join(', ')), read);
  },
};

/** A login goes over TLS, or stays on this machine. */
const realm: Subject = {
  seeds: ['https://auth.example.com/token', 'https://registry.example.com:5443/a?b=c'].map((text) => Buffer.from(text)),
  mutate: anyOf(
    words([...PIECES, 'http://', 'localhost', '127.0.0.1', '0x7f.1', 'user:pw@', '//', '/\\', 'file:']),
    bytes,
  ),
  refusals: ['realm-refused'],
  check: (input) => {
    const url = parseRealm(input.toString('utf8'), new URL('https://registry.example.com'));
    strictEqual(url.protocol, 'https:');
    strictEqual(url.username + url.password, '');
  },
};

const range: Subject = {
  seeds: ['bytes=0-5', 'bytes=5-', 'bytes=-3', 'bytes=0-99'].map((text) => Buffer.from(text)),
  mutate: anyOf(words(PIECES), bytes),
  refusals: ['blob-range-unsatisfiable'],
  check: (input) => {
    const text = input.toString('latin1');
    const read = parseRange(text, 10);
    if (read === undefined) throw new Refused();
    const wanted = Array.from({ length: 10 }, (_, at) => at).filter((at) => isAskedFor(at, text));
    deepStrictEqual([read.start, read.end], [wanted[0], (wanted.at(-1) ?? -1) + 1]);
  },
};

/** A server's words: always one line that a terminal can show. */
const errorBody: Subject = {
  seeds: [
    '{"errors":[{"code":"DENIED","message":"no","detail":{"a":1}}]}',
    '{"details":"wrong login"}',
    '{"error":"x","error_description":"y"}',
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(json(['"\\u001b[31m"', '"a\\nb"', '"\\u202e"']), bytes),
  refusals: [],
  check: (input) => {
    const text = describeFailure(input);
    if (text === undefined) throw new Refused();
    strictEqual(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/.test(text) || !text.isWellFormed(), false);
  },
};

export const HTTP_SUBJECTS = {
  multipart: () => multipart,
  'header-parameters': () => header,
  challenge: () => challenge,
  realm: () => realm,
  'byte-range': () => range,
  'error-body': () => errorBody,
};

/** What stands between the boundaries, behind the first blank line of each. */
function naiveContents(text: string): string[] {
  const [, ...parts] = `\r\n${text}`.split(`\r\n--${BOUNDARY}`);
  const closing = parts.findIndex((part) => part.startsWith('--'));
  return parts.slice(0, closing).map((part) => part.slice(part.indexOf('\r\n\r\n') + 4));
}

/** Whether a byte of ten is one that the Range header asks for, by its definition (RFC 9110, 14.1.2). */
function isAskedFor(at: number, text: string): boolean {
  const [first = '', last = ''] = text.slice('bytes='.length).split('-');
  if (first === '') return at >= 10 - Number(last);
  return at >= Number(first) && (last === '' || at <= Number(last));
}
