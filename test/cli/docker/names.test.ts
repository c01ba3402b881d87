import { beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { expandNames, mayNameImages } from '../../../src/cli/docker/names.ts';
import { findDocker } from '../../../src/engine/cli.ts';
import { SyntaxBook } from '../../../src/engine/learn.ts';
import { dockerClis } from '../../support/clis.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { type FakeSession, fakeImage, uninitialised } from '../fake-session.ts';

const DEFAULT = 'registry.example.com';
const ID = 'a'.repeat(64);
let book: SyntaxBook;
let session: FakeSession;

beforeAll(async () => {
  const [cli] = await dockerClis();
  const env = { ...process.env, XDG_CACHE_HOME: temporaryFolder(), SIGNET_DOCKER: `${cli?.path}` };
  book = new SyntaxBook(await findDocker(env), env);
});
beforeEach(async () => {
  session = await uninitialised();
  session.configuration = { ...session.configuration, defaultRegistry: DEFAULT };
  for (const name of ['alice/app', 'alice/app:v1', 'library/busybox']) {
    session.inEngine.set(`${DEFAULT}/${name}`, fakeImage(name));
  }
});

/** The command line as docker gets it; `rest` follows the first word. */
const expand = async (word: string, ...rest: string[]) =>
  (await expandNames(session, book, [word], [word], rest)).slice(1).join(' ');

describe('a short name of an image that the engine has is written out', () => {
  test.each([
    ['rmi', 'alice/app:v1', 'registry.example.com/alice/app:v1'],
    ['rmi', '-f alice/app alice/app:v1', '-f registry.example.com/alice/app registry.example.com/alice/app:v1'],
    ['rmi', 'busybox', 'registry.example.com/library/busybox'],
    ['image', 'rm alice/app', 'rm registry.example.com/alice/app'],
    ['image', 'inspect --format x alice/app', 'inspect --format x registry.example.com/alice/app'],
    ['save', '-o file alice/app', '-o file registry.example.com/alice/app'],
    ['history', 'alice/app', 'registry.example.com/alice/app'],
    ['tag', 'alice/app alice/new:v2', 'registry.example.com/alice/app registry.example.com/alice/new:v2'],
    ['commit', 'container alice/new', 'container registry.example.com/alice/new'],
    ['import', 'file.tar alice/new', 'file.tar registry.example.com/alice/new'],
  ])('%s %s', async (word, rest, expected) => {
    expect(await expand(word, ...rest.split(' '))).toBe(expected);
  });
});

describe('what is no short name of an image here stays as it was typed', () => {
  test.each([
    ['rmi', 'alice/other'],
    ['rmi', ID],
    ['rmi', 'docker.io/alice/app'],
    ['rmi', 'localhost/alice/app'],
    ['rmi', 'UPPER'],
    ['tag', 'container-not-image alice'],
    ['history', '--no-such-option alice/app'],
    ['inspect', 'app'],
    ['ps', '-a'],
  ])('%s %s', async (word, rest) => {
    const expected = word === 'tag' ? `container-not-image ${DEFAULT}/library/alice` : rest;
    expect(await expand(word, ...rest.split(' '))).toBe(expected);
  });
});

describe('what names images', () => {
  test.each([
    ['rmi', [], true],
    ['image', ['rm'], true],
    ['image', ['prune'], false],
    ['container', ['commit'], true],
    ['ps', [], false],
    ['run', [], false],
  ])('%s %j: %p', (word, rest, expected) => {
    expect(mayNameImages([word], rest)).toBe(expected);
  });
});
