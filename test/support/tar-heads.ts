import type { Dice } from '../fuzz/dice.ts';

const BLOCK = 512;
const CHECKSUM_AT = 148;
const NUMBERS = [
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [329, 8],
  [337, 8],
  [345, 12],
  [357, 12],
  [476, 12],
  [488, 12],
  [386, 12],
  [398, 12],
  [483, 12],
] as const;
const TYPES = ['0', '0', '0', '\0', '5', '1', '2', '3', '6', '7', 'g', 'g', 'x', 'L', 'K', 'S', 'A', '9', '\xff'];
const MAGICS = ['ustar\x0000', 'ustar  \0', 'ustar\0  ', 'ustar\0\0\0', '', 'ustar 00', 'USTAR\x0000', 'ustar  0'];
const RECORDS = [
  '17 path=some/name\n',
  '11 path=x\0\n',
  '12 comment=\n',
  '52 comment=0123456789012345678901234567890123456789\n',
  '9 a\0b=cd\n',
  '5 a=\n',
  '+6 a=b\n',
  '06 a=b\n',
  '6 =ab\n',
  '6 a=b ',
  '99 a=b\n',
  '22 GNU.sparse.offset=1\n',
  '24 GNU.sparse.numbytes=1\n',
  '19 GNU.sparse.map=1\n',
  'nothing\n',
];

/** The checksum field: correct and wrong sums, in notations that a parser may or may not accept. */
const CHECKSUMS: readonly ((sum: number, dice: Dice) => string)[] = [
  (sum) => `${octal(sum, 6)}\0 `,
  (sum) => `${octal(sum, 6)} \0`,
  (sum) => `\0${octal(sum, 6)}\0`,
  (sum) => ` \0${octal(sum, 5)}\0`,
  (sum) => `  ${octal(sum, 6)}`,
  (sum) => octal(sum, 8),
  (sum) => `${octal(sum, 6)}\0x`,
  (sum) => `${octal(sum, 5)}\x008 `,
  (sum) => `${octal(sum, 6)}x `,
  (sum) => `\t${octal(sum, 6)}\0`,
  (sum) => `+${octal(sum, 6)}\0`,
  (sum) => `0o${octal(sum, 6)}`,
  (sum) => `${octal(sum, 5)} 0 `,
  (sum) => `${sum}`.padStart(8, '0'),
  (sum, dice) => `${octal(sum + dice.pick([1, -1, 8, 256]), 6)}\0 `,
  (sum) => String.fromCharCode(0x80, 0, 0, 0, 0, sum >> 16, (sum >> 8) & 255, sum & 255),
  () => '\0\0\0\0\0\0\0\0',
  () => '        ',
];

/** The beginning of something that docker could take for a tar archive or for a Dockerfile. */
export function tarHead(dice: Dice): Buffer {
  if (dice.chance(0.05))
    return Buffer.concat([Buffer.alloc(dice.pick([0, 1, 511, 512, 1024])), dice.bytes(dice.below(3))]);
  const head = header(dice);
  if (dice.chance(0.5)) head.write('\nFROM a\n#', dice.pick([0, 1, 20, 157, 265]), 'latin1');
  const records = dice.some(4, () => dice.pick(RECORDS)).join('');
  if (dice.chance(0.4)) number(dice.chance(0.8) ? records.length : dice.below(600), 12).copy(head, 124);
  write(head, 0, BLOCK, dice);
  const body = Buffer.alloc(BLOCK);
  body.write(records, 'latin1');
  if (dice.chance(0.2)) header(dice).copy(body);
  const whole = Buffer.concat([head, body, Buffer.from('FROM b\n')]);
  if (dice.chance(0.1)) whole[dice.below(BLOCK)] = dice.below(256);
  return whole.subarray(0, dice.chance(0.9) ? whole.length : dice.below(whole.length));
}

function header(dice: Dice): Buffer {
  const head = Buffer.alloc(BLOCK, dice.pick(['\0', '\0', ' ', '#']));
  head.write(dice.pick(['Dockerfile\0', 'FROM evil\n#', '# x\0', './\0', '\xff\xfe']), 'latin1');
  for (const [at, length] of NUMBERS) numeric(dice, length).copy(head, at);
  head.write(dice.pick(TYPES), 156, 'latin1');
  head.write(dice.pick(MAGICS), 257, 'latin1');
  if (dice.chance(0.3)) head.write('tar\0', 508, 'latin1');
  write(head, 0, BLOCK, dice);
  return head;
}

/** Puts a checksum into the header: mostly the right one, of unsigned or of signed bytes. */
function write(head: Buffer, from: number, length: number, dice: Dice): void {
  head.fill(' ', from + CHECKSUM_AT, from + CHECKSUM_AT + 8);
  const bytes = [...head.subarray(from, from + length)];
  const isSigned = dice.chance(0.3);
  const sum = bytes.reduce((total, byte) => total + (isSigned && byte > 127 ? byte - 256 : byte), 0);
  const field = dice.chance(0.7) ? CHECKSUMS[dice.below(6)] : dice.pick(CHECKSUMS);
  head.write(field?.(Math.max(sum, 0), dice).slice(0, 8) ?? '', from + CHECKSUM_AT, 'latin1');
}

function numeric(dice: Dice, length: number): Buffer {
  if (dice.chance(0.6)) return number(dice.below(0o777), length);
  if (dice.chance(0.3)) return Buffer.alloc(length, dice.pick([' ', '\0', '7', '8', 'x', '#', '\n']));
  const binary = dice.bytes(length);
  binary[0] = dice.pick([0x80, 0xff, 0xc0, 0xbf, 0x81]);
  if (dice.chance(0.6)) binary.fill((binary[0] & 0x40) === 0 ? 0 : 0xff, 1, length - dice.pick([2, 7, 8]));
  return binary;
}

function number(value: number, length: number): Buffer {
  return Buffer.from(`${octal(value, length - 1)}\0`, 'latin1');
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** One file of an archive, padded; `checksum` writes the six octal digits of the sum into their field. */
export function tarEntry(name: string, data: string, checksum: (sum: string) => string, type = '0'): Buffer {
  const head = Buffer.alloc(BLOCK);
  head.write(name, 'latin1');
  head.write('0000644\x000000000\x000000000\0', 100, 'latin1');
  head.write(`${octal(data.length, 11)}\0${octal(0, 11)}\0`, 124, 'latin1');
  head.fill(' ', CHECKSUM_AT, CHECKSUM_AT + 8);
  head.write(type, 156, 'latin1');
  const sum = octal(
    head.reduce((total, byte) => total + byte, 0),
    6,
  );
  head.write(checksum(sum), CHECKSUM_AT, 'latin1');
  return Buffer.concat([head, Buffer.from(data, 'latin1'), Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}
