import { expect, test } from 'bun:test';
import { digestOf } from '../../../src/core/names/digest.ts';
import { Target } from './target.ts';
import { exchange, HOST } from './wire.ts';

// Mallory asks for what is not his, by every spelling of a path: with a token for all that he may have, and without.

const target = await Target.start();
const scopes = ['alice/app', 'mallory/app', target.gun('alice/app'), target.gun('mallory/app')];
const access = await target.bearer('mallory', ...scopes.map((name) => `repository:${name}:*`));
const { host } = target.server;
const HEX = 'a'.repeat(64);

/** What no answer to mallory may hold: alice's files, anything of the system, anything that was found elsewhere. */
const TREASURE = /"signed"|root:x:0|PRIVATE KEY|schemaVersion|SQLite format|"keytype"/;

const REFUSALS = new Set([400, 401, 404, 405, 413, 415, 431, 505]);

const ascents = [
  '..',
  '%2e%2e',
  '.%2e',
  '%2E.',
  '..%2f',
  '%2e%2e%2f',
  '..%5c',
  '..\\',
  '%252e%252e',
  '..;',
  '...',
  '. .',
  '..%00',
  '%c0%ae%c0%ae',
  '．．',
];
const trust = ascents.flatMap((up) => [
  `/v2/${host}/mallory/${up}/alice/app/_trust/tuf/root.json`,
  `/v2/${host}/mallory/app/_trust/tuf/${up}/${up}/${up}/alice/app/_trust/tuf/root.json`,
  `/v2/${host}/mallory/app/_trust/tuf/targets/${up}/root.json`,
  `/v2/${host}/mallory/app/_trust/tuf/${up}${up}/etc/passwd`,
  `/v2/${up}/${up}/${up}/etc/passwd`,
]);
const registry = ascents.flatMap((up) => [
  `/v2/mallory/${up}/alice/app/manifests/1.0`,
  `/v2/mallory/app/manifests/${up}`,
  `/v2/mallory/app/manifests/${up}/alice/app/manifests/1.0`,
  `/v2/mallory/app/blobs/${up}`,
  `/v2/mallory/app/blobs/sha256:${up}/${up}/${up}/token.key`,
  `/v2/mallory/app/blobs/uploads/${up}/${up}/token.key`,
  `/v2/mallory/app/blobs/uploads/${up}`,
]);
const others = [
  `/v2/${host}/mallory/app/_trust/tuf/_trust/tuf/root.json`,
  `/v2/${host}/mallory/_trust/alice/app/_trust/tuf/root.json`,
  `/v2/${host}/mallory/app/_trust/../../../alice/app/_trust/tuf/root.json`,
  `/v2/${host}/mallory/app/%5ftrust/tuf/root.json`,
  `/v2/${host}/alice/app/_trust/tuf/root.json%00.key`,
  `/v2/${host}/alice/app/_trust/tuf/root.json%3f`,
  `/v2/${host}/alice/app/_trust/tuf/root.json.`,
  `/v2/${host}/alice/app./_trust/tuf/root.json`,
  `/v2/${host}/alice/app%20/_trust/tuf/root.json`,
  `/v2/${host}/alice%2fapp/_trust/tuf/root.json`,
  `/v2/${host}/alice/app%00/_trust/tuf/root.json`,
  `/v2/${host}/alice/app%0a/_trust/tuf/root.json`,
  `/v2/${host}//alice/app/_trust/tuf/root.json`,
  `/v2/${host}/Alice/app/_trust/tuf/root.json`,
  `/v2/${host.toUpperCase()}/alice/app/_trust/tuf/root.json`,
  `/v2/${host}/alice/app/_trust/tuf/targets/${'a/'.repeat(2000)}b.json`,
  `/v2/${'a/'.repeat(500)}_trust/tuf/root.json`,
  `/v2/${'a'.repeat(10_000)}/_trust/tuf/root.json`,
  `/v2/${host}/alice/app/_trust/tuf/${'9'.repeat(400)}.root.json`,
  `/v2/${host}/alice/app/_trust/tuf/1e0.root.json`,
  `/v2/${host}/alice/app/_trust/tuf/root.${'A'.repeat(64)}.json`,
  '/v2/alice/app/manifests/1.0%00',
  '/v2/alice/app/manifests/1.0%2f..%2f1.0',
  '/v2/alice%2fapp/manifests/1.0',
  '/v2//alice/app/manifests/1.0',
  '/v2/alice//app/manifests/1.0',
  '/V2/alice/app/manifests/1.0',
  '/v2/./alice/app/manifests/1.0',
  '/v2/x/../alice/app/manifests/1.0',
  '/v2;x/alice/app/manifests/1.0',
  `/v2/mallory/app/blobs/sha256:${HEX}%2f..%2f${HEX}`,
  `/v2/mallory/app/blobs/SHA256:${HEX}`,
  `/v2/mallory/app/blobs/sha256:${'A'.repeat(64)}`,
  `/v2/mallory/app/blobs/sha512:${HEX}`,
  `/v2/mallory/app/blobs/sha256:${'é'.repeat(32)}`,
  `/v2/mallory/app/referrers/..%2f${HEX}`,
  '/v2/mallory/app/blobs/uploads/00000000-0000-4000-8000-000000000000%00',
  '/v2/mallory/app/blobs/uploads/blobs',
  '/v2/_trust/tuf/root.json',
  '/v2/_trust/changefeed',
  '/v2/_catalog',
  '/token.key',
  '/registry/blobs/',
];

test('no spelling of a path leads to what is not mallory’s', async () => {
  await target.withstands(async () => {
    for (const path of [...trust, ...registry, ...others]) {
      for (const headers of [[], [`Authorization: ${access.Authorization}`]]) {
        const bytes = Buffer.from([`GET ${path} HTTP/1.1`, HOST, ...headers, '', ''].join('\r\n'));
        const { statuses, text } = await exchange(target, bytes);
        expect([path, statuses]).toEqual([path, [expect.any(Number)]]);
        expect([path, statuses[0], REFUSALS.has(statuses[0] ?? 0)]).toEqual([path, statuses[0], true]);
        expect(text).not.toMatch(TREASURE);
      }
    }
  });
}, 120_000);

test('nor does one write, or delete', async () => {
  const layer = digestOf(Buffer.from('{"architecture":"amd64","os":"linux"}'));
  await target.withstands(async () => {
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      for (const path of [
        ...trust,
        ...registry,
        ...others,
        `/v2/alice/app/blobs/${layer}`,
        '/v2/alice/app/manifests/1.0',
      ]) {
        const lines = [
          `${method} ${path} HTTP/1.1`,
          HOST,
          `Authorization: ${access.Authorization}`,
          'Content-Length: 2',
        ];
        const { statuses } = await exchange(target, Buffer.from([...lines, '', '{}'].join('\r\n')));
        expect([method, path, statuses[0], REFUSALS.has(statuses[0] ?? 0)]).toEqual([method, path, statuses[0], true]);
      }
    }
  });
}, 120_000);
