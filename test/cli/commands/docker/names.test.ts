import { beforeEach, describe, expect, test } from 'bun:test';
import { isCommandWord } from '../../../../src/cli/commands/docker/closed-world/commands.ts';
import { imagePlaces } from '../../../../src/cli/commands/docker/image-places.ts';
import { expandNames } from '../../../../src/cli/commands/docker/names.ts';
import { readCommandLine } from '../../../../src/engine/cli/command.ts';
import { RECORDED_CLIS, readTree, recordedBook, spellings } from '../../../engine/command-tree.ts';
import { type FakeSession, fakeImage, uninitialised } from '../../fake-session.ts';

const DEFAULT = 'registry.example.com';
const ID = 'a'.repeat(64);
const book = recordedBook('docker-29');
let session: FakeSession;

beforeEach(async () => {
  session = await uninitialised();
  session.configuration = { ...session.configuration, defaultRegistry: DEFAULT };
  for (const name of ['alice/app', 'alice/app:v1', 'library/busybox']) {
    session.inEngine.set(`${DEFAULT}/${name}`, fakeImage(name));
  }
});

/** The command line as docker gets it, without the first word. */
async function expand(word: string, ...rest: string[]): Promise<string> {
  const argv = [word, ...rest];
  const line = await readCommandLine(book, argv, isCommandWord);
  const places = imagePlaces(line.words);
  return (places === undefined ? argv : await expandNames(session, book, line, places)).slice(1).join(' ');
}

describe('a short name of an image that the engine has is written out', () => {
  test.each([
    ['rmi', 'alice/app:v1', 'registry.example.com/alice/app:v1'],
    ['rmi', '-f alice/app alice/app:v1', '-f registry.example.com/alice/app registry.example.com/alice/app:v1'],
    ['rmi', 'busybox', 'registry.example.com/library/busybox'],
    ['image', 'rm alice/app', 'rm registry.example.com/alice/app'],
    ['image', 'remove alice/app', 'remove registry.example.com/alice/app'],
    ['image', 'inspect --format x alice/app', 'inspect --format x registry.example.com/alice/app'],
    ['save', '-o file alice/app', '-o file registry.example.com/alice/app'],
    ['history', 'alice/app', 'registry.example.com/alice/app'],
    ['tag', 'alice/app alice/new:v2', 'registry.example.com/alice/app registry.example.com/alice/new:v2'],
    ['commit', 'container alice/new', 'container registry.example.com/alice/new'],
    ['import', 'file.tar alice/new', 'file.tar registry.example.com/alice/new'],
    ['inspect', 'alice/app', 'registry.example.com/alice/app'],
    ['inspect', '--type image busybox', '--type image registry.example.com/library/busybox'],
    ['ps', '-a --filter ancestor=busybox', '-a --filter ancestor=registry.example.com/library/busybox'],
    ['ps', '-f=ancestor=alice/app:v1', '-f=ancestor=registry.example.com/alice/app:v1'],
    ['container', 'ls --filter Ancestor=alice/app', 'ls --filter ancestor=registry.example.com/alice/app'],
    ['images', '-f before=alice/app', '-f before=registry.example.com/alice/app'],
    ['image', 'list --filter since=busybox', 'list --filter since=registry.example.com/library/busybox'],
  ])('%s %s', async (word, rest, expected) => {
    expect(await expand(word, ...rest.split(' '))).toBe(expected);
  });
});

describe('what is listed by a short name is listed under both', () => {
  test.each([
    ['images', 'alice/app', '--filter reference=registry.example.com/alice/app alice/app'],
    ['images', 'alice/*:v?', '--filter reference=registry.example.com/alice/*:v? alice/*:v?'],
    ['images', 'busy*', '--filter reference=registry.example.com/library/busy* busy*'],
    [
      'images',
      '-q --filter reference=alice/app',
      '--filter reference=registry.example.com/alice/app -q --filter reference=alice/app',
    ],
    [
      'image',
      'ls -f reference=a/x -f dangling=true -f reference=b/*',
      'ls --filter reference=registry.example.com/b/* --filter reference=registry.example.com/a/x ' +
        '-f reference=a/x -f dangling=true -f reference=b/*',
    ],
    ['events', '--filter image=busybox', '--filter image=registry.example.com/library/busybox --filter image=busybox'],
  ])('%s %s', async (word, rest, expected) => {
    expect(await expand(word, ...rest.split(' '))).toBe(expected);
  });
});

describe('a short name for a registry is written out, whether or not the engine has the image', () => {
  test.each([
    ['manifest', 'inspect alice/new', 'inspect registry.example.com/alice/new'],
    ['manifest', 'create a/list a/one', 'create registry.example.com/a/list registry.example.com/a/one'],
    ['manifest', 'push --purge a/list', 'push --purge registry.example.com/a/list'],
    [
      'manifest',
      'annotate a/l a/o --arch arm',
      'annotate registry.example.com/a/l registry.example.com/a/o --arch arm',
    ],
    ['buildx', 'imagetools inspect --raw busybox', 'imagetools inspect --raw registry.example.com/library/busybox'],
    [
      'buildx',
      '--builder b imagetools create -t alice/new alice/app',
      '--builder b imagetools create -t registry.example.com/alice/new registry.example.com/alice/app',
    ],
    ['builder', 'imagetools -D inspect alice/new', 'imagetools -D inspect registry.example.com/alice/new'],
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
    ['history', '--no-such-option alice/app'],
    ['inspect', 'app'],
    ['inspect', '--type container alice'],
    ['ps', '-a'],
    ['ps', '--filter name=busybox'],
    ['ps', '--filter ancestor=alice/other'],
    ['ps', '--filter ancestor'],
    ['images', 'docker.io/*'],
    ['images', '--filter dangling=true'],
    ['buildx', `imagetools create sha256:${ID}`],
    ['buildx', 'imagetools'],
    ['buildx', 'imagetools frobnicate alice/app'],
    ['buildx', 'du alice/app'],
  ])('%s %s', async (word, rest) => {
    expect(await expand(word, ...rest.split(' '))).toBe(rest);
  });
});

/** Commands whose usage speaks of images and whose names Signet does not write out, with the reason. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:container |)(?:run|create)$|^(?:image |)(?:pull|push)$|^service (?:create|update)$/,
    'they expand their names themselves',
  ],
  [/^(?:image |builder |buildx |)build$|^buildx b$/, 'it expands its names itself'],
  [/ (?:dap|debug) build$/, 'a debugger reads the Dockerfile itself, in which short names mean Docker Hub'],
  [/^trust /, "Signet's own"],
  [/^compose /, 'compose reads short names in its files, and these mean Docker Hub'],
];
const NAMES_IMAGES = /IMAGE|REPOSITORY|MANIFEST|\bSOURCE|NAME\[:TAG|imagetools inspect/;
const TELLS_OF_IMAGES = /^ +(?:-t, )--tag|^ +--image /m;

describe('the recorded commands that name images', () => {
  test.each(RECORDED_CLIS)('%s: each is known under every spelling, or left out for a reason', (cli) => {
    const naming = readTree(cli).filter(({ help }) => {
      const usage = /^Usage:\s+(.*)$/m.exec(help)?.[1] ?? '';
      return NAMES_IMAGES.test(usage) || TELLS_OF_IMAGES.test(help);
    });
    const typed = naming
      .flatMap(spellings)
      .filter((words) => !OTHERS.some(([pattern]) => pattern.test(words.join(' '))));
    const unknown = typed.filter((words) => imagePlaces(words) === undefined);
    expect(unknown).toEqual([]);
    expect(typed.length).toBeGreaterThan(20);
  });
});
