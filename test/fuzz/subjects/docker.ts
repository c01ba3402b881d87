import { deepStrictEqual, strictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { compressionOf, HEAD_SIZE, streamKind } from '../../../src/cli/commands/docker/build/stream-kind.ts';
import type { Flag } from '../../../src/cli/line/declaration.ts';
import { readFlagWords, WrongFlag } from '../../../src/cli/line/flag-words.ts';
import { readNamedFields, writeNamedFields } from '../../../src/core/csv.ts';
import { type EngineMessage, readMessages } from '../../../src/engine/api/messages.ts';
import { PushReport } from '../../../src/engine/api/push-result.ts';
import { ParsedArgs, type Token } from '../../../src/engine/cli/flags.ts';
import { type CommandSyntax, parseHelp } from '../../../src/engine/cli/help.ts';
import { findsEntry } from '../../support/go-tar.ts';
import { tarEntry, tarHead } from '../../support/tar-heads.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, lines, words } from '../mutate.ts';
import { json } from '../mutate-json.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const fixture = (path: string) => readFileSync(new URL(`../../engine/fixtures/${path}.txt`, import.meta.url), 'utf8');

/** However the stream is cut on its way, the same records arrive; and what was pushed is what the engine said. */
const messages: Subject = {
  seeds: [
    '{"status":"Pushing","id":"abc","progressDetail":{"current":1,"total":2}}\n{"error":"no","errorDetail":{"message":"no"}}',
    `{"status":"latest: digest: ${DIGEST} size: 528"}{"aux":{"Tag":"latest","Digest":"${DIGEST}","Size":528}}`,
    '{"status":"\\"}{é😀"}\r\n\t{"progressDetail":{},"aux":{}}',
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(
    words(['{', '}', '"', '\\', '[', ']', '\n', '{"status":"x"}', DIGEST, 'latest', ',']),
    recordByRecord,
    bytes,
  ),
  refusals: ['engine-response-invalid', 'push-result-ambiguous'],
  check: async (input) => {
    const whole = await records(input, input.length + 1);
    for (const size of [1, 7]) deepStrictEqual(await records(input, size), whole);
    const report = new PushReport('latest');
    for (const record of whole) report.add(record);
    const pushed = report.result();
    if (pushed === undefined) return;
    strictEqual(JSON.stringify(whole, plainMaps).includes(pushed.digest), true, 'a digest that nobody said');
  },
};

/** One record of the stream changed as the JSON document that it is. */
function recordByRecord(...[input, dice, others]: Parameters<Subject['mutate']>): Buffer {
  const all = input.toString('latin1').split(/(?<=\})\s*(?=\{)/);
  const at = dice.below(all.length);
  const changed = json(['"aux"', `"${DIGEST}"`, '{"Tag":"latest"}', '"Tag"'])(
    Buffer.from(all[at] ?? '', 'latin1'),
    dice,
    others,
  );
  return Buffer.from(all.with(at, changed.toString('latin1')).join('\n'), 'latin1');
}

const HELPS = ['run', 'build', 'pull', 'push', 'create', 'exec', 'service-create'];

/** The first line names the command, the rest is its help text. Every option that is read can be given. */
const help: Subject = {
  seeds: [
    ...HELPS.map((name) => `${name.replace('-', ' ')}\n${fixture(`docker-28/${name}`)}`),
    `build\n${fixture('buildx/build')}`,
    `run\n${fixture('podman-4.3/run')}`,
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(
    lines,
    lines,
    words(['  -x, ', '      --', ' string', '   ', '[="a"]', 'Options:', 'Usage:', '\n', '\t', '-']),
    bytes,
  ),
  refusals: ['docker-help-unreadable'],
  check: (input) => {
    const [command = '', text = ''] = input.toString('utf8').split(/\n(.*)/s);
    if (!/^[a-z]+(?: [a-z]+)*$/.test(command)) throw new Refused();
    const syntax = parseHelp(text, command.split(' '));
    for (const { long, short, takesValue } of syntax.flags) {
      const name = long === undefined ? `-${short}` : `--${long}`;
      strictEqual(text.includes(name), true);
      const first = syntax.flags.find((flag) => (long === undefined ? flag.short === short : flag.long === long));
      if (first?.takesValue === takesValue)
        deepStrictEqual(new ParsedArgs(syntax, [name, '--x'].slice(0, takesValue ? 2 : 1)).tokens.length, 1);
    }
  },
};

const SYNTAXES: ReadonlyMap<string, CommandSyntax> = new Map(
  ['run', 'build', 'pull'].map((name) => [name, parseHelp(fixture(`docker-28/${name}`), [name])]),
);
const WORDS = [
  ...[
    'a',
    '-',
    '--',
    '-x',
    '--rm',
    'evil:unsigned',
    'a=b',
    '=',
    'ünï',
    '-it',
    'false',
    '-i',
    '-t',
    '-e',
    '-eA',
    '-itv',
  ],
  ...['--name', '--name=x', '--rm=true', '-=', '--=', '--help', '-h', '-f', '--file=', '-tX', '--tag', '--quiet'],
];

/** The words of a command line, one to a line after the command's own. Each character is read once, and none is lost. */
const flags: Subject = {
  seeds: ['run\n-it\n--rm\n--name\nx\nimage\n--rm', 'build\n-t\na\n--file=x\n.', 'pull\n--quiet\n--\nx'].map((text) =>
    Buffer.from(text),
  ),
  mutate: anyOf(words([...WORDS, ...WORDS.map((word) => `\n${word}\n`)]), lines, bytes),
  refusals: ['docker-flag-unknown', 'docker-flag-invalid'],
  check: (input) => {
    const [name = '', ...argv] = input.toString('utf8').split('\n');
    const syntax = SYNTAXES.get(name);
    if (syntax === undefined) throw new Refused();
    const read = new ParsedArgs(syntax, argv);
    deepStrictEqual(uncovered(argv, read.tokens), []);
    for (const token of read.tokens) {
      if (token.kind === 'terminator' || token.valueAt === undefined) continue;
      deepStrictEqual(read.withValue(token, token.value ?? '').argv, argv);
    }
  },
};

const SPECS: readonly Flag[] = [
  { name: 'force', short: 'f', type: 'switch', about: '' },
  { name: 'name', short: 'n', type: 'value', about: '' },
  { name: 'key', type: 'list', about: '' },
];

/** Signet's own commands: no word is lost, and none is made up. */
const ownFlags: Subject = {
  seeds: ['-f\n--name\nx\nimage\n--key=a\n--key\nb', '-fn=x\n--\n-f', '-nx\n--force=false'].map((text) =>
    Buffer.from(text),
  ),
  mutate: anyOf(
    words(['-f', '--force', '-n', '--name', '=', '\n', '--', '-', '--key', 'true', '-h', '\n--key=x\n']),
    lines,
    bytes,
  ),
  refusals: [],
  check: (input) => {
    const argv = input.toString('utf8').split('\n');
    try {
      const { args, values } = readFlagWords(SPECS, argv);
      const said = [
        ...args,
        ...[...values].filter(([name]) => name === 'name' || name === 'key').flatMap(([, each]) => each),
      ];
      for (const word of said)
        strictEqual(
          argv.some((each) => each.endsWith(word)),
          true,
        );
    } catch (error) {
      if (error instanceof WrongFlag) throw new Refused();
      throw error;
    }
  },
};

/** A comma-separated value is written as it was read, and each of its keys has one value. */
const values: Subject = {
  seeds: ['type=registry,ref=a/b:1', '"type=image","name=a,b",push=true', 'check,format=json', 'id=a,"src=""b"""'].map(
    (text) => Buffer.from(text),
  ),
  mutate: anyOf(
    words(['"', '""', ',', '=', ' ', 'type=', 'TYPE=', 'type', 'ref=a', '\n', '\r', 'é', '\\', "'"]),
    bytes,
  ),
  refusals: ['docker-value-unclear'],
  check: (input) => {
    const fields = readNamedFields(input.toString('utf8'));
    deepStrictEqual(readNamedFields(writeNamedFields(fields)), fields);
    strictEqual(new Set(fields.map(({ key }) => key.trim().toLowerCase())).size, fields.length);
  },
};

/** What a build reads as an archive is one to Go, and what it reads as a Dockerfile is none. */
const stream: Subject = {
  seeds: [
    Buffer.from('FROM a\n'),
    tarEntry('Dockerfile', 'FROM a\n', (sum) => `${sum}\0 `),
    tarEntry('# x', '\nFROM scratch\n#', (sum) => `\0${sum}\0`),
    tarEntry('x', '6 a=b\n', (sum) => `${sum}\0 `, 'g'),
  ],
  mutate: anyOf(
    (_, dice) => tarHead(dice),
    (_, dice) => tarHead(dice),
    words(['\0', ' ', '0', '7', 'ustar\x0000', 'ustar  \0', '\x80', '\xff', 'BZh', '\x1f\x8b\x08']),
    bytes,
  ),
  refusals: [],
  check: (input) => {
    const kind = streamKind(input);
    if (kind === 'unclear') throw new Refused();
    strictEqual(kind === 'archive', compressionOf(input) !== undefined || findsEntry(input.subarray(0, HEAD_SIZE)));
  },
};

export const DOCKER_SUBJECTS = {
  'docker-values': () => values,
  'build-stream': () => stream,
  'engine-messages': () => messages,
  'docker-help': () => help,
  'docker-flags': () => flags,
  'own-flags': () => ownFlags,
};

async function records(input: Buffer, size: number): Promise<EngineMessage[]> {
  const chunks = async function* () {
    for (let at = 0; at < input.length; at += size) yield input.subarray(at, at + size);
  };
  return Array.fromAsync(readMessages(chunks()));
}

function plainMaps(_: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}

/** The words of which a character belongs to no token, or to two; the dash of a group of short options is nobody's. */
function uncovered(argv: readonly string[], tokens: readonly Token[]): string[] {
  const counts = argv.map((word) => Array<number>(word.length).fill(0));
  for (const token of tokens) {
    const spans = token.kind === 'positional' ? [token.valueAt] : [token.at];
    if (token.kind === 'flag' && token.valueAt !== undefined && token.valueAt.arg !== token.at.arg)
      spans.push(token.valueAt);
    for (const { arg, from, to } of spans) {
      const row = counts[arg] ?? [];
      for (let at = from; at < to; at++) row[at] = (row[at] ?? 0) + 1;
    }
  }
  return argv.filter((word, index) => {
    const row = counts[index] ?? [];
    const isGroup = /^-[^-]/.test(word) && row[0] === 0;
    return !row.slice(isGroup ? 1 : 0).every((count) => count === 1);
  });
}
