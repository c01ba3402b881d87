import { describe, expect, test } from 'bun:test';
import type { ErrorCode } from '../../../src/core/errors/index.ts';
import { parseEnvelope, writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { failure } from '../../support/failure.ts';
import { tree } from '../../support/forgery.ts';
import { vector } from '../keys/support.ts';

const ID = 'a'.repeat(64);
const ENTRY = `{"keyid":"${ID}","method":"ecdsa","sig":"YWJj"}`;
const parse = (text: string) => parseEnvelope('targets', Buffer.from(text));
const signaturesIn = (entries: string) => parse(`{"signed":{},"signatures":[${entries}]}`).signatures;

const FILES = [
  'acme-app/root.json',
  'acme-app/targets.json',
  'acme-app/snapshot.json',
  'acme-app/timestamp.json',
  'acme-app/targets/releases.json',
  'roots/1.root.json',
  'roots/2.root.json',
  'roots/3.root.json',
];

describe('an envelope', () => {
  for (const path of FILES) {
    test(`of Notary is read, and written back byte for byte: ${path}`, () => {
      const file = vector(path);
      const { bytes, signed, signatures, role } = parseEnvelope('targets', file);
      expect(role).toBe('targets');
      expect(bytes).toEqual(file);
      expect(signatures.length).toBeGreaterThan(0);
      expect(writeEnvelope(signed, signatures)).toEqual(file);
    });
  }

  test('signs the canonical payload, however the file is spelled (protocol A.1.1)', () => {
    const { message } = parse(
      ' {"signatures" : [ ] , "signed" : { "b" : "\\u003c\\u00e9\\u0026" ,\n "a" : [ 1 , null ] } } ',
    );
    expect(message.toString()).toBe('{"a":[1,null],"b":"<é&"}');
  });

  test('keeps a copy of its bytes', () => {
    const file = Buffer.from('{"signed":{},"signatures":[]}');
    const { bytes } = parseEnvelope('root', file);
    file.fill(0);
    expect(bytes.toString()).toBe('{"signed":{},"signatures":[]}');
  });

  test('writes names with signs of HTML as Go does (protocol H.8)', () => {
    const file = writeEnvelope(tree({ 'a<b>&c': 'é' }), []).toString();
    expect(file).toBe('{"signed":{"a\\u003cb\\u003e\\u0026c":"é"},"signatures":[]}');
    expect(parse(file).message.toString()).toBe('{"a<b>&c":"é"}');
  });

  test('cannot be written with a control character in it', () =>
    failure(() => writeEnvelope(tree({ custom: 'a\nb' }), []), 'json-malformed'));
});

describe('refused is', () => {
  const refused: [what: string, text: string, code: ErrorCode][] = [
    ['nothing', '', 'json-malformed'],
    ['bytes after the end', '{"signed":{},"signatures":[]}\u0000', 'json-malformed'],
    ['a second value', '{"signed":{},"signatures":[]}{}', 'json-malformed'],
    ['a byte order mark', '\ufeff{"signed":{},"signatures":[]}', 'json-malformed'],
    ['an unknown member', '{"signed":{},"signatures":[],"x":1}', 'json-unexpected'],
    ['signed twice', '{"signed":{},"signed":{},"signatures":[]}', 'json-duplicate-key'],
    ['signed in another case', '{"signed":{},"Signed":{},"signatures":[]}', 'json-unexpected'],
    ['signed with a long s', '{"signed":{},"\\u017figned":{},"signatures":[]}', 'json-unexpected'],
    ['no payload', '{"signatures":[]}', 'json-unexpected'],
    ['a payload of null', '{"signed":null,"signatures":[]}', 'json-unexpected'],
    ['a payload that is an array', '{"signed":[],"signatures":[]}', 'json-unexpected'],
    ['a payload that is a text', '{"signed":"{}","signatures":[]}', 'json-unexpected'],
    ['signatures that are an object', '{"signed":{},"signatures":{}}', 'json-unexpected'],
    ['an array', '[]', 'json-unexpected'],
    ['a number that two parsers read differently', '{"signed":{"a":1.0},"signatures":[]}', 'json-number-unsafe'],
    ['a duplicate deep inside', '{"signed":{"a":{"b":1,"b":2}},"signatures":[]}', 'json-duplicate-key'],
    ['513 signatures', `{"signed":{},"signatures":[${Array(513).fill(ENTRY).join()}]}`, 'metadata-malformed'],
  ];
  for (const [what, text, code] of refused) test(what, () => failure(() => parse(text), code));
});

describe('signatures', () => {
  test('are read with their method in lower case', () => {
    expect(signaturesIn(`{"keyid":"${ID}","method":"RSAPSS","sig":"YWJj","more":1}`)).toEqual([
      { keyId: parseKeyId(ID), method: 'rsapss', bytes: Buffer.from('abc') },
    ]);
    expect(signaturesIn(`{"keyid":"${ID}","method":"pycrypto-pkcs#1 pss","sig":""}`)).toHaveLength(1);
    expect(signaturesIn(Array(512).fill(ENTRY).join())).toHaveLength(512);
  });

  test('may be absent or null', () => {
    expect(parse('{"signed":{}}').signatures).toEqual([]);
    expect(parse('{"signed":{},"signatures":null}').signatures).toEqual([]);
  });

  const useless = [
    'null',
    '1',
    '"x"',
    '[]',
    '{}',
    `{"keyid":"${ID}","method":"ecdsa"}`,
    `{"keyid":"${ID}","sig":"YWJj"}`,
    `{"method":"ecdsa","sig":"YWJj"}`,
    `{"keyid":1,"method":"ecdsa","sig":"YWJj"}`,
    `{"keyid":"${ID.toUpperCase()}","method":"ecdsa","sig":"YWJj"}`,
    `{"keyid":"../../x","method":"ecdsa","sig":"YWJj"}`,
    `{"keyid":"${ID}","method":"ecdsa","sig":"YWJj\\n"}`,
    `{"keyid":"${ID}","method":"ecdsa","sig":"YW"}`,
    `{"keyid":"${ID}","method":"","sig":"YWJj"}`,
    `{"keyid":"${ID}","method":"a\\"b","sig":"YWJj"}`,
    `{"keyid":"${ID}","method":"${'m'.repeat(33)}","sig":"YWJj"}`,
    `{"KeyID":"${ID}","Method":"ecdsa","Sig":"YWJj"}`,
  ];
  for (const entry of useless) {
    test(`that are malformed are skipped: ${entry.slice(0, 60)}`, () => {
      expect(signaturesIn(`${entry},${ENTRY}`)).toEqual(signaturesIn(ENTRY));
    });
  }
});
