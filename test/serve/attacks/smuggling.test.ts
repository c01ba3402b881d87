import { expect, test } from 'bun:test';
import { part } from './forms.ts';
import { Target } from './target.ts';
import { exchange, HOST, request } from './wire.ts';

// Whatever stands in front of the server must not see other requests than the server does.

const target = await Target.start();

/** What is hidden in another request; if the server sees it, there is a 200. */
const HIDDEN = request('GET /_signet/health', HOST);
const CARRIER = `PUT /v2/alice/app/manifests/x HTTP/1.1\r\n${HOST}\r\n`;
const REFUSED = [400];
/** The carrier is told to log in, and what follows it is another request. */
const BOTH = [401, 200];

const lengths = ['+0', '-1', '0x0', '0 0', '', '0,0', `0, ${HIDDEN.length}`, '0abc', '99999999999999999999', '1e3'];
const codings = ['xchunked', 'identity', 'chunked, identity', 'gzip, chunked', '\x0bchunked', 'chunked;q=1', ''];
const sizes = ['zz', '-1', '0x0', ' 0', 'FFFFFFFFFFFFFFFF', '10000000000000000', '2;a\nxx', '1 1', ''];

const ambiguous: readonly (readonly [what: string, bytes: string])[] = [
  ['a length and chunks', `${CARRIER}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['chunks and a length', `${CARRIER}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['two lengths', `${CARRIER}Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ['two codings', `${CARRIER}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a space before the colon of a length', `${CARRIER}Content-Length : ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ['a space before the colon of a coding', `${CARRIER}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a folded coding', `${CARRIER}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a folded header', `${CARRIER}X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  ['a header without a colon', `${CARRIER}X-A\r\n\r\n${HIDDEN}`],
  ['a header without a name', `${CARRIER}: b\r\n\r\n${HIDDEN}`],
  ['a line feed in a header', `${CARRIER}X-A: b\nX-B: c\r\n\r\n${HIDDEN}`],
  ['a carriage return in a header', `${CARRIER}X-A: b\rX-B: c\r\n\r\n${HIDDEN}`],
  ['a NUL in a header', `${CARRIER}X-A: b\0c\r\n\r\n${HIDDEN}`],
  ['a NUL in a header’s name', `${CARRIER}X-A\0: b\r\n\r\n${HIDDEN}`],
  ['an escape sequence in a header', `${CARRIER}User-Agent: \x1b[2J\r\n\r\n${HIDDEN}`],
  ['chunks of HTTP/1.0', `${CARRIER.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['data that goes on after its chunk', `${CARRIER}Transfer-Encoding: chunked\r\n\r\n2\r\nabXX0\r\n\r\n${HIDDEN}`],
  ['chunks that end in line feeds', `${CARRIER}Transfer-Encoding: chunked\r\n\r\n2\nab\n0\n\n${HIDDEN}`],
  ...lengths.map(
    (length) => [`the length '${length}'`, `${CARRIER}Content-Length: ${length}\r\n\r\n${HIDDEN}`] as const,
  ),
  ...codings.map(
    (coding) => [`the coding '${coding}'`, `${CARRIER}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${HIDDEN}`] as const,
  ),
  ...sizes.map(
    (size) =>
      [`the chunk size '${size}'`, `${CARRIER}Transfer-Encoding: chunked\r\n\r\n${size}\r\n\r\n${HIDDEN}`] as const,
  ),
];

test.each(ambiguous)('%p is refused, and nothing after it is read', async (_what, bytes) => {
  const { statuses, text, isClosed } = await exchange(target, bytes, 3);
  // A body that is wrong in its middle may have been refused for another reason before.
  expect([...new Set(statuses)].filter((status) => status !== 401)).toEqual(REFUSED);
  expect(text).not.toContain(' 200 ');
  expect(isClosed).toBe(true);
});

const clear: readonly (readonly [what: string, bytes: string])[] = [
  ['one length twice', `${CARRIER}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  ['tabs around a length', `${CARRIER}Content-Length:\t0\t\r\n\r\n${HIDDEN}`],
  ['capitals', `${CARRIER}TRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['an extension of a chunk', `${CARRIER}Transfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n${HIDDEN}`],
  ['another header than the coding', `${CARRIER}Content-Length: 4\r\nTransfer_Encoding: chunked\r\n\r\nabcd${HIDDEN}`],
  ['a request as a body nobody reads', `${CARRIER}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}${HIDDEN}`],
  [
    'a request as a chunk nobody reads',
    `${CARRIER}Transfer-Encoding: chunked\r\n\r\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n${HIDDEN}`,
  ],
];

test.each(clear)('%p has one meaning', async (_what, bytes) => {
  const { statuses } = await exchange(target, `${bytes}GET / HTTP/2.0\r\n\r\n`, 4);
  expect(statuses).toEqual([...BOTH, 505]);
});

test('trailers end the connection, even where they look like a request', async () => {
  for (const trailer of [HIDDEN, `X-A: b\r\n\r\n${HIDDEN}`, `Content-Length: 5\r\n\r\n${HIDDEN}`]) {
    const bytes = `${CARRIER}Transfer-Encoding: chunked\r\n\r\n0\r\n${trailer}`;
    const { statuses, isClosed } = await exchange(target, bytes, 3);
    expect([trailer, statuses, isClosed]).toEqual([trailer, [401, 400], true]);
  }
});

test('what is no HTTP/1.1 is refused', async () => {
  const lines = [
    'GET / HTTP/2.0',
    'GET / HTTP/1.2',
    'GET /',
    'GET\t/\tHTTP/1.1',
    'GET  / HTTP/1.1',
    '\x16\x03\x01\x02',
  ];
  for (const line of [...lines, 'PRI * HTTP/2.0\r\n\r\nSM', 'GET / HTTP/1.1\nHost: localhost\n', 'G\x01T / HTTP/1.1']) {
    const { statuses, isClosed } = await exchange(target, `${line}\r\n${HOST}\r\n\r\n`, 2);
    expect([line, statuses.every((status) => status === 400 || status === 505), isClosed]).toEqual([line, true, true]);
  }
});

test('headers have a bound, and so has the line of the request', async () => {
  await target.withstands(async () => {
    const many = Array.from({ length: 1000 }, (_, at) => `X-${at}: a`);
    for (const bytes of [
      request('GET /', HOST, `X-A: ${'a'.repeat(2 ** 20)}`),
      request('GET /', HOST, ...many),
      request(`GET /${'a'.repeat(2 ** 20)}`, HOST),
    ]) {
      const { statuses, isClosed } = await exchange(target, bytes, 2);
      expect([statuses, isClosed]).toEqual([[431], true]);
    }
  });
}, 60_000);

test('a publish that turns into something else in the middle changes nothing', async () => {
  await target.withstands(async () => {
    const { Authorization } = await target.bearer('alice', `repository:${target.gun('alice/app')}:pull,push`);
    const body = part('targets', '{}').join('');
    const type = 'Content-Type: multipart/form-data; boundary=5eac7f9ce2c4c6214dafebe33d498a52';
    const head = [
      `POST /v2/${target.gun('alice/app')}/_trust/tuf/ HTTP/1.1`,
      HOST,
      type,
      `Authorization: ${Authorization}`,
    ];
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
    for (const end of ['zz\r\n\r\n', '-5\r\n\r\n', `2\r\nabXX${HIDDEN}`]) {
      const bytes = [...head, 'Transfer-Encoding: chunked', '', `${chunk}${end}`].join('\r\n');
      const { statuses, isClosed } = await exchange(target, bytes, 2);
      expect([end, [...new Set(statuses)], isClosed]).toEqual([end, [400], true]);
    }
  });
}, 60_000);
