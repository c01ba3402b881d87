import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { LIMITS } from '../../../src/core/limits.ts';
import { BOUNDARY, type Form, form, formOf, part } from './forms.ts';
import { Target } from './target.ts';
import { Publisher } from './victim.ts';
import { exchange, HOST } from './wire.ts';

// Mallory may publish to his own collection, and does so with all that is no publish.

const target = await Target.start();
const own = new Publisher(target, 'mallory', 'mallory/app');
await own.create();
const path = `/v2/${own.gun}/_trust/tuf/`;
const access = await target.bearer('mallory', `repository:${own.gun}:pull,push`);
const END = `--${BOUNDARY}--\r\n`;

interface Verdict {
  readonly status: number;
  readonly code: string | undefined;
}

async function post({ body, headers }: Form, more: Record<string, string> = {}): Promise<Verdict> {
  const response = await target.fetch(path, { method: 'POST', body, headers: { ...headers, ...access, ...more } });
  const { errors } = (await response.json()) as { errors: readonly { code: string }[] };
  return { status: response.status, code: errors[0]?.code };
}

const MALFORMED = { status: 400, code: 'MALFORMED_UPLOAD' };
const TOO_LARGE = { status: 413, code: 'MALFORMED_UPLOAD' };
const NOT_JSON = { status: 400, code: 'MALFORMED_JSON' };
const INVALID = { status: 400, code: 'INVALID_UPDATE' };

test('forms that are none, or broken somewhere', async () => {
  await target.withstands(async () => {
    const whole = form(...part('targets', '{}'), END);
    const types = [
      '',
      'text/plain',
      'multipart/form-data',
      'multipart/mixed; boundary=a',
      'multipart/form-data; boundary=',
    ];
    const boundaries = ['"a', `${'a'.repeat(71)}`, 'a; boundary=b', '"a\tb"'].map(
      (text) => `multipart/form-data; boundary=${text}`,
    );
    for (const type of [...types, ...boundaries]) {
      expect([type, await post(whole, { 'Content-Type': type })]).toEqual([type, MALFORMED]);
    }
    const pieces: readonly (readonly (string | Uint8Array)[])[] = [
      [],
      ['a'.repeat(1000)],
      ['before', ...part('targets', '{}'), END],
      [...part('targets', '{}')],
      [...part('targets', '{}'), END, 'after'],
      [...part('targets', '{}'), `--${BOUNDARY}`],
      [...part('targets', '{}'), `--${BOUNDARY}\r\nContent-Disposition: form-data; filename="root"\r\n\r\n{`],
      [`--${BOUNDARY}\r\n`, 'X-A: b\r\n'.repeat(100_000), END],
      [`--${BOUNDARY}\r\nX-A: ${'b'.repeat(2 ** 20)}\r\n\r\n{}\r\n`, END],
      [`--${BOUNDARY}\r\nContent-Disposition form-data\r\n\r\n{}\r\n`, END],
      [`--${BOUNDARY}\r\nContent-Transfer-Encoding: base64\r\n\r\ne30=\r\n`, END],
      [`--${BOUNDARY}\r\nX-A: b\r\nX-A: c\r\n\r\n{}\r\n`, END],
      [`--${BOUNDARY} \r\n\r\n{}\r\n`, END],
    ];
    for (const [at, broken] of pieces.entries()) {
      expect([at, await post(form(...broken))]).toEqual([at, MALFORMED]);
    }
  });
}, 60_000);

test('names that are no roles', async () => {
  await target.withstands(async () => {
    const roles = [
      'snapshot2',
      '../root',
      'targets/../root',
      'targets/a/..',
      'targets//a',
      'targets/',
      'TARGETS',
      '__proto__',
    ];
    const strange = [
      'targets/é',
      'targets/%2e%2e',
      'constructor',
      `targets/${'a'.repeat(300)}`,
      'targets/a b',
      'root\\x',
    ];
    for (const role of [...roles, ...strange, 'targets/a\\..\\b']) {
      const verdict = await post(formOf([[role, '{}']]));
      expect([role, verdict]).toEqual([role, { status: 400, code: 'INVALID_ROLE' }]);
    }
    for (const disposition of ['form-data', 'form-data; filename=""', 'attachment; filename="root"']) {
      const verdict = await post(form(`--${BOUNDARY}\r\nContent-Disposition: ${disposition}\r\n\r\n{}\r\n`, END));
      expect([disposition, verdict]).toEqual([disposition, { status: 400, code: 'NO_FILENAME' }]);
    }
  });
}, 60_000);

test('more parts, larger parts, and more bytes than are taken', async () => {
  await target.withstands(
    async () => {
      const many = Array.from({ length: 5000 }, (_, at) => part(`targets/a${at}`, '{}')).flat();
      expect(await post(form(...many, END))).toEqual(TOO_LARGE);
      const twice = Array.from({ length: LIMITS.uploadParts + 1 }, () => part('targets', '{}')).flat();
      expect(await post(form(...twice, END))).toEqual(TOO_LARGE);
      expect(await post(formOf([['targets', Buffer.alloc(LIMITS.metadata + 1, 'a')]]))).toEqual(TOO_LARGE);
      const response = await target.fetch(path, {
        method: 'POST',
        body: new Uint8Array(LIMITS.upload + 2 * 2 ** 20),
        headers: { ...form().headers, ...access },
      });
      expect(response.status).toBe(413);
    },
    300 * 2 ** 20,
  );
}, 60_000);

