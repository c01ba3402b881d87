import { describe, expect, test } from 'bun:test';
import {
  bitString,
  DerReader,
  encodeDer,
  integer,
  octetString,
  oid,
  sequence,
  TAG,
} from '../../../src/core/keys/der.ts';
import { codeOf } from './support.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('writing DER', () => {
  test.each([
    [integer(0), '02 01 00'],
    [integer(127), '02 01 7f'],
    [integer(128), '02 02 00 80'],
    [integer(2048), '02 02 08 00'],
    [integer(200_000), '02 03 03 0d 40'],
    [integer(bytes('00 00 ff 01')), '02 03 00 ff 01'],
    [oid('1.2.840.113549.1.5.13'), '06 09 2a 86 48 86 f7 0d 01 05 0d'],
    [oid('2.16.840.1.101.3.4.1.42'), '06 09 60 86 48 01 65 03 04 01 2a'],
    [oid('1.3.6.1.4.1.11591.15.1'), '06 09 2b 06 01 04 01 da 47 0f 01'],
    [bitString(bytes('a0'), 5), '03 02 05 a0'],
    [sequence(integer(1), sequence()), '30 05 02 01 01 30 00'],
  ])('%#', (node, hex) => {
    expect(encodeDer(node).toString('hex')).toBe(bytes(hex).toString('hex'));
  });

  test.each([
    [127, '04 7f'],
    [128, '04 81 80'],
    [255, '04 81 ff'],
    [256, '04 82 01 00'],
    [65536, '04 83 01 00 00'],
  ])('%d bytes have the shortest length', (size, header) => {
    const encoded = encodeDer(octetString(Buffer.alloc(size)));
    expect(encoded.subarray(0, encoded.length - size).toString('hex')).toBe(bytes(header).toString('hex'));
    expect(new DerReader(encoded).content(TAG.octetString)).toHaveLength(size);
  });
});

describe('reading DER', () => {
  test.each([0, 1, 127, 128, 255, 256, 65535, 200_000, 2 ** 47 - 1])('INTEGER %d comes back', (value) => {
    expect(new DerReader(encodeDer(integer(value))).integer()).toBe(value);
  });

  test.each(['1.2.840.10045.3.1.7', '2.5.4.3', '2.16.840.1.101.3.4.1.42', '1.3.101.112', '2.999.1', '0.9.2342'])(
    'OID %s comes back',
    (dotted) => {
      const encoded = dotted === '2.999.1' ? bytes('06 03 88 37 01') : encodeDer(oid(dotted));
      expect(new DerReader(encoded).oid()).toBe(dotted);
    },
  );

  test.each([
    ['an indefinite length', '30 80 02 01 01 00 00'],
    ['a length in a longer form than needed', '30 81 03 02 01 01'],
    ['a length with a leading zero', '30 82 00 80'],
    ['a length of five bytes', '30 85 00 00 00 00 03 02 01 01'],
    ['a length beyond the end', '30 04 02 01 01'],
    ['a length that is cut off', '30 82 01'],
    ['nothing', ''],
    ['a tag alone', '30'],
    ['bytes after the end', '30 03 02 01 01 00'],
    ['another tag', '31 03 02 01 01'],
  ])('%s is refused', (_, hex) => {
    expect(codeOf(() => DerReader.sequenceOf(bytes(hex)))).toBe('key-malformed');
  });

  test.each(['02 00', '02 01 80', '02 02 00 7f', '02 07 01 00 00 00 00 00 00', '04 01 01'])(
    '%s is no INTEGER to us',
    (hex) => {
      expect(codeOf(() => new DerReader(bytes(hex)).integer())).toBe('key-malformed');
    },
  );

  test.each(['06 00', '06 02 80 01', '06 02 2a 86', '06 06 2a ff ff ff ff 7f'])('%s is no OID to us', (hex) => {
    expect(codeOf(() => new DerReader(bytes(hex)).oid())).toBe('key-malformed');
  });

  test('a BIT STRING of odd bits, a BOOLEAN of 1 and a NULL with content are refused', () => {
    expect(codeOf(() => new DerReader(bytes('03 02 01 a0')).bitString())).toBe('key-malformed');
    expect(codeOf(() => new DerReader(bytes('01 01 01')).boolean())).toBe('key-malformed');
    expect(codeOf(() => new DerReader(bytes('05 01 00')).null())).toBe('key-malformed');
  });
});
