/** The place of one member of an object in a JSON text. */
interface Member {
  readonly name: string;
  /** The offset of the name's opening quote. */
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** An object in a JSON text: its braces and its members. */
interface ObjectSpan {
  readonly open: number;
  readonly close: number;
  readonly members: readonly Member[];
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const SCALAR = /[^\s,\]}]+/y;

/**
 * Sets the member at `path` of a JSON text, or removes it if the value is `undefined`, and leaves every other character
 * unchanged: unknown members, their order, numbers and white space. Creates missing objects on the path. New members
 * are formatted like their neighbours, or with tabs as docker does. The text must be a valid JSON object (`parseJson`),
 * and so must every member on the path.
 */
export function editMember(text: string, path: readonly string[], value: unknown): string {
  let depth = 0;
  let span = readObject(text, skipSpace(text, 0));
  for (; depth < path.length - 1; depth++) {
    const next = span.members.find(({ name }) => name === path[depth]);
    if (next === undefined || text[next.valueStart] !== '{') break;
    span = readObject(text, next.valueStart);
  }
  const name = path[depth] ?? '';
  const present = span.members.find((member) => member.name === name);
  if (value === undefined) {
    return present === undefined || depth < path.length - 1 ? text : removeMember(text, span, present);
  }
  const nested = path.slice(depth + 1).reduceRight((inner: unknown, key) => new Map([[key, inner]]), value);
  const layout = layoutOf(text, span, depth + 1);
  const rendered = render(nested, layout);
  if (present !== undefined) return text.slice(0, present.valueStart) + rendered + text.slice(present.valueEnd);
  return insertMember(
    text,
    span,
    layout,
    `${JSON.stringify(name)}:${layout.indent === undefined ? '' : ' '}${rendered}`,
  );
}

/** The indentation of an object's members, or undefined if they are on one line. */
interface Layout {
  readonly indent: string | undefined;
  /** The additional indentation per level. */
  readonly step: string;
}

function layoutOf(text: string, span: ObjectSpan, depth: number): Layout {
  const [first] = span.members;
  if (first === undefined) return { indent: '\t'.repeat(depth), step: '\t' };
  const before = text.slice(span.open + 1, first.start);
  if (!before.includes('\n')) return { indent: undefined, step: '' };
  const indent = before.slice(before.lastIndexOf('\n') + 1);
  return { indent, step: indent.slice(0, Math.max(1, Math.floor(indent.length / depth))) || '\t' };
}

function insertMember(text: string, span: ObjectSpan, { indent, step }: Layout, member: string): string {
  const last = span.members.at(-1);
  const lead = indent === undefined ? '' : `\n${indent}`;
  if (last !== undefined) return `${text.slice(0, last.valueEnd)},${lead}${member}${text.slice(last.valueEnd)}`;
  const tail = indent === undefined ? '' : `\n${indent.slice(step.length)}`;
  return `${text.slice(0, span.open + 1)}${lead}${member}${tail}${text.slice(span.close)}`;
}

function removeMember(text: string, span: ObjectSpan, member: Member): string {
  const index = span.members.indexOf(member);
  const previous = span.members[index - 1];
  const next = span.members[index + 1];
  if (previous !== undefined) return text.slice(0, previous.valueEnd) + text.slice(member.valueEnd);
  if (next !== undefined) return text.slice(0, member.start) + text.slice(next.start);
  return text.slice(0, span.open + 1) + text.slice(span.close);
}

function render(value: unknown, layout: Layout): string {
  if (!(value instanceof Map)) return JSON.stringify(value);
  if (value.size === 0) return '{}';
  if (layout.indent === undefined) {
    return `{${[...value].map(([name, inner]) => `${JSON.stringify(name)}:${render(inner, layout)}`).join(',')}}`;
  }
  const deeper = { ...layout, indent: layout.indent + layout.step };
  const members = [...value].map(
    ([name, inner]) => `\n${deeper.indent}${JSON.stringify(name)}: ${render(inner, deeper)}`,
  );
  return `{${members.join(',')}\n${layout.indent}}`;
}

function readObject(text: string, open: number): ObjectSpan {
  const members: Member[] = [];
  let at = skipSpace(text, open + 1);
  while (text[at] === '"') {
    const start = at;
    const nameEnd = skip(text, at, STRING);
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const valueEnd = skipValue(text, valueStart);
    members.push({ name: JSON.parse(text.slice(start, nameEnd)) as string, start, valueStart, valueEnd });
    at = skipSpace(text, valueEnd);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return { open, close: at, members };
}

function skipValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    at = skipSpace(text, at);
    const character = text[at] ?? '';
    if (character === '"') at = skip(text, at, STRING);
    else if ('{['.includes(character)) {
      depth++;
      at++;
    } else if ('}]'.includes(character)) {
      depth--;
      at++;
    } else if (',:'.includes(character)) at++;
    else at = skip(text, at, SCALAR);
  } while (depth > 0 && at < text.length);
  return at;
}

function skipSpace(text: string, at: number): number {
  return skip(text, at, SPACE);
}

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}
