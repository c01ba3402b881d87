import { type DerNode, encodeDer, node } from '../../src/core/keys/der.ts';
import { formatPem } from '../../src/core/keys/pem.ts';
import type { Dice } from './dice.ts';
import type { Mutator } from './engine.ts';
import { bytes } from './mutate.ts';

const CONSTRUCTED = 0x20;
const OCTET_STRING = 0x04;
const TAGS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0xa0, 0xa1, 0xa3];
const CONTENTS = [
  '',
  '00',
  '01',
  'ff',
  '7fffffff',
  '0080',
  '00ffffffff',
  '7fffffffffff',
  '80',
  '010001',
  '0'.repeat(512),
];
const MAX_DEPTH = 16;

/** Changes a DER value as a tree, so that the lengths around the change are right; at times byte by byte. */
export const der: Mutator = (input, dice, others) => {
  const elements = dice.chance(0.15) ? undefined : elementsOf(input, 0);
  if (elements === undefined || elements.length === 0) return bytes(input, dice, others);
  const all = elements.flatMap(nodesOf);
  return Buffer.concat(replaced(elements, dice.pick(all), dice.pick(all), dice).map(encodeDer));
};

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\n((?:[A-Za-z-]+: .*\n)*)\n?([A-Za-z0-9+/=\n]*)-----END \1-----\n/g;

/** Changes what the blocks of a PEM file hold; at times the text itself. */
export const pem: Mutator = (input, dice, others) => {
  const text = input.toString('latin1');
  const blocks = [...text.matchAll(BLOCK)];
  if (blocks.length === 0 || dice.chance(0.3)) return bytes(input, dice, others);
  const [block, type = '', headers = '', body = ''] = dice.pick(blocks);
  const changed = formatPem(type, new Map(), der(Buffer.from(body, 'base64'), dice, [Buffer.from(body, 'base64')]));
  const withHeaders = headers === '' ? changed : changed.replace('\n', `\n${headers}\n`);
  return Buffer.from(
    text.replace(block, () => withHeaders),
    'latin1',
  );
};

/** The elements that `input` consists of; undefined where it is something else. */
function elementsOf(input: Buffer, depth: number): DerNode[] | undefined {
  const elements: DerNode[] = [];
  for (let at = 0; at < input.length; ) {
    const header = headerAt(input, at);
    if (header === undefined) return undefined;
    const content = input.subarray(header.start, header.end);
    const nests = (header.tag & CONSTRUCTED) !== 0 || (header.tag === OCTET_STRING && content.length > 2);
    const inner = nests && depth < MAX_DEPTH ? elementsOf(content, depth + 1) : undefined;
    elements.push(node(header.tag, inner ?? content));
    at = header.end;
  }
  return elements;
}

function headerAt(input: Buffer, at: number): { tag: number; start: number; end: number } | undefined {
  const [tag, first] = input.subarray(at, at + 2);
  if (tag === undefined || first === undefined) return undefined;
  const size = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + size;
  if (size > 4 || start > input.length) return undefined;
  const end = start + (size === 0 ? first : input.readUIntBE(at + 2, size));
  return end <= input.length && first !== 0x80 ? { tag, start, end } : undefined;
}

function nodesOf(element: DerNode): DerNode[] {
  return [element, ...membersOf(element).flatMap(nodesOf)];
}

function membersOf({ content }: DerNode): readonly DerNode[] {
  return content instanceof Uint8Array ? [] : content;
}

/** The elements with one of them changed, left out, doubled, or replaced by `donor`. */
function replaced(elements: readonly DerNode[], chosen: DerNode, donor: DerNode, dice: Dice): DerNode[] {
  return elements.flatMap((element) => {
    if (element === chosen) return change(element, donor, dice);
    const members = membersOf(element);
    return members.length === 0 ? element : node(element.tag, replaced(members, chosen, donor, dice));
  });
}

function change(element: DerNode, donor: DerNode, dice: Dice): DerNode[] {
  const { tag, content } = element;
  switch (dice.below(6)) {
    case 0:
      return [];
    case 1:
      return [element, element];
    case 2:
      return [donor];
    case 3:
      return [node(dice.pick(TAGS), content)];
    case 4:
      return [node(tag, Buffer.from(dice.pick(CONTENTS), 'hex'))];
    default: {
      const flat = content instanceof Uint8Array ? Buffer.from(content) : Buffer.concat(content.map(encodeDer));
      return [node(tag, bytes(flat, dice, [flat]))];
    }
  }
}
