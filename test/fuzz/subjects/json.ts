import { deepStrictEqual, strictEqual } from 'node:assert';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { canonicalText, compareUtf8, escapeForFile } from '../../../src/core/json/canonical.ts';
import { decodeUtf8, type JsonObject, type JsonValue, parseJson } from '../../../src/core/json/parse.ts';
import { editMember } from '../../../src/store/json-edit.ts';
import { vector } from '../../core/keys/support.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, words } from '../mutate.ts';
import { json } from '../mutate-json.ts';

const JSON_ERRORS = ['json-malformed', 'json-duplicate-key', 'json-number-unsafe', 'json-too-deep'] as const;
const TOKENS = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u00e9', '\\ud83d', '\\ude00', '\\n', '\\/', 'null', 'true', 'false'],
  ...['0', '-', '1.5', '1e3', '-0', '9007199254740993', 'é', '😀', '\u2028', '\ufeff', '"a":', '"\\u0061":', '\u00a0'],
];
const mutate = anyOf(json(), json(), words(TOKENS), bytes);
const documents = [
  '{"b":1,"a":[true,null,{"c":"d"}]}',
  '["q\\"\\\\","a\\/b\\u00e9\\u0041","\\ud83d\\ude00"]',
  ' [ -9007199254740991 , 0 , "" , {} , [] ] ',
  '{"__proto__":{"toString":1},"constructor":2,"":3}',
  vector('acme-app/targets.json').toString('utf8'),
].map((text) => Buffer.from(text));

/** Read as JSON.parse reads it, or refused: because it is no JSON, or because two parsers could read it differently. */
const strictJson: Subject = {
  seeds: [...documents, Buffer.from('[1.5,1e3,-0]')],
  mutate,
  refusals: JSON_ERRORS,
  check: (input) => {
    const builtIn = builtInValue(input);
    try {
      const value = parseJson(input, { numbers: 'any' });
      deepStrictEqual(plain(value), builtIn?.value);
    } catch (error) {
      if (isSignetError(error) && builtIn !== undefined)
        strictEqual(isAmbiguous(builtIn), true, 'refused for no reason');
      throw error;
    }
  },
};

/** The canonical text of what was read is its own canonical text, and means the same. */
const canonicalJson: Subject = {
  seeds: documents,
  mutate,
  refusals: JSON_ERRORS,
  check: (input) => {
    const value = parseJson(input);
    const text = canonicalText(value);
    const file = escapeForFile(text);
    for (const again of [parseJson(text), parseJson(file)]) {
      strictEqual(canonicalText(again), text);
      deepStrictEqual(plain(again), plain(value));
    }
    const names = namesIn(value);
    deepStrictEqual(
      [...names].sort(compareUtf8).map((name) => Buffer.from(name).toString('hex')),
      names.map((name) => Buffer.from(name).toString('hex')).sort(),
    );
  },
};

const PATH = ['auths', 'reg:5000'];
const MARK = '"the mark"';

/** One member set or removed: it is as asked, and every other byte is as it was. */
const jsonEdit: Subject = {
  seeds: [
    '{\n\t"auths": {\n\t\t"reg:5000": {\n\t\t\t"auth": "YTpi"\n\t\t},\n\t\t"x": {}\n\t},\n\t"n": [1.50, {"y": null}]\n}',
    '{"auths":{"a":1,"reg:5000":{"auth":"}{"},"b":2}}',
    '{ "auths" : { } , "credsStore" : "pass" }',
    '{"HttpHeaders":{"X":"\\u007d"},"auths":null}',
    '{}',
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(
    json(['{"auths":{"reg:5000":{}}}', '"reg:5000"', '"}"', '"\\\\"']),
    words([...TOKENS, '"auths"']),
    bytes,
  ),
  refusals: JSON_ERRORS,
  check: (input) => {
    const text = decodeUtf8(input);
    const document = parseJson(text, { numbers: 'any' });
    if (!(document instanceof Map)) throw new Refused();
    const marked = editMember(text, PATH, 'the mark');
    const [before = '', after = '', ...more] = marked.split(MARK);
    if (more.length > 0) throw new Refused();
    deepStrictEqual(member(parseJson(marked, { numbers: 'any' })), 'the mark');
    deepStrictEqual(others(parseJson(marked, { numbers: 'any' })), others(document));
    strictEqual(isKept(text, before, after), true, 'another byte was changed');

    const removed = editMember(text, PATH, undefined);
    strictEqual(member(parseJson(removed, { numbers: 'any' })), undefined);
    deepStrictEqual(others(parseJson(removed, { numbers: 'any' })), others(document));
    strictEqual(editMember(marked, PATH, 'the mark'), marked);
    strictEqual(editMember(removed, PATH, undefined), removed);
  },
};

export const JSON_SUBJECTS = {
  json: () => strictJson,
  'canonical-json': () => canonicalJson,
  'json-edit': () => jsonEdit,
};

function member(document: JsonValue): JsonValue | undefined {
  const auths = (document as JsonObject).get('auths');
  return auths instanceof Map ? auths.get('reg:5000') : undefined;
}

/** The document without the member, and without what had to be made or replaced around it. */
function others(document: JsonValue): JsonValue {
  const auths = (document as JsonObject).get('auths');
  const kept = new Map<string, JsonValue>(auths instanceof Map ? auths : []);
  kept.delete('reg:5000');
  return new Map<string, JsonValue>([...(document as JsonObject), ['auths', kept]]);
}

/** Whether the text around the mark is the old text, but for the old value, or for what a new member needs. */
function isKept(text: string, before: string, after: string): boolean {
  const head = commonLength(text, before);
  const tail = commonLength([...text].reverse().join(''), [...after].reverse().join(''));
  const gone = text.slice(head, Math.max(head, text.length - tail)).trim();
  return gone === '' || head === before.length || isJson(gone);
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

function isJson(text: string): boolean {
  return builtInValue(Buffer.from(text)) !== undefined;
}

function namesIn(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  return value instanceof Map ? [...value].flatMap(([name, each]) => [name, ...namesIn(each)]) : [];
}

interface BuiltIn {
  readonly text: string;
  readonly value: unknown;
}

function builtInValue(input: Buffer): BuiltIn | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
    return { text, value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The value as JSON.parse gives it. */
function plain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const object = {};
  for (const [name, member] of value) {
    Object.defineProperty(object, name, { value: plain(member), enumerable: true, configurable: true, writable: true });
  }
  return object;
}

/** Whether JSON is such that two parsers may read it differently, or one runs out of stack. */
function isAmbiguous({ text, value }: BuiltIn): boolean {
  return hasLoneSurrogates(value) || hasInfinity(value) || hasNameTwice(text) || depthOf(value) > 64;
}

function hasLoneSurrogates(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => !name.isWellFormed() || hasLoneSurrogates(member));
}

function hasInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInfinity);
}

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

/** A name twice in one object leaves no trace in what JSON.parse returns; the tokens of the text tell. */
function hasNameTwice(text: string): boolean {
  const objects: Set<string>[] = [];
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (name !== undefined) {
      const names = objects.at(-1) ?? new Set();
      if (names.has(JSON.parse(name))) return true;
      names.add(JSON.parse(name));
    }
  }
  return false;
}
