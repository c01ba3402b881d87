import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../../../scripts/paths.ts';
import { classOf } from '../../../../../src/cli/commands/docker/build/option-list.ts';
import { parseHelp } from '../../../../../src/engine/cli/help.ts';
import { RECORDED_CLIS, readTree } from '../../../../engine/command-tree.ts';
import { type BuildOptions, Workshop } from './workshop.ts';

const FIXTURES = join(ROOT, 'test/engine/fixtures');
const BUILDS: readonly string[] = ['build', 'image build', 'builder build', 'buildx build'];

/** Every recorded help of a build: files of their own, and those in the trees of commands. */
const HELPS: readonly (readonly [string, string])[] = [
  ...readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/build.txt'))
    .map((path) => [path, readFileSync(join(FIXTURES, path), 'utf8')] as const),
  ...RECORDED_CLIS.flatMap((cli) =>
    readTree(cli)
      .filter(({ words }) => BUILDS.includes(words.join(' ')))
      .map(({ words, help }) => [`${cli}: ${words.join(' ')}`, help] as const),
  ),
];

test('the recorded helps are found', () => {
  const names = HELPS.map(([name]) => name);
  expect(names).toContain('docker-20.10/build.txt');
  expect(names).toContain('buildx/build.txt');
  expect(names).toContain('podman-4.3/build.txt');
  for (const cli of RECORDED_CLIS) expect(names).toContain(`${cli}: build`);
});

describe.each(HELPS)('%s', (name, help) => {
  const kind = name.startsWith('podman') ? 'podman' : 'docker';
  const { flags } = parseHelp(help, ['build']);

  test.each(flags.map(({ long, short }) => long ?? short ?? ''))('--%s has its class', (flag) => {
    expect(classOf(kind, flag)).toBeDefined();
  });
});

test.each<[BuildOptions['cli'], string[], string]>([
  ['buildx', ['--new=x'], 'docker build --new is not known to Signet, which cannot tell what it brings in'],
  ['buildx', ['--policy', 'filename=x.rego'], 'docker build --policy may have images replaced after they are checked'],
  ['buildx', ['-Z'], 'docker build -Z is not known to Signet, which cannot tell what it brings in'],
  ['podman', ['--from=busybox'], 'podman build --from puts another image into the Dockerfile'],
  ['podman', ['--new=x'], 'podman build --new is not known to Signet, which cannot tell what it brings in'],
])('with %s, %j is refused', async (cli, words, message) => {
  const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
  const help = `${readFileSync(join(FIXTURES, cli === 'podman' ? 'podman-4.3' : 'buildx', 'build.txt'), 'utf8')}`;
  const more =
    'Options:\n      --new string      New\n      --policy string   Policy\n  -Z                    Also new\n';
  workshop.write('help', help.replace(/^Options:\n/m, more));
  const { failure, call, exitCode } = await workshop.build(['build', ...words, '.'], {
    ...(cli === undefined ? {} : { cli }),
    signed: { 'docker.io/library/busybox:latest': 'a'.repeat(64) },
    env: { FAKE_HELP: join(workshop.folder, 'help') },
  });
  expect(failure).toMatchObject({
    code: 'build-option-unsafe',
    message,
    next: 'Leave it out, or run this one build without trust: --disable-content-trust',
  });
  expect([exitCode, call]).toEqual([1, undefined]);
});

test('without trust every option is docker’s', async () => {
  const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
  const words = ['build', '--from=busybox', '.'];
  const { call } = await workshop.build(words, { cli: 'podman', trust: false, defaultRegistry: 'host:5000' });
  expect(call?.argv).toContain('--from=busybox');
});
