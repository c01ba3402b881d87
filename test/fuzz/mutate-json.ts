import { isSignetError } from '../../src/core/errors/index.ts';
import { type JsonValue, parseJson } from '../../src/core/json/parse.ts';
import type { Dice } from './dice.ts';
import type { Mutator } from './engine.ts';
import { bytes } from './mutate.ts';

/** A JSON text taken apart: names and scalars as they are written, so that each can be written otherwise. */
type Node = { members: [name: string, value: Node][] } | { items: Node[] } | { text: string };

const SCALARS = [
  ...[
    'null',
    'true',
    'false',
    '""',
    '"x"',
    '[]',
    '{}',
    '"\\u0000"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"\u202e"',
    '"é"',
  ],
  ...['0', '-0', '-1', '1', '2', '1.0', '1e0', '1.5', '9007199254740991', '9007199254740992', '2147483648', '1e400'],
  ...['[[[[[[]]]]]]', '{"a":{"a":{}}}', '"\\u0022"', '"__proto__"', `"${'a'.repeat(300)}"`],
];
const SPACES = ['', ' ', '\n', '\t', '\r\n  '];

/**
 * Changes a JSON document as a document: values are replaced, left out, repeated, swapped, wrapped, respelt; members are
 * renamed. `values` are JSON texts that mean something to the subject. What is no JSON is changed byte by byte.
 */
export function json(values: readonly string[] = []): Mutator {
  return (input, dice, others) => {
    const root = taken(input);
    if (root === undefined || dice.chance(0.1)) return bytes(input, dice, others);
    const nodes = nodesOf(root);
    const other = dice.chance(0.3) ? taken(dice.pick(others)) : undefined;
    const donor = dice.pick(nodesOf(other ?? root));
    const value = dice.chance(0.5)
      ? donor
      : parsed(dice.pick(dice.chance(0.5) && values.length > 0 ? values : SCALARS));
    const changed = change(dice.pick(nodes), value, root, dice);
    return Buffer.from(written(changed, dice, dice.chance(0.1)));
  };
}

function taken(input: Buffer): Node | undefined {
  try {
    return nodeOf(parseJson(input, { numbers: 'any' }));
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

function parsed(text: string): Node {
  return taken(Buffer.from(text)) ?? { text };
}

function nodeOf(value: JsonValue): Node {
  if (value instanceof Map) {
    return { members: [...value].map(([name, member]) => [JSON.stringify(name), nodeOf(member)]) };
  }
  return Array.isArray(value) ? { items: value.map(nodeOf) } : { text: JSON.stringify(value) };
}

function nodesOf(node: Node): Node[] {
  return [node, ...childrenOf(node).flatMap(nodesOf)];
}

function childrenOf(node: Node): Node[] {
  if ('members' in node) return node.members.map(([, value]) => value);
  return 'items' in node ? node.items : [];
}

/** The document `root` with `node` changed, and perhaps `value` put somewhere. */
function change(node: Node, value: Node, root: Node, dice: Dice): Node {
  const replacement =
    'text' in node || dice.chance(0.3) ? replaced(node, value, dice) : within(node, value, root, dice);
  return put(root, node, replacement);
}

function put(root: Node, node: Node, replacement: Node): Node {
  if (root === node) return replacement;
  if ('members' in root) return { members: root.members.map(([name, each]) => [name, put(each, node, replacement)]) };
  return 'items' in root ? { items: root.items.map((each) => put(each, node, replacement)) } : root;
}

function replaced(node: Node, value: Node, dice: Dice): Node {
  switch (dice.below(5)) {
    case 0:
      return { items: [node] };
    case 1:
      return { members: [['"x"', node]] };
    case 2:
      return 'text' in node ? { text: respelt(node.text, dice) } : value;
    default:
      return value;
  }
}

/** An object or array with one of its members changed. */
function within(node: Exclude<Node, { text: string }>, value: Node, root: Node, dice: Dice): Node {
  if ('items' in node) {
    const at = dice.below(node.items.length + 1);
    const again = node.items[at] ?? value;
    const edits = [
      () => node.items.toSpliced(at, 1),
      () => [...node.items, again],
      () => node.items.toSpliced(at, 0, value),
    ];
    return { items: dice.pick(edits)() };
  }
  const at = dice.below(node.members.length + 1);
  const [name, member] = node.members[at] ?? [nameFrom(root, dice), value];
  const edits = [
    () => node.members.toSpliced(at, 1),
    () => node.members.toSpliced(dice.below(node.members.length + 1), 0, [name, dice.chance(0.5) ? member : value]),
    () => node.members.toSpliced(at, 1, [nameFrom(root, dice), member]),
    () => node.members.toSpliced(at, 1, [respelt(name, dice), member]),
    () => node.members.toSpliced(at, 1, [name, value]),
    () => node.members.toReversed(),
  ];
  return { members: dice.pick(edits)() };
}

/** A name that stands somewhere in the document. */
function nameFrom(root: Node, dice: Dice): string {
  const names = nodesOf(root).flatMap((node) => ('members' in node ? node.members.map(([name]) => name) : []));
  return names.length === 0 || dice.chance(0.1) ? dice.pick(['""', '"__proto__"', '"x"']) : dice.pick(names);
}

/** The scalar written otherwise: a character escaped, in other case, left out or doubled. */
function respelt(text: string, dice: Dice): string {
  const at = dice.below(text.length);
  const character = text.charAt(at);
  const others = [
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    character.toUpperCase(),
    '',
    character + character,
    String.fromCharCode(character.charCodeAt(0) ^ (1 << dice.below(7))),
    dice.pick(['\u2028', '\u007f', '\u212a', '\u017f', '😀', '.', '/', '*']),
  ];
  return text.slice(0, at) + dice.pick(others) + text.slice(at + 1);
}

function written(node: Node, dice: Dice, isSpaced: boolean): string {
  const space = () => (isSpaced ? dice.pick(SPACES) : '');
  if ('text' in node) return `${space()}${node.text}${space()}`;
  if ('items' in node)
    return `${space()}[${node.items.map((item) => written(item, dice, isSpaced)).join(',')}]${space()}`;
  const members = node.members.map(([name, value]) => `${space()}${name}${space()}:${written(value, dice, isSpaced)}`);
  return `${space()}{${members.join(',')}}${space()}`;
}