test('of two parts for one role the later counts, and the other is not even read', async () => {
  await target.withstands(async () => {
    const { targets } = await own.load();
    const current = targets.get('targets')?.envelope.bytes ?? Buffer.of();
    expect(
      await post(
        formOf([
          ['targets', '{'],
          ['targets', current],
        ]),
      ),
    ).toEqual({ status: 400, code: 'VERSION' });
    expect(
      await post(
        formOf([
          ['targets', current],
          ['targets', '{'],
        ]),
      ),
    ).toEqual(NOT_JSON);
  });
}, 60_000);

const DEEP = 10_000;
const envelope = (signed: string) => `{"signed":${signed},"signatures":[]}`;
const payload = (members: string) =>
  envelope(`{"_type":"Targets","expires":"2030-01-01T00:00:00Z","version":2,"delegations":{},"targets":{}${members}}`);

const texts: readonly (readonly [what: string, text: string | Uint8Array, verdict: Verdict])[] = [
  ['nothing', '', NOT_JSON],
  ['no JSON', 'signed', NOT_JSON],
  [`arrays in ${DEEP} levels`, '['.repeat(DEEP) + ']'.repeat(DEEP), NOT_JSON],
  [`objects in ${DEEP} levels`, `${'{"signed":'.repeat(DEEP)}0${'}'.repeat(DEEP)}`, NOT_JSON],
  ['levels without an end', '[{"a":'.repeat(DEEP), NOT_JSON],
  ['a huge number', payload(`,"a":${'9'.repeat(100_000)}`), NOT_JSON],
  ['a huge exponent', payload(',"a":1e999999999'), NOT_JSON],
  ['a fraction', payload(',"a":0.1'), NOT_JSON],
  ['a version beyond what is exact', payload('').replace('"version":2', '"version":9007199254740993'), NOT_JSON],
  ['a key twice', payload(',"version":3'), NOT_JSON],
  ['a key twice, once escaped', payload(',"\\u0076ersion":3'), NOT_JSON],
  ['two envelopes', `${payload('')}${payload('')}`, NOT_JSON],
  ['a byte order mark', `\ufeff${payload('')}`, NOT_JSON],
  [
    'invalid UTF-8',
    Buffer.concat([Buffer.from('{"signed":{"a":"'), Buffer.of(0xc3, 0x28), Buffer.from('"}}')]),
    NOT_JSON,
  ],
  ['half of a surrogate pair', payload(',"a":"\\ud800"'), NOT_JSON],
  ['a NUL', payload(',"a":"\0"'), NOT_JSON],
  ['UTF-16', Buffer.from(payload(''), 'utf16le'), NOT_JSON],
  ['an unknown member of the envelope', '{"signed":{},"signatures":[],"signed2":{}}', NOT_JSON],
  ['a member in other case', '{"Signed":{},"signed":{},"signatures":[]}', NOT_JSON],
  ['a member with a Kelvin sign for its letter', payload(',"delegation\u017f":{}'), INVALID],
  ['__proto__ as a member of the envelope', '{"__proto__":{"signed":{}},"signatures":[]}', NOT_JSON],
  ['__proto__ and numbers as names', payload(',"__proto__":{"version":9},"0":1,"constructor":{"a":1}'), INVALID],
  ['an array for an object', envelope('[]'), NOT_JSON],
  ['null for an object', envelope('null'), NOT_JSON],
  ['no signatures', payload(''), INVALID],
];

test.each(texts)('%p in the place of a file', async (_what, text, verdict) => {
  const before = target.stored();
  expect(await post(formOf([['targets', text]]))).toEqual(verdict);
  expect(target.stored()).toEqual(before);
});

test('packed requests are not unpacked', async () => {
  await target.withstands(async () => {
    const bomb = gzipSync(Buffer.alloc(512 * 2 ** 20));
    for (const coding of ['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'gzip, gzip', 'GZIP']) {
      const verdict = await post(form(bomb), { 'Content-Encoding': coding });
      expect([coding, verdict]).toEqual([coding, { status: 415, code: 'MALFORMED_UPLOAD' }]);
    }
    expect(await post(form(bomb))).toEqual(MALFORMED);
  });
}, 60_000);

test('a publish to the collection of another is refused before its body is read', async () => {
  await target.withstands(async () => {
    const strange = `/v2/${target.gun('alice/app')}/_trust/tuf/`;
    for (const credentials of [
      access,
      {},
      await target.bearer('mallory', `repository:${target.gun('alice/app')}:pull,push`),
    ]) {
      const lines = Object.entries(credentials).map(([name, value]) => `${name}: ${value}`);
      const head = [`POST ${strange} HTTP/1.1`, HOST, ...lines, 'Content-Length: 1000000', '', ''];
      expect((await exchange(target, head.join('\r\n'))).statuses).toEqual([401]);
    }
  });
}, 60_000);
