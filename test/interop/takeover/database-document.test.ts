import { expect, test } from 'bun:test';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '../../../src/serve/settings/read-settings.ts';
import { atEnd } from '../../support/cleanup.ts';
import { beginningOf, blocksOf, examplesIn, patternOf, readDocument } from '../../support/documents.ts';
import { endChild } from '../../support/end.ts';
import { Person, succeeds } from '../../support/notary-client.ts';
import { startNotaryOnDatabase } from '../../support/notary-on-database.ts';
import { run } from '../../support/run.ts';
import { freePort, signetCommand } from '../../support/signet-server.ts';
import { describeSqlServers } from '../../support/sql-databases.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { targetsOf } from '../delegated.ts';

const DOCUMENT = readDocument('docs/migrate-database.md');
const GUN = 'notary.example.com/team/app';

test('the settings that the document shows are ones, together', () => {
  const folder = temporaryFolder();
  for (const text of blocksOf(DOCUMENT, 'json')) {
    const file = join(folder, 'signet.json');
    writeFileSync(file, text);
    const settings = readSettings({ file, folder });
    expect(settings.databaseFile).toBe(join(folder, 'server.url'));
    expect(settings.signerPassphrases).toBe(join(folder, 'signer.env'));
  }
  expect(blocksOf(DOCUMENT, 'json')).toHaveLength(3);
});

describeSqlServers(({ start }) => {
  test('the commands of docs/migrate-database.md do what it says', async () => {
    const made = await startNotaryOnDatabase(await start());
    const owner = new Person(made.notary);
    await succeeds(owner.notary('init', GUN, '-p'));
    await succeeds(owner.notary('key', 'rotate', GUN, 'snapshot', '-r'));
    await succeeds(owner.add(GUN, 'before'));

    // The files that the document has one write, with the address and the certificates of this test.
    const folder = temporaryFolder();
    const port = await freePort();
    const environment = Object.entries(made.environment).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(folder, 'server.url'), `${made.database}\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'signer.url'), `${made.keyDatabase}\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'signer.env'), environment.join(''), { mode: 0o600 });
    copyFileSync(made.notary.certificate, join(folder, 'tls.crt'));
    copyFileSync(made.notary.key, join(folder, 'tls.key'));
    const [settings = ''] = blocksOf(DOCUMENT, 'json');
    writeFileSync(join(folder, 'signet.json'), settings.replace('0.0.0.0:4443', `127.0.0.1:${port}`));

    const env = { PATH: process.env.PATH ?? '', HOME: folder };
    // The third block, about RethinkDB, has a test of its own.
    const blocks = blocksOf(DOCUMENT, 'console');
    expect(blocks).toHaveLength(3);
    const examples = blocks.slice(0, 2).flatMap(examplesIn);
    expect(examples.map(({ line }) => line)).toEqual([
      'signet serve --data data --config signet.json --check',
      'signet serve --data data --config signet.json',
    ]);
    const [check, serve] = examples;
    const commandOf = (line = '') => [...signetCommand(), ...line.split(' ').slice(1)];
    const checked = await run(commandOf(check?.line), { cwd: folder, env });
    expect(checked.stderr).toBe('');
    expect(checked.stdout).toMatch(patternOf(check?.output ?? ''));
    expect(checked.exitCode).toBe(0);
    expect(existsSync(join(folder, 'data'))).toBe(false);

    const child = Bun.spawn(commandOf(serve?.line), { cwd: folder, env, stdout: 'pipe', stderr: 'ignore' });
    atEnd(() => void endChild(child));
    const { value } = await child.stdout.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toMatch(beginningOf(serve?.output ?? ''));
    // Both serve; then only Signet does; then only Notary again.
    const signet = { ...made.notary, origin: `https://localhost:${port}`, host: `localhost:${port}` };
    await succeeds(owner.at(signet).add(GUN, 'beside'));
    expect(await targetsOf(owner, GUN)).toEqual(['before targets', 'beside targets']);
    await made.stop();
    await succeeds(owner.at(signet).add(GUN, 'after'));
    await endChild(child);
    await made.start();
    expect(await targetsOf(new Person(made.notary), GUN)).toEqual([
      'after targets',
      'before targets',
      'beside targets',
    ]);
    await made.stop();
  }, 120_000);
});
