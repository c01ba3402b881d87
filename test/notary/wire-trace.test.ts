import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseGun } from '../../src/core/names/gun.ts';
import { parseRole } from '../../src/core/names/role.ts';
import { readUpload } from '../../src/notary/http/upload-request.ts';
import { SqliteMetadataStore } from '../../src/notary/store/sqlite-metadata-store.ts';
import { callOf } from '../support/routes.ts';
import { TestServer, versionOf } from './fixture.ts';

const ACME = parseGun('docker.io/acme/app');

/** One request of Notary's own client, and how Notary's own server answered it. */
interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly requestHeaders: Headers;
  readonly requestBody: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

function readTrace(): Exchange[] {
  const text = readFileSync(join(import.meta.dir, '../vectors/wire-trace.txt'), 'latin1');
  return text
    .split(/^>>> /m)
    .slice(1)
    .map(readExchange)
    .filter(({ path }) => !path.startsWith('/MARK/'));
}

function readExchange(text: string): Exchange {
  const [, method = '', path = '', requestHeaders = '', requestBody = '', status, headers = '', rest = ''] =
    /^(\S+) (\S+)\n(\[.*\])\n([\s\S]*?)\n<<< (\d+) (\[.*\])\n([\s\S]*)$/.exec(text) ?? [];
  const sent = headersOf(requestHeaders);
  return {
    method,
    path,
    requestHeaders: sent,
    requestBody: requestBody.slice(0, Number(sent.get('Content-Length') ?? 0)),
    status: Number(status),
    headers: headersOf(headers),
    body: bodyOf(rest, headersOf(headers)),
  };
}

/** The log adds a line break to a body, and an empty line after it. */
function bodyOf(rest: string, headers: Headers): string {
  const length = headers.get('Content-Length');
  return length === null ? rest.trimEnd() : rest.slice(0, Number(length));
}

function headersOf(text: string): Headers {
  const flat = JSON.parse(text) as string[];
  return new Headers(
    flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as [string, string]] : [])),
  );
}

/** What Notary's server made of a publish: the snapshot and timestamp that it served next. */
function madeByServer(following: readonly Exchange[]): ['snapshot' | 'timestamp', string][] {
  return (['snapshot', 'timestamp'] as const).map((role) => {
    const found = following.find(
      ({ path, status }) => status === 200 && path.includes(`/${role}.`) && path.endsWith('.json'),
    );
    return [role, found?.body ?? ''];
  });
}

test('the whole trace of Notary is answered alike, byte for byte', async () => {
  const server = new TestServer();
  server.now = Date.parse('2026-11-23T17:45:36Z');
  const store = new SqliteMetadataStore(server.database);
  const trace = readTrace();
  let published = 0;
  for (const [index, exchange] of trace.entries()) {
    const { method, path, requestHeaders, requestBody } = exchange;
    const body = method === 'POST' ? { body: Buffer.from(requestBody, 'latin1') } : {};
    const reply = await server.send(method, path, { headers: requestHeaders, ...body });
    if (method === 'POST') {
      // Everything about the files is accepted. Only the private keys of Notary's server are not here to sign with.
      expect(reply.status).toBe(400);
      expect(reply.text).toContain('"detail":{"Name":"ErrBadHierarchy","Error":{"Missing":"snapshot"');
      const init = { method, headers: requestHeaders, ...body };
      const parts = await readUpload(callOf(new Request('https://trust.example.com/', init)));
      const made = madeByServer(trace.slice(index + 1));
      const files = [...parts.map(({ role, bytes }) => [role, bytes.toString()] as const), ...made].map(
        ([role, text]) => ({
          role: parseRole(role),
          version: versionOf(text),
          bytes: Buffer.from(text),
        }),
      );
      expect(await store.publish({ gun: ACME, files, expected: published, at: server.now })).toBe('stored');
      published = await store.revision(ACME);
      continue;
    }
    expect([path, reply.status]).toEqual([path, exchange.status]);
    expect(reply.headers.get('Content-Type')).toBe(exchange.headers.get('Content-Type'));
    expect(reply.headers.get('Cache-Control')).toBe(exchange.headers.get('Cache-Control'));
    if (path.endsWith('.key'))
      expect(reply.text.replace(/"public":"[^"]*"/, '')).toBe(exchange.body.replace(/"public":"[^"]*"/, ''));
    else expect(reply.text).toBe(exchange.body);
  }
  expect(trace.filter(({ method }) => method === 'POST')).toHaveLength(8);
  expect(trace.length).toBeGreaterThan(75);
});
