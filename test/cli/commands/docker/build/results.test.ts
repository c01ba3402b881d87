import { describe, expect, test } from 'bun:test';
import { type BuildOptions, Workshop } from './workshop.ts';

const A = 'a'.repeat(64);
const SIGNED = { 'host:5000/library/busybox:latest': A };
const WAYS: readonly (readonly [string, BuildOptions])[] = [
  ['with trust', { cli: 'buildx', signed: SIGNED, defaultRegistry: 'host:5000' }],
  ['without trust', { cli: 'buildx', signed: SIGNED, defaultRegistry: 'host:5000', trust: false }],
];

async function handedOver(words: readonly string[], options: BuildOptions): Promise<readonly string[] | undefined> {
  const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
  const { call } = await workshop.build(['build', ...words, '.'], options);
  return call?.argv.slice(3, -1);
}

describe.each(WAYS)('a default registry, %s', (_, options) => {
  test.each([
    ['type=image,name=alice/b:x', 'type=image,name=host:5000/alice/b:x'],
    ['type=registry,name=b', 'type=registry,name=host:5000/library/b'],
    [
      'type=image,"name=alice/b:x,alice/c,other:1/d",push=true',
      'type=image,"name=host:5000/alice/b:x,host:5000/alice/c,other:1/d",push=true',
    ],
    ['"type=docker","name=alice/b"', 'type=docker,name=host:5000/alice/b'],
    ['type=image,dangling-name-prefix=alice/b', 'type=image,dangling-name-prefix=host:5000/alice/b'],
    ['type=image,name=*', 'type=image,name=*'],
    ['type=image,name=', 'type=image,name='],
    ['type=oci,dest=name=b', 'type=oci,dest=name=b'],
    ['type=local,dest=out', 'type=local,dest=out'],
    ['out', 'out'],
    ['name=out', 'name=out'],
    ['-', '-'],
    ['', ''],
  ])('--output %s becomes %s', async (typed, expected) => {
    expect(await handedOver(['--output', typed], options)).toEqual(['--output', expected]);
    expect(await handedOver([`-o=${typed}`], options)).toEqual([`-o=${expected}`]);
  });

  test.each([
    ['type=registry,ref=alice/cache', 'type=registry,ref=host:5000/alice/cache'],
    ['type=registry,mode=max,ref=alice/cache:x', 'type=registry,mode=max,ref=host:5000/alice/cache:x'],
    ['alice/cache,b', 'host:5000/alice/cache,host:5000/library/b'],
    ['type=local,dest=x', 'type=local,dest=x'],
    ['type=inline', 'type=inline'],
    ['', ''],
  ])('--cache-to %s becomes %s', async (typed, expected) => {
    expect(await handedOver(['--cache-to', typed], options)).toEqual(['--cache-to', expected]);
  });

  test('tags mean it as well', async () => {
    expect(await handedOver(['-t', 'alice/b', '--tag=c:1'], options)).toEqual([
      ...['-t', 'host:5000/alice/b', '--tag=host:5000/library/c:1'],
    ]);
  });
});

test('without a default registry the names of the result stay as they are', async () => {
  const signed = { 'docker.io/library/busybox:latest': A };
  const words = ['-o', 'type=image,name=docker.io/alice/b', '--cache-to', 'docker.io/alice/c', '-t', 'docker.io/d'];
  expect(await handedOver(words, { cli: 'buildx', signed })).toEqual(words);
});

test('without trust, what only docker can make sense of is docker’s', async () => {
  const words = ['--output', 'type=image,name=a,name=b', '--cache-from', 'type=registry,"ref'];
  expect(await handedOver(words, { cli: 'buildx', trust: false, defaultRegistry: 'host:5000' })).toEqual(words);
});

test('podman’s list of manifests has a name, too', async () => {
  const options: BuildOptions = { cli: 'podman', signed: SIGNED, defaultRegistry: 'host:5000' };
  expect(await handedOver(['--manifest', 'alice/list'], options)).toEqual(['--manifest', 'host:5000/alice/list']);
});
