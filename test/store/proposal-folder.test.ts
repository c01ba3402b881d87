import { expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseProposal } from '../../src/core/edit/proposal.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { ProposalFolder } from '../../src/store/proposal-folder.ts';
import { MetadataFolder } from '../../src/store/trust-folder.ts';
import { proposalOf, proposalStoreSuite } from '../core/edit/proposal-store.suite.ts';
import { atEnd } from '../support/cleanup.ts';
import { failure } from '../support/failure.ts';
import { run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

const APP = parseGun('registry.example.com:5000/team/app');
const PATH = 'tuf/registry.example.com:5000/team/app/proposal.json';
const WRITER = join(import.meta.dir, 'proposal-writer.ts');
const [ONE, TWO] = [proposalOf(APP, 'one'), proposalOf(APP, 'two')];

proposalStoreSuite('proposals in the trust folder', () => {
  const base = temporaryFolder();
  return { store: new ProposalFolder(base), connect: () => new ProposalFolder(base) };
});

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test('a proposal is a private file that can be passed on', async () => {
  const base = join(temporaryFolder(), 'trust');
  const folder = new ProposalFolder(base);
  expect(folder.pathOf(APP)).toBe(join(base, PATH));
  await folder.replace(APP, undefined, ONE);
  expect(readFileSync(folder.pathOf(APP)).equals(ONE)).toBe(true);
  expect(modeOf(folder.pathOf(APP))).toBe('600');
  expect(modeOf(dirname(folder.pathOf(APP)))).toBe('700');
  expect(readdirSync(dirname(folder.pathOf(APP)))).toEqual(['proposal.json']);
});

test('one that came from elsewhere is read where it is put', async () => {
  const folder = new ProposalFolder(temporaryFolder());
  mkdirSync(dirname(folder.pathOf(APP)), { recursive: true });
  writeFileSync(folder.pathOf(APP), ONE, { mode: 0o644 });
  expect(await folder.read(APP)).toEqual(ONE);
  expect(await folder.replace(APP, ONE, TWO)).toBe(true);
  expect(modeOf(folder.pathOf(APP))).toBe('600');
});

test('reading makes nothing, and nothing is left of what is removed', async () => {
  const base = join(temporaryFolder(), 'trust');
  const folder = new ProposalFolder(base);
  expect(await folder.read(APP)).toBeUndefined();
  expect(await folder.replace(APP, ONE, undefined)).toBe(true);
  expect(existsSync(base)).toBe(false);
  await folder.replace(APP, undefined, ONE);
  await folder.replace(APP, ONE, undefined);
  expect(readdirSync(base)).toEqual([]);
  expect(await folder.replace(APP, ONE, TWO)).toBe(false);
  expect(readdirSync(base)).toEqual([]);
});

test('metadata beside it stays, and sees no collection in it', async () => {
  const base = temporaryFolder();
  const [folder, cache] = [new ProposalFolder(base), new MetadataFolder(base)];
  await folder.replace(APP, undefined, ONE);
  expect(await cache.guns()).toEqual([]);
  await cache.write(APP, 'root', Buffer.from('x'));
  await folder.replace(APP, ONE, undefined);
  expect((await cache.read(APP, 'root'))?.toString()).toBe('x');
  await folder.replace(APP, undefined, ONE);
  await cache.remove(APP);
  expect(await folder.read(APP)).toEqual(ONE);
});

test('no link below the base is followed', async () => {
  const [base, elsewhere] = [temporaryFolder(), temporaryFolder()];
  const folder = new ProposalFolder(base);
  writeFileSync(join(elsewhere, 'proposal.json'), ONE);
  mkdirSync(dirname(folder.pathOf(APP)), { recursive: true });
  symlinkSync(join(elsewhere, 'proposal.json'), folder.pathOf(APP));
  await failure(folder.read(APP), 'file-unsafe');
  await failure(folder.replace(APP, ONE, TWO), 'file-unsafe');
  rmSync(dirname(folder.pathOf(APP)), { recursive: true });
  symlinkSync(elsewhere, dirname(folder.pathOf(APP)));
  await failure(folder.read(APP), 'file-unsafe');
  await failure(folder.replace(APP, undefined, TWO), 'file-unsafe');
  expect(readdirSync(elsewhere)).toEqual(['proposal.json']);
  expect(readFileSync(join(elsewhere, 'proposal.json')).equals(ONE)).toBe(true);
});

test('a folder, and a file larger than any proposal, are none', async () => {
  const folder = new ProposalFolder(temporaryFolder());
  mkdirSync(folder.pathOf(APP), { recursive: true });
  await failure(folder.read(APP), 'file-unsafe');
  await failure(folder.replace(APP, undefined, ONE), 'file-unsafe');
  rmSync(folder.pathOf(APP), { recursive: true });
  writeFileSync(folder.pathOf(APP), Buffer.alloc(64 * 1024 * 1024 + 1));
  await failure(folder.read(APP), 'too-large');
  await failure(folder.replace(APP, undefined, ONE), 'too-large');
  expect(readdirSync(dirname(folder.pathOf(APP)))).toEqual(['proposal.json']);
});

test('who finds the lock of a process that was just killed is told, and nothing is lost', async () => {
  const folder = new ProposalFolder(temporaryFolder());
  await folder.replace(APP, undefined, ONE);
  const lock = `${folder.pathOf(APP)}.lock`;
  writeFileSync(lock, TWO.subarray(0, 20));
  const error = await failure(folder.replace(APP, ONE, TWO), 'file-locked');
  expect(error.message).toContain(lock);
  expect(await folder.read(APP)).toEqual(ONE);
  rmSync(lock);
  expect(await folder.replace(APP, ONE, TWO)).toBe(true);
}, 30_000);

test('the lock of a process that was killed long ago is in no one’s way', async () => {
  const folder = new ProposalFolder(temporaryFolder());
  await folder.replace(APP, undefined, ONE);
  const lock = `${folder.pathOf(APP)}.lock`;
  writeFileSync(lock, TWO.subarray(0, 20));
  const longAgo = new Date(Date.now() - 120_000);
  utimesSync(lock, longAgo, longAgo);
  expect(await folder.replace(APP, ONE, TWO)).toBe(true);
  expect(await folder.read(APP)).toEqual(TWO);
});

test('a lock that is held for a moment is waited for', async () => {
  const folder = new ProposalFolder(temporaryFolder());
  await folder.replace(APP, undefined, ONE);
  const lock = `${folder.pathOf(APP)}.lock`;
  writeFileSync(lock, '');
  const replacing = folder.replace(APP, ONE, TWO);
  rmSync(lock);
  expect(await replacing).toBe(true);
  expect(await folder.read(APP)).toEqual(TWO);
});

test('processes at the same moment lose nothing of each other', async () => {
  const base = temporaryFolder();
  const writers = ['a', 'b', 'c', 'd'];
  const outcomes = await Promise.all(writers.map((name) => run([process.execPath, WRITER, base, APP, name, '25'])));
  expect(outcomes.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(writers.map(() => [0, '']));
  const added = outcomes.flatMap(({ stdout }) => stdout.trim().split('\n'));
  expect(added).toHaveLength(100);
  const text = (await new ProposalFolder(base).read(APP)) ?? Buffer.alloc(0);
  expect([...parseProposal(text).files.keys()].sort() as string[]).toEqual(added.sort());
}, 60_000);

test('a process that is killed leaves a whole proposal, with all that it said was in it', async () => {
  const base = temporaryFolder();
  const folder = new ProposalFolder(base);
  for (let round = 0; round < 5; round++) {
    const command = [process.execPath, WRITER, base, APP, `r${round}`, '60'];
    const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' });
    atEnd(() => child.kill('SIGKILL'));
    let said = '';
    for await (const piece of child.stdout) {
      said += Buffer.from(piece).toString();
      if (said.split('\n').length > 5) child.kill('SIGKILL');
    }
    const text = (await folder.read(APP)) ?? Buffer.alloc(0);
    const roles: readonly string[] = [...parseProposal(text).files.keys()];
    for (const role of said.split('\n').slice(0, -1)) expect(roles).toContain(role);
    rmSync(`${folder.pathOf(APP)}.lock`, { force: true });
  }
}, 60_000);
