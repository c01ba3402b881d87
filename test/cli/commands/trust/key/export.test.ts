import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_EXPORT } from '../../../../../src/cli/commands/trust/key/export.ts';
import { KEY_IMPORT } from '../../../../../src/cli/commands/trust/key/import.ts';
import { parseKeyFile } from '../../../../../src/core/keys/key-file.ts';
import { parseGun } from '../../../../../src/core/names/gun.ts';
import { failure } from '../../../../support/failure.ts';
import { temporaryFolder } from '../../../../support/temp.ts';
import { calling } from '../../../calling.ts';
import { keeper, seen, stored } from './keeper.ts';

const exportKeys = calling(KEY_EXPORT);
const importKeys = calling(KEY_IMPORT);

const APP = parseGun('registry.example.com/acme/app');
const WEB = parseGun('registry.example.com/acme/web');
const HUB = parseGun('docker.io/acme/hub');

/** Somebody with a root key, the keys of three repositories, and a signer's key, all of them sealed. */
async function owner() {
  const person = await keeper();
  const passphrase = 'x';
  const root = await stored(person, 'root', { passphrase });
  const app = await stored(person, 'targets', { gun: APP, passphrase });
  const snapshot = await stored(person, 'snapshot', { gun: APP, passphrase });
  const web = await stored(person, 'targets', { gun: WEB, passphrase });
  const hub = await stored(person, 'targets', { gun: HUB, passphrase });
  const alice = await stored(person, 'alice', { passphrase });
  return { person, root: root.id, app: app.id, snapshot: snapshot.id, web: web.id, hub: hub.id, alice: alice.id };
}

const pathsIn = (text: string) => [...text.matchAll(/^path: (.*)$/gm)].map(([, id]) => id);
const warning = (id: string) => `Root keys are among them, keep the copy offline: ${id}\n`;

describe('which keys', () => {
  test('all of them, in the order of their IDs, and no one is asked for a passphrase', async () => {
    const { person, root, ...others } = await owner();
    expect(await exportKeys(person.session, [])).toBe(0);
    const ids = (await person.folder.list()).map(({ id }) => id);
    expect(ids.toSorted()).toEqual([root, others.app, others.snapshot, others.web, others.hub, others.alice].sort());
    expect(pathsIn(person.session.printed)).toEqual(ids);
    expect(person.session.errors).toBe(warning(root));
    expect(person.session.asked).toEqual([]);
    for (const key of parseKeyFile(Buffer.from(person.session.printed))) expect(key.encrypted).toBe(true);
  });

  test.each([
    ['of a repository', ['--gun', `${APP}`], ['app', 'snapshot']],
    ['of several repositories', ['--gun', `${APP}`, '--gun', `${WEB}`], ['app', 'snapshot', 'web']],
    ['of a repository by its short name', ['--gun', 'acme/hub'], ['hub']],
    ['of a Notary client’s collection by its whole name', ['-d', '/there', '--gun', `${HUB}`], ['hub']],
    ['by name', ['--key', 'alice'], ['alice']],
    ['of a repository, and one by name', ['--gun', `${WEB}`, '--key', 'alice', '--key', 'alice'], ['alice', 'web']],
  ] as const)('%s', async (_, words, names) => {
    const { person, ...ids } = await owner();
    expect(await exportKeys(person.session, words)).toBe(0);
    expect(pathsIn(person.session.printed)).toEqual(names.map((name) => ids[name]).sort());
    expect(person.session.errors).toBe('');
  });

  test('by the beginning of its ID', async () => {
    const { person, root } = await owner();
    expect(await exportKeys(person.session, ['--key', root.slice(0, 7)])).toBe(0);
    expect(pathsIn(person.session.printed)).toEqual([root]);
    expect(person.session.errors).toBe(warning(root));
  });

  test('none that is not here, and nothing then', async () => {
    const { person, alice } = await owner();
    const missing = await failure(exportKeys(person.session, ['--gun', 'acme/none']), 'signing-key-missing');
    expect(missing.message).toBe('no key here belongs to docker.io/acme/none');
    const mixed = ['--gun', 'acme/none', '--key', 'alice'];
    await failure(exportKeys(person.session, mixed), 'signing-key-missing');
    for (const text of ['bob', alice.slice(0, 6), '', alice.toUpperCase(), '../x']) {
      const error = await failure(exportKeys(person.session, ['--key', text]), 'signing-key-missing');
      expect(error.message).toBe(`no key has the ID or the name ${JSON.stringify(text)}`);
    }
    expect(seen(person.session)).toEqual({ printed: '', errors: '', asked: [] });
  });

  test('a name that several keys have is none of them', async () => {
    const { person, app, web, hub } = await owner();
    const error = await failure(exportKeys(person.session, ['--key', 'targets']), 'key-ambiguous');
    expect(error.message).toStartWith('"targets" fits 3 keys: ');
    for (const [id, gun] of [
      [app, APP],
      [web, WEB],
      [hub, HUB],
    ] as const) {
      expect(error.message).toContain(`${id} (targets key of ${gun})`);
    }
  });

  test('no one’s keys are no copy', async () => {
    const { session } = await keeper();
    const path = join(temporaryFolder(), 'keys.pem');
    const error = await failure(exportKeys(session, ['-o', path]), 'signing-key-missing');
    expect([error.message, existsSync(path)]).toEqual(['no signing keys found', false]);
  });
});

