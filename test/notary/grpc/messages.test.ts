import { describe, expect, test } from 'bun:test';
import {
  CREATE_KEY_REQUEST,
  HEALTH_STATUS,
  KEY_INFO_RESPONSE,
  NOTHING,
  PUBLIC_KEY,
  SIGNATURE,
  SIGNATURE_REQUEST,
  TEXT,
} from '../../../src/notary/grpc/messages.ts';
import { encodeMembers } from '../../../src/notary/grpc/protobuf.ts';
import { failure } from '../../support/failure.ts';

const KEY_INFO = { keyId: 'ab', algorithm: 'ecdsa' };
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('messages have exactly the bytes of protobuf', () => {
  // Worked out by hand from the wire format of protobuf and the numbers of protocol B.14.2.
  test.each([
    [
      'CreateKeyRequest',
      CREATE_KEY_REQUEST.encode({ algorithm: 'ecdsa', gun: 'a/b', role: 'timestamp' }),
      '0a05 6563647361 1203 612f62 1a09 74696d657374616d70',
    ],
    ['KeyID', TEXT.encode('ab'), '0a02 6162'],
    [
      'PublicKey',
      PUBLIC_KEY.encode({ keyInfo: KEY_INFO, publicKey: Buffer.of(1, 2) }),
      '0a0f 0a04 0a02 6162 1207 0a05 6563647361 1202 0102',
    ],
    [
      'GetKeyInfoResponse',
      KEY_INFO_RESPONSE.encode({ keyInfo: KEY_INFO, publicKey: Buffer.of(1, 2), role: 'snapshot' }),
      '0a0f 0a04 0a02 6162 1207 0a05 6563647361 1202 0102 1a08 736e617073686f74',
    ],
    ['SignatureRequest', SIGNATURE_REQUEST.encode({ keyId: 'ab', content: Buffer.of(7) }), '0a04 0a02 6162 1201 07'],
    [
      'Signature',
      SIGNATURE.encode({ keyInfo: KEY_INFO, algorithm: 'ecdsa', content: Buffer.of(7) }),
      '0a0f 0a04 0a02 6162 1207 0a05 6563647361 1207 0a05 6563647361 1a01 07',
    ],
    ['Void', NOTHING.encode({}), ''],
    ['HealthCheckResponse', HEALTH_STATUS.encode(1), '0801'],
  ])('%s', (_, encoded, expected) => {
    expect(encoded.toString('hex')).toBe(expected.replaceAll(' ', ''));
  });
});

describe('messages are read', () => {
  test('as they were written', () => {
    const key = { keyInfo: KEY_INFO, publicKey: Buffer.alloc(200, 3), role: 'snapshot' };
    expect(KEY_INFO_RESPONSE.decode(KEY_INFO_RESPONSE.encode(key))).toEqual(key);
    const request = { keyId: 'ab', content: Buffer.alloc(70_000, 9) };
    expect(SIGNATURE_REQUEST.decode(SIGNATURE_REQUEST.encode(request))).toEqual(request);
    const signature = { keyInfo: KEY_INFO, algorithm: 'eddsa', content: Buffer.alloc(64, 9) };
    expect(SIGNATURE.decode(SIGNATURE.encode(signature))).toEqual(signature);
    expect(HEALTH_STATUS.decode(HEALTH_STATUS.encode(300))).toBe(300);
  });

  test('with what is absent empty, and unknown members passed over', () => {
    expect(CREATE_KEY_REQUEST.decode(Buffer.of())).toEqual({ algorithm: '', gun: '', role: '' });
    expect(TEXT.decode(hex('2a01 7a 0a02 6162 30 7f 39 0102030405060708 45 01020304'))).toBe('ab');
    expect(NOTHING.decode(hex('0a01 61'))).toEqual({});
  });
});

describe('a message is refused', () => {
  test.each([
    ['that is cut off', '0a05 6162'],
    ['whose tag is cut off', '8a'],
    ['with a member twice', '0a01 61 0a01 62'],
    ['with a number 0', '0201 61'],
    ['with a group', '0b 0c'],
    ['with text that is not UTF-8', '0a01 ff'],
    ['with a number in the place of a text', '0801'],
    ['with a length that no message has', '0a ffffffffffffffff7f'],
  ])('%s', (_, bytes) => failure(() => TEXT.decode(hex(bytes)), 'signer-message-malformed'));

  test('with a text in the place of a number', () =>
    failure(() => HEALTH_STATUS.decode(hex('0a01 61')), 'signer-message-malformed'));

  test('with more members than any message has', () => {
    const many = encodeMembers(Array.from({ length: 65 }, (_, n) => [n + 1, 'x'] as const));
    return failure(() => TEXT.decode(many), 'signer-message-malformed');
  });
});
