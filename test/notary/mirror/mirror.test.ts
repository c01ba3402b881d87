import { beforeEach, describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatCopies } from '../../../src/core/copy/copy-file.ts';
import { digestHex, digestOf } from '../../../src/core/names/digest.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { RELEASES } from '../../../src/core/names/role.ts';
import { type MirrorService, openMirror } from '../../../src/notary/mirror/mirror-service.ts';
import { copyOf, rotatedRepository } from '../../support/copies.ts';
import { failure } from '../../support/failure.ts';
import { ask as askRoutes } from '../../support/routes.ts';
import { GUN, type Simulator, target } from '../../support/simulator.ts';
import { temporaryFolder } from '../../support/temp.ts';

let simulator: Simulator;
let folder: string;
let file: string;
let errors: string[];
const logger = {
  info: () => {},
  warn: () => {},
  error: (message: string) => void errors.push(message),
};

beforeEach(async () => {
  folder = temporaryFolder();
  errors = [];
  simulator = await rotatedRepository();
  mkdirSync(join(folder, 'acme'));
  file = join(folder, 'acme/app.copy');
  writeFileSync(file, formatCopies([await copyOf(simulator)]));
});

const open = (paths: readonly string[] = [folder]) => openMirror({ paths, logger });

async function ask(mirror: MirrorService, path: string, method = 'GET'): Promise<Response> {
  const url = new URL(`https://mirror.example/v2/${GUN}/_trust/${path}`);
  const init = { method, ...(method === 'POST' ? { body: 'x' } : {}) };
  const answer = await askRoutes(mirror.routes, new Request(url.href, init));
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

describe('a mirror', () => {
  test('serves every file by name, by version and by checksum, to the byte', async () => {
    const mirror = open();
    for (const role of ['root', 'timestamp', 'snapshot', 'targets', RELEASES] as const) {
      const bytes = simulator.file(role);
      for (const name of [role, `${role}.${digestHex(digestOf(bytes))}`]) {
        const answer = await ask(mirror, `tuf/${name}.json`);
        expect([name, answer.status]).toEqual([name, 200]);
        expect((await bytesOf(answer)).equals(bytes)).toBe(true);
      }
    }
    for (const version of [1, 2, 3]) {
      const bytes = await bytesOf(await ask(mirror, `tuf/${version}.root.json`));
      expect(simulator.byName(`${version}.root`)?.equals(bytes)).toBe(true);
    }
    expect((await ask(mirror, 'tuf/4.root.json')).status).toBe(404);
    expect(await (await ask(mirror, 'changefeed?records=10')).text()).toBe('{"count":0,"records":[]}');
  });

  test.each([
    ['POST', 'tuf/'],
    ['DELETE', 'tuf/'],
    ['GET', 'tuf/timestamp.key'],
    ['POST', 'tuf/snapshot.key'],
  ])('refuses %s %s with the reason', async (method, path) => {
    if (method === 'POST' && path === 'tuf/') {
      const form = new FormData();
      form.append('files', new Blob(['{}']), 'root');
      const url = new URL(`https://mirror.example/v2/${GUN}/_trust/tuf/`);
      const answer = await askRoutes(open().routes, new Request(url.href, { method, body: form }));
      expect(answer?.status).toBe(403);
      return;
    }
    const answer = await ask(open(), path, method);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual({
      errors: [
        {
          code: 'READ_ONLY_MIRROR',
          message: 'This trust server is a mirror: it serves copies, has no keys, and takes no changes.',
        },
      ],
    });
  });

  test('says where a collection comes from and until when clients can use it', async () => {
    expect(await (await ask(open(), 'signet/mirror')).json()).toEqual({
      server: 'https://notary.example.com/',
      read: '2026-11-23T12:00:00Z',
      until: '2026-12-07T12:00:00Z',
    });
  });

  test('takes up files that were replaced, and serves on what it had if they are damaged', async () => {
    const mirror = open();
    const before = simulator.file('timestamp');
    await simulator.edit((editor) => editor.addTarget('targets', 'newer', target(4)));
    const next = formatCopies([await copyOf(simulator)]);
    writeFileSync(file, next.subarray(0, -1));
    await mirror.reload();
    expect(errors).toHaveLength(1);
    expect(await mirror.health()).toEqual({ mirror: expect.stringContaining(`${file}: this is not a valid copy`) });
    expect((await bytesOf(await ask(mirror, 'tuf/timestamp.json'))).equals(before)).toBe(true);
    writeFileSync(file, next);
    await mirror.reload();
    expect(await mirror.health()).toEqual({});
    expect((await bytesOf(await ask(mirror, 'tuf/timestamp.json'))).equals(simulator.file('timestamp'))).toBe(true);
    rmSync(file);
    await mirror.reload();
    expect((await ask(mirror, 'tuf/timestamp.json')).status).toBe(404);
  });

  test('of several copies of one repository serves the newest, whatever their order', async () => {
    const old = join(folder, 'acme/old.copy');
    writeFileSync(old, formatCopies([await copyOf(simulator)]));
    await simulator.edit((editor) => editor.addTarget('targets', 'newer', target(4)));
    writeFileSync(file, formatCopies([await copyOf(simulator)]));
    for (const paths of [
      [old, file],
      [file, old],
    ]) {
      const bytes = await bytesOf(await ask(open(paths), 'tuf/timestamp.json'));
      expect(bytes.equals(simulator.file('timestamp'))).toBe(true);
    }
  });

  test('does not go back to an older copy, nor to another root, while it runs', async () => {
    const older = formatCopies([await copyOf(simulator)]);
    const another = formatCopies([await copyOf(await rotatedRepository())]);
    await simulator.edit((editor) => editor.addTarget('targets', 'newer', target(4)));
    const newer = formatCopies([await copyOf(simulator)]);
    writeFileSync(file, newer);
    const mirror = open();
    const served = simulator.file('timestamp');
    const isServed = async () => (await bytesOf(await ask(mirror, 'tuf/timestamp.json'))).equals(served);
    const prefix = `${file}: the copy of ${GUN} cannot follow the one served before: `;
    for (const [bytes, why] of [
      [older, 'version 4 is lower than current version 5'],
      [another, `its roots do not come from the one that the mirror has of ${GUN}`],
    ] as const) {
      writeFileSync(file, bytes);
      await mirror.reload();
      expect(await mirror.health()).toEqual({ mirror: prefix + why });
      expect(await isServed()).toBe(true);
    }
    rmSync(file);
    await mirror.reload();
    expect(await mirror.health()).toEqual({});
    writeFileSync(file, older);
    await mirror.reload();
    expect(await mirror.health()).toEqual({ mirror: expect.stringContaining('is lower than current version') });
    expect((await ask(mirror, 'tuf/timestamp.json')).status).toBe(404);
    writeFileSync(file, newer);
    await mirror.reload();
    expect(await mirror.health()).toEqual({});
    expect(await isServed()).toBe(true);
  });

  describe('has no links in its folders:', () => {
    test.each<[string, string, (path: string, elsewhere: string) => void]>([
      ['a folder elsewhere', 'link', (path, elsewhere) => symlinkSync(elsewhere, path)],
      ['a folder around it', 'loop', (path) => symlinkSync('.', path)],
      ['the root of the system', 'rootdir', (path) => symlinkSync('/', path)],
      ['a file', 'acme/app.copy', (path, elsewhere) => symlinkSync(join(elsewhere, 'app.copy'), path)],
      ['nothing', 'gone.copy', (path, elsewhere) => symlinkSync(join(elsewhere, 'none'), path)],
    ])('%s', async (_, name, link) => {
      const elsewhere = temporaryFolder();
      cpSync(file, join(elsewhere, 'app.copy'));
      const mirror = open();
      const path = join(folder, name);
      rmSync(path, { force: true });
      link(path, elsewhere);
      const why = `cannot serve a mirror from ${path}: it is a symbolic link`;
      expect((await failure(open, 'mirror-unusable')).message).toBe(why);
      await mirror.reload();
      expect(await mirror.health()).toEqual({ mirror: why });
      expect((await ask(mirror, 'tuf/timestamp.json')).status).toBe(200);
    });

    test('nor pipes in the place of copies', async () => {
      const mirror = open();
      rmSync(file);
      expect(Bun.spawnSync(['mkfifo', file]).exitCode).toBe(0);
      const why = `cannot serve a mirror from ${file}: it is not a regular file`;
      expect((await failure(open, 'mirror-unusable')).message).toBe(why);
      await mirror.reload();
      expect(await mirror.health()).toEqual({ mirror: why });
      expect((await ask(mirror, 'tuf/timestamp.json')).status).toBe(200);
    });

    test('but where a path leads that was named is the choice of who named it', async () => {
      const links = temporaryFolder();
      symlinkSync(folder, join(links, 'folder'));
      symlinkSync(file, join(links, 'file'));
      for (const name of ['folder', 'file']) {
        expect((await ask(open([join(links, name)]), 'tuf/timestamp.json')).status).toBe(200);
      }
    });
  });

  test('with a copy that does not verify does not start, and names the file', async () => {
    const copy = await copyOf(simulator);
    writeFileSync(file, formatCopies([{ ...copy, gun: parseGun('docker.io/library/evil') }]));
    const error = await failure(open, 'copy-untrusted');
    expect(error.message).toStartWith(`${file}: the copy of docker.io/library/evil is not to be trusted`);
    writeFileSync(file, 'nothing of the kind');
    expect((await failure(open, 'copy-malformed')).message).toStartWith(`${file}: `);
    await failure(() => open([join(folder, 'none')]), 'mirror-unusable');
  });
});
