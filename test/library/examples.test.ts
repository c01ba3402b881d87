import { beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/index.ts';
import { findProgram } from '../support/clis.ts';
import { accessHeaders } from '../support/published.ts';
import { run } from '../support/run.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';
import { codeIn, libraryExamples, libraryExports } from './examples.ts';
import { type ProgramFolder, programFolder } from './package.ts';

const LOGIN = { name: 'alice', password: 'correct horse battery' };
const PASSPHRASE = 'of all keys here';
/** What the examples call the registry and the repository that is there. */
const [HOST, PATH, NEW_PATH] = ['registry.example.com', 'team/app', 'team/new'];
/** Names of docs/library.md that examples use without declaring them. */
const GIVEN = `import assert from 'node:assert/strict';
import type { OpenClient as $Open, Repository as $Repository, Reference as $Reference } from 'signet';
type $Given = { client: $Open['client']; keys: $Open['keys']; repository: $Repository; image: $Reference };
`;

/** Runs each example with a repository of its own, and prints what went wrong: an object of stacks by name. */
const RUNNER = `
import { initializeWithImages, openTrust, parseReference } from 'signet';
const { examples, host, digest, size } = JSON.parse(process.argv[2]);
process.env.SIGNING_PASSPHRASE = ${JSON.stringify(PASSPHRASE)};
const passphrase = async () => Buffer.from(process.env.SIGNING_PASSPHRASE);
// Of the new keys only the root key is encrypted: each passphrase costs a tenth of a second, each time.
const passphrases = { existing: passphrase, fresh: async ({ alias }) => (alias === 'root' ? passphrase() : Buffer.of()) };
const faults = {};
console.log = console.warn = console.error = () => {};
for (const { name, file, path } of examples) {
  const { client, keys } = await openTrust({ passphrases });
  try {
    const image = parseReference(host + '/' + path + ':1.0');
    const repository = client.repository(image, ['pull', 'push']);
    await initializeWithImages(repository, [{ tag: '1.0', digest, size }]);
    const { example } = await import('./' + file + '.mjs');
    await example({ client, keys, repository, image });
  } catch (error) {
    faults[name] = error.stack;
  } finally {
    keys.close();
  }
}
process.stdout.write(JSON.stringify(faults));
`;

const examples = libraryExamples();
let folder: ProgramFolder;

beforeAll(async () => {
  folder = await programFolder();
}, 120_000);

test('every exported name of the library has a comment with an example', () => {
  const bare = libraryExports().filter(({ comment }) => codeIn(comment).length === 0);
  expect(bare.map(({ name }) => name)).toEqual([]);
  expect(examples.length).toBeGreaterThan(libraryExports().length);
});

test('the examples compile with the types of the package', async () => {
  const own = await programFolder();
  examples.forEach(({ code }, index) => {
    own.write(`example${index}`, asModule(code));
  });
  const { stdout, exitCode } = await own.checkTypes();
  const named = stdout.replace(/example(\d+)\.mts/g, (_, index) => examples[Number(index)]?.name ?? '');
  expect({ stdout: named, exitCode }).toEqual({ stdout: '', exitCode: 0 });
}, 120_000);

describe('the examples do what they say', () => {
  let server: SignetServer;
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
      layers: [],
    }),
  );

  beforeAll(async () => {
    server = await startSignet();
    await server.addUser(LOGIN.name, LOGIN.password);
    await server.grant(LOGIN.name, 'team/*', 'admin');
  }, 120_000);

  for (const [runtime, program] of [
    ['Node', () => findProgram('node')],
    ['Bun', () => process.execPath],
  ] as const) {
    test(`on ${runtime}`, async () => {
      const told = await Promise.all(
        examples.map(async ({ name, code }, index) => {
          const file = `${runtime.toLowerCase()}${index}`;
          const path = `team/${file}`;
          const placed = code
            .replaceAll(HOST, server.host)
            .replaceAll(PATH, path)
            .replaceAll(NEW_PATH, `team/new-${file}`);
          folder.write(file, asModule(placed));
          await push(path);
          return { name, file, path };
        }),
      );
      writeFileSync(join(folder.path, 'run.mjs'), RUNNER);
      const plan = { examples: told, host: server.host, digest: digestOf(manifest), size: manifest.length };
      const { stdout, stderr } = await run([program(), 'run.mjs', JSON.stringify(plan)], {
        cwd: folder.path,
        env: { PATH: process.env.PATH ?? '', HOME: homeWithLogin() },
        timeout: 280_000,
      });
      expect({ faults: stdout, stderr }).toEqual({ faults: '{}', stderr: '' });
    }, 300_000);
  }

  async function push(path: string): Promise<void> {
    const headers = await accessHeaders(server, path, LOGIN, 'pull,push');
    const tls = { ca: Bun.file(server.authority) };
    const at = `${server.origin}/v2/${path}`;
    const blob = await fetch(`${at}/blobs/uploads/?digest=${digestOf(Buffer.from('{}'))}`, {
      ...{ method: 'POST', headers, body: '{}', tls },
    });
    const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
    const put = await fetch(`${at}/manifests/1.0`, {
      method: 'PUT',
      headers: { ...headers, ...type },
      body: manifest,
      tls,
    });
    expect([blob.status, put.status]).toEqual([201, 201]);
  }

  function homeWithLogin(): string {
    const home = temporaryFolder();
    mkdirSync(join(home, '.docker'));
    const auth = Buffer.from(`${LOGIN.name}:${LOGIN.password}`).toString('base64');
    writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ auths: { [server.host]: { auth } } }));
    return home;
  }
});

/** An example as a module that exports it as a function of what is given to it. */
function asModule(code: string): string {
  const imports = code.match(/^import [^;]*;$/gm) ?? [];
  const body = code.replaceAll(/^import [^;]*;$/gm, '');
  const given = ['client', 'keys', 'repository', 'image'].filter(
    (name) => !new RegExp(`\\b(?:const|let) \\{?[^=;]*\\b${name}\\b[^=;]*\\}? =`).test(body),
  );
  return `${GIVEN}${imports.join('\n')}\nexport async function example({ ${given.join(', ')} }: $Given): Promise<void> {\n${body}}\n`;
}