describe('into a file', () => {
  test('for its owner alone, from which all keys come back', async () => {
    const { person, root } = await owner();
    const path = join(temporaryFolder(), 'keys.pem');
    expect(await exportKeys(person.session, ['--output', path])).toBe(0);
    expect(seen(person.session)).toEqual({ printed: `Exported 6 keys to ${path}\n`, errors: warning(root), asked: [] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const other = await keeper();
    expect(await importKeys(other.session, [path])).toBe(0);
    const folders = [person, other].map(({ session }) => join(session.folder, 'trust/private'));
    for (const { id } of await person.folder.list()) {
      const [before, after] = folders.map((folder) => readFileSync(join(folder, `${id}.key`), 'utf8'));
      expect(after).toBe(before as string);
    }
  });

  test('that is not there yet, unless it is to be replaced', async () => {
    const { person } = await owner();
    const path = person.session.file('keys.pem', 'what was here');
    const link = join(temporaryFolder(), 'link.pem');
    symlinkSync(path, link);
    for (const taken of [path, link]) {
      const error = await failure(exportKeys(person.session, ['-o', taken]), 'file-exists');
      expect([error.message, error.next]).toEqual([
        `${taken} exists already`,
        'Name another file, or replace it: --force',
      ]);
    }
    expect(readFileSync(path, 'utf8')).toBe('what was here');
    expect(await exportKeys(person.session, ['-o', link, '--force', '--key', 'alice'])).toBe(0);
    expect(person.session.printed).toBe(`Exported 1 key to ${link}\n`);
    expect(readFileSync(path, 'utf8')).toBe('what was here');
    expect(parseKeyFile(readFileSync(link))).toHaveLength(1);
  });

  test('that cannot be written', async () => {
    const { person } = await owner();
    await failure(exportKeys(person.session, ['-o', join(temporaryFolder(), 'no/keys.pem')]), 'file-unwritable');
    const folder = join(temporaryFolder(), 'taken');
    mkdirSync(folder);
    await failure(exportKeys(person.session, ['--force', '-o', folder]), 'file-unwritable');
  });
});

test('keys in the clear are written where that is said', async () => {
  const person = await keeper();
  const { id } = await stored(person, 'alice');
  expect(await exportKeys(person.session, [])).toBe(0);
  expect(person.session.errors).toBe(`Not encrypted, whoever reads the copy can sign with them: ${id}\n`);
});

test('a damaged key is nowhere in the list, and stops no other', async () => {
  const { person, alice } = await owner();
  const path = join(person.session.folder, 'trust/private', `${'0'.repeat(64)}.key`);
  writeFileSync(path, 'no key');
  expect(await exportKeys(person.session, ['--key', 'alice'])).toBe(0);
  expect(pathsIn(person.session.printed)).toEqual([alice]);
});
