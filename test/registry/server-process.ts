/**
 * A registry as a process of its own, for tests and measurements: `bun server-process.ts FOLDER CERTIFICATE KEY`.
 * Everybody may do everything. It prints its port, and collects garbage all the time if `COLLECT` is set.
 */
import { join } from 'node:path';
import { FolderBlobStore } from '../../src/registry/blobs/folder-blob-store.ts';
import { REGISTRY_MIGRATIONS } from '../../src/registry/index/schema.ts';
import { sqliteRegistryIndex } from '../../src/registry/index/sqlite-index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { openDatabase } from '../../src/store/sqlite.ts';
import { ask } from '../support/routes.ts';

const [folder = '', certificate = '', key = ''] = process.argv.slice(2);
const gate = { subject: 'alice', require: async () => {}, allows: async () => true };

const database = openDatabase(join(folder, 'signet.db'), REGISTRY_MIGRATIONS);
const registry = createRegistry({
  index: sqliteRegistryIndex(database),
  blobs: await FolderBlobStore.open(join(folder, 'registry')),
});
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  tls: { cert: Bun.file(certificate), key: Bun.file(key) },
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  idleTimeout: 60,
  fetch: async (request) => {
    const url = new URL(request.url);
    if (url.pathname === '/v2/') return Response.json({});
    return (await ask(registry.routes, request, gate)) ?? new Response(null, { status: 404 });
  },
});
console.log(server.port);

while (process.env.COLLECT !== undefined) {
  await registry.collectGarbage({ removeUntagged: true });
  await registry.removeStaleUploads();
  await Bun.sleep(20);
}
