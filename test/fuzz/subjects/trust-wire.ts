import { deepStrictEqual, strictEqual } from 'node:assert';
import { ChainWriter, parseChain } from '../../../src/core/chain.ts';
import { formatCopies, parseCopies } from '../../../src/core/copy/copy-file.ts';
import { verifyCopy } from '../../../src/core/copy/verify-copy.ts';
import { formatProposal, parseProposal } from '../../../src/core/edit/proposal.ts';
import { digestHex, digestOf, isDigest } from '../../../src/core/names/digest.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import type { RoleName } from '../../../src/core/names/role.ts';
import { ResponseReader } from '../../../src/remote/transport/response-reader.ts';
import { formatFrozen, parseFrozen } from '../../../src/trust/decide/frozen.ts';
import { copyOf, rotatedRepository } from '../../support/copies.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, lines, words } from '../mutate.ts';
import { json } from '../mutate-json.ts';

const HEAD = 'HTTP/1.1 200 OK\r\n';
const HTTP_PIECES = [
  ...['\r\n', '\r\n\r\n', '\n', '\r', HEAD, 'HTTP/1.0 200 OK\r\n', 'HTTP/1.1 204 \r\n', 'HTTP/1.1 100 \r\n'],
  ...['Content-Length: 3\r\n', 'Content-Length: +3\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n'],
  ...['3\r\nabc\r\n', '0\r\n\r\n', '0', 'ffffffffffff', ';x=y', ':', ' ', '\t', '\u0000', 'é'],
];

/** Where its pieces are cut has no part in what a response says. */
const response: Subject = {
  seeds: [
    `${HEAD}Content-Length: 3\r\n\r\nabc${HEAD}Content-Length: 0\r\n\r\n`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n`,
    'HTTP/1.1 103 \r\nA: b\r\n\r\nHTTP/1.0 200 OK\r\n\r\nabc',
  ].map((text) => Buffer.from(text, 'latin1')),
  mutate: anyOf(words(HTTP_PIECES), lines, bytes),
  refusals: [],
  check: (input) => {
    const whole = readResponses([input]);
    deepStrictEqual(readResponses(Array.from(input, (byte) => Buffer.of(byte))), whole);
    if (whole.at(-1) === 'InvalidHTTPResponse') throw new Refused();
  },
};

/** A chain has one form only. */
const chain: Subject = {
  seeds: [['timestamp'], ['timestamp', 'root', '2.root'], ['timestamp', 'snapshot', 'targets', 'targets/releases']].map(
    (names) => {
      const writer = new ChainWriter();
      for (const name of names) writer.add(name, Buffer.from(`{"file":"${name}"}\n`));
      return writer.finish();
    },
  ),
  mutate: anyOf(
    words(['\n', ' ', '0', '9', '1.root', 'targets/', 'timestamp 3\nabc\n', '../', '\u0000']),
    lines,
    bytes,
  ),
  refusals: ['response-invalid'],
  check: (input) => {
    const writer = new ChainWriter();
    for (const [name, content] of parseChain(input)) writer.add(name, content);
    deepStrictEqual(writer.finish(), input);
  },
};

const proposal: Subject = {
  seeds: [['root'], ['targets', 'targets/releases']].map((roles) =>
    formatProposal({
      gun: parseGun('registry.example.com/team/app'),
      files: new Map(roles.map((role) => [role as RoleName, Buffer.from(`{"signed":{},"of":"${role}"}`)])),
    }),
  ),
  mutate: anyOf(json(['"snapshot"', '"targets/../root"', '"====" ', '"signet-proposal-2"', '{}']), bytes),
  refusals: ['proposal-invalid'],
  check: (input) => {
    const read = parseProposal(input);
    deepStrictEqual(parseProposal(formatProposal(read)), read);
  },
};

/** A file of copies has one form only, and what does not verify by itself is refused. Its end is made right again, to get past it. */
async function copies(): Promise<Subject> {
  const copy = await copyOf(await rotatedRepository());
  const seeds = [formatCopies([copy]), formatCopies([{ ...copy, server: undefined }]), formatCopies([])];
  const pieces = [
    '\n',
    '"length":',
    '"1.root"',
    '"targets/x"',
    '../',
    '{"name":"root"}',
    'end ',
    '"pin":"x"',
    '\u0000',
  ];
  return {
    seeds,
    mutate: anyOf(bytes, ended(words(pieces)), ended(lines), ended(bytes)),
    refusals: ['copy-malformed', 'copy-untrusted'],
    check: (input) => {
      const read = parseCopies(input);
      deepStrictEqual(formatCopies(read), input);
      for (const each of read) verifyCopy(each);
    },
  };
}

/** When the lists are read. */
const NOW = Date.UTC(2028, 0, 1);

/** A frozen list is written as it was read, and every digest in it is one. */
const frozen: Subject = {
  seeds: [
    { until: 0, images: new Map() },
    {
      until: Date.UTC(2027, 5, 30),
      images: new Map([
        [
          'docker.io/library/alpine',
          { tags: new Map([['3.20', digestOf(Buffer.from('a'))]]), evidence: digestOf(Buffer.from('b')), read: 0 },
        ],
      ]),
    },
  ].map(formatFrozen),
  mutate: anyOf(
    json(['"signet-frozen-1"', '"alpine"', '"sha256:ab"', '"2027-06-30T00:00:00.5Z"', '{"latest":1}']),
    bytes,
  ),
  refusals: ['configuration-invalid'],
  check: (input) => {
    const read = parseFrozen(input, '/frozen.json', NOW);
    for (const { tags } of read.images.values())
      for (const digest of tags.values()) strictEqual(isDigest(digest), true);
    const whole = { ...read, until: Math.floor(read.until / 1000) * 1000 };
    const images = [...whole.images].map(
      ([name, image]) => [name, { ...image, read: Math.floor(image.read / 1000) * 1000 }] as const,
    );
    deepStrictEqual(parseFrozen(formatFrozen(read), '/frozen.json', NOW), { ...whole, images: new Map(images) });
  },
};

function ended(mutate: Subject['mutate']): Subject['mutate'] {
  return (input, dice, others) => {
    const body = mutate(input.subarray(0, -'end 64\n'.length - 62), dice, others);
    return Buffer.concat([body, Buffer.from(`end ${digestHex(digestOf(body))}\n`)]);
  };
}

export const TRUST_WIRE_SUBJECTS = {
  response: () => response,
  chain: () => chain,
  proposal: () => proposal,
  frozen: () => frozen,
  copies,
};

/** What a reader finds in these pieces, and how it ended. */
function readResponses(pieces: readonly Buffer[]): string[] {
  const found: string[] = [];
  let body = '';
  const reader = new ResponseReader({
    head: (status, headers) => {
      body = '';
      found.push(`${status} ${JSON.stringify([...headers])}`);
    },
    data: (part) => {
      body += Buffer.from(part).toString('latin1');
    },
    end: (isLast) => void found.push(`${JSON.stringify(body)} ${isLast}`),
  });
  try {
    for (const piece of pieces) reader.push(piece);
    found.push(reader.close() ? 'closed' : 'cut');
  } catch (error) {
    found.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }
  return found;
}
