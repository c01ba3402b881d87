import { beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, isCommandWord } from '../../../src/cli/commands/docker/closed-world/commands.ts';
import { type DockerCli, findDocker } from '../../../src/engine/cli/cli.ts';
import { type CommandLine, readArguments, readCommandLine } from '../../../src/engine/cli/command.ts';
import { LearnedSyntax } from '../../../src/engine/cli/learn.ts';
import { captureDocker } from '../../../src/engine/cli/run.ts';
import { dockerClis } from '../../support/clis.ts';
import { random } from '../../support/random.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { readTree } from '../command-tree.ts';
import { startFakeEngine } from '../fake-engine.ts';

const UNKNOWN = { code: 'docker-flag-unknown' };
const clis: [string, DockerCli][] = [];
const cacheHome = temporaryFolder();
const env: NodeJS.ProcessEnv = { ...process.env, XDG_CACHE_HOME: cacheHome };

beforeAll(async () => {
  for (const { path, version } of await dockerClis()) {
    clis.push([version, await findDocker({ ...env, SIGNET_DOCKER: path })]);
  }
});

/** A docker command that is a shell script; it leaves a line in `calls` each time that it is called. */
function scriptedCli(script: string): { cli: DockerCli; calls: () => string[] } {
  const folder = temporaryFolder();
  const path = join(folder, 'docker');
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  writeFileSync(path, `#!/bin/sh\necho "$*" >> ${log}\n${script}\n`);
  chmodSync(path, 0o755);
  const calls = () => readFileSync(log, 'utf8').split('\n').filter(Boolean);
  return { cli: { path, kind: 'docker', version: '0', stamp: '1' }, calls };
}

const helpOf = (command: string) =>
  `printf '%s\\n' 'Usage:  docker ${command} [OPTIONS] IMAGE [COMMAND] [ARG...]' 'Options:' '      --rm   Remove'`;
const HELP = helpOf('run');
/** Help, except where the script is asked about `--old`. */
const HELP_BUT_FOR_OLD = (answer: string) => `case "$*" in *--old*) ${answer};; esac\n${HELP}`;

describe('with the docker commands of this machine', () => {
  test('docker agrees on every option of run and build: a switch lets --help through, an option takes it', async () => {
    expect(clis.length).toBeGreaterThan(0);
    const asking = { ...env, DOCKER_HOST: 'unix:///dev/null/docker.sock' };
    for (const [version, cli] of clis) {
      for (const command of ['run', 'build']) {
        const { syntax } = await new LearnedSyntax(cli, env).parse([command], []);
        const names = syntax.flags.flatMap(({ long, short, takesValue }) => [
          ...(long === undefined || long === 'help' ? [] : [{ name: `--${long}`, takesValue }]),
          ...(short === undefined ? [] : [{ name: `-${short}`, takesValue }]),
        ]);
        const ask = async ({ name, takesValue }: { name: string; takesValue: boolean }) => {
          const { exitCode } = await captureDocker(cli.path, [command, name, '--help'], asking);
          return { version, name, takesValue, agrees: (exitCode === 0) === !takesValue };
        };
        const answers = [];
        for (let at = 0; at < names.length; at += 4) {
          answers.push(...(await Promise.all(names.slice(at, at + 4).map(ask))));
        }
        expect(answers.length).toBeGreaterThan(20);
        expect(answers.filter(({ agrees }) => !agrees)).toEqual([]);
      }
    }
  }, 60_000);

  test('learns options that the help does not list by asking', async () => {
    for (const [, cli] of clis) {
      const book = new LearnedSyntax(cli, env);
      const args = await book.parse(['run'], ['--net', 'host', '--net-alias=x', 'alpine', '--net']);
      expect(args.values('net')).toEqual(['host']);
      expect(args.positionals.map(({ value }) => value)).toEqual(['alpine', '--net']);
      for (const flag of ['--nope', '--nope=1', '-X', '--a;b', '---net']) {
        await expect(book.parse(['run'], [flag, 'alpine'])).rejects.toMatchObject(UNKNOWN);
      }
      await expect(book.parse([], ['--nope', 'run'])).rejects.toMatchObject(UNKNOWN);
    }
  });

  test('the image that docker sends to the engine is the image that was read', async () => {
    const engine = startFakeEngine({
      answer: ({ path }) =>
        path === '/containers/create' ? Response.json({ Id: 'c0ffee', Warnings: [] }, { status: 201 }) : undefined,
    });
    const next = random(29);
    const pick = (items: readonly string[]) => items[Math.floor(next() * items.length)] ?? '';
    const words = [
      ...['-i', '-t', '-it', '-ti', '--rm', '--rm=false', '-i=true', '--init', '--privileged', '--', '--help=false'],
      ...['--name', '-h', '-e', '-l', '-w', '-u', '--entrypoint', '--net', '--hostname', '--label'],
      ...['--name=n', '-hweb', '-h=web', '-eA', '-eA=b', '-ite', '-iteA', '--env=A', '-l=x', '-u=', '-w/x'],
      ...['one', 'two:tag', 'three/four', 'sh', '-c', '-'],
    ];
    let created = 0;
    for (const [version, cli] of clis) {
      const book = new LearnedSyntax(cli, env);
      for (let round = 0; round < 60; round++) {
        const argv = ['create', ...Array.from({ length: 1 + Math.floor(next() * 6) }, () => pick(words)), 'last'];
        const before = engine.requests.length;
        await captureDocker(cli.path, argv, { ...env, DOCKER_HOST: engine.host });
        const request = engine.requests.slice(before).find(({ path }) => path === '/containers/create');
        if (request === undefined) continue;
        created++;
        const [image] = (await readArguments(book, await readCommandLine(book, argv, isCommandWord), true)).positionals;
        expect([version, argv, image?.value]).toEqual([version, argv, JSON.parse(request.body).Image]);
      }
    }
    expect(created).toBeGreaterThan(30);
  }, 60_000);

  test('a build is read as the plugin that does it reads it, and not remembered', async () => {
    const config = temporaryFolder();
    mkdirSync(join(config, 'cli-plugins'));
    const plugin = join(config, 'cli-plugins', 'docker-buildx');
    const metadata = '{"SchemaVersion":"0.1.0","Vendor":"test","Version":"v0.1.0","ShortDescription":"builds"}';
    const build = join(import.meta.dir, '../fixtures', 'buildx', 'build.txt');
    const others = join(config, 'help');
    writeFileSync(others, readTree('docker-29').find(({ words }) => words.join(' ') === 'buildx')?.help ?? '');
    const answers = `docker-cli-plugin-metadata) echo '${metadata}';; *' b'*) cat ${build};; *) cat ${others};;`;
    writeFileSync(plugin, `#!/bin/sh\ncase "$*" in ${answers} esac\n`);
    chmodSync(plugin, 0o755);
    // Docker 20.10 leaves builds to the plugin only if it is told to.
    writeFileSync(join(config, 'config.json'), '{"aliases":{"builder":"buildx"}}');
    const { DOCKER_BUILDKIT: _, ...plain } = env;
    for (const [, cli] of clis) {
      const book = new LearnedSyntax(cli, { ...plain, DOCKER_CONFIG: config });
      for (const argv of [['build'], ['image', 'build'], ['builder', 'build'], ['buildx', 'build'], ['buildx', 'b']]) {
        const line = await readCommandLine(
          book,
          [...argv, '--secret', 'id=a', '-o', 'out', '--load', '.'],
          isCommandWord,
        );
        expect(findCommand(line.words)?.name).toBe('build');
        const args = await readArguments(book, line, true);
        expect(args.positionals.map(({ value }) => value)).toEqual(['.']);
        expect(args.lastValue('secret')).toBe('id=a');
      }
      for (const argv of [
        ['builder', '--builder', 'x', 'du'],
        ['buildx', '-D', 'du'],
        ['builder', '--help', 'du'],
        ['buildx', '--builder', 'x', '-D', 'du'],
      ]) {
        expect(await readCommandLine(book, argv, isCommandWord)).toMatchObject({ words: [argv[0], 'du'], rest: [] });
      }
    }
    expect(readdirSync(join(cacheHome, 'signet')).filter((name) => name.includes('build'))).toEqual([]);
  });
});

describe('a docker without buildx', () => {
  const MISSING = { code: 'buildx-missing', message: 'docker has no buildx, which builds with BuildKit' };
  const bare = { ...env, DOCKER_CONFIG: temporaryFolder() };

  test.each([
    [
      'docker 28 and later, told to use BuildKit',
      ['build'],
      "echo 'ERROR: BuildKit is enabled but the buildx component is missing or broken.' >&2; exit 1",
    ],
    ['any docker, asked for buildx', ['buildx', 'build'], "echo 'Usage:  docker [OPTIONS] COMMAND'"],
    ['any docker, asked for bake', ['bake'], "echo 'Usage:  docker [OPTIONS] COMMAND'"],
  ])('is told in plain words: %s', async (_, command, script) => {
    await expect(new LearnedSyntax(scriptedCli(script).cli, bare).parse(command, ['x'])).rejects.toMatchObject(MISSING);
  });

  test('the docker commands of this machine say it in these ways', async () => {
    for (const [version, cli] of clis) {
      const book = new LearnedSyntax(cli, { ...bare, DOCKER_BUILDKIT: '1' });
      await expect(book.parse(['buildx', 'build'], ['x'])).rejects.toMatchObject(MISSING);
      const build = book.parse(['build'], ['x']);
      // Up to 20.10, BuildKit needs no buildx.
      if (Number.parseInt(version, 10) < 23) expect((await build).positionals.length).toBe(1);
      else await expect(build).rejects.toMatchObject(MISSING);
    }
  });
});

test.each([
  ['compose', "Install docker's compose plugin (docker-compose-plugin, on Debian docker-compose)."],
  ['frob', 'Check the spelling, or install the plugin that the command belongs to.'],
])('a docker that explains itself for %s has no such command', async (word, next) => {
  const { cli } = scriptedCli("echo 'Usage:  docker [OPTIONS] COMMAND'");
  await expect(new LearnedSyntax(cli, env).parse([word], ['x'])).rejects.toMatchObject({
    code: 'docker-command-missing',
    message: `docker has no "${word}"`,
    next,
  });
});

describe('the cache', () => {
  const parse = (cli: DockerCli, home: string, argv: string[] = ['--rm', 'x']) =>
    new LearnedSyntax(cli, { ...env, XDG_CACHE_HOME: home }).parse(['run'], argv);

  test('asks once for each file of the program, and keeps the answer to itself', async () => {
    const home = temporaryFolder();
    const { cli, calls } = scriptedCli(HELP);
    await parse(cli, home);
    await parse(cli, home);
    expect(calls()).toEqual(['run --help']);
    const folder = join(home, 'signet');
    const [name = ''] = readdirSync(folder);
    expect(readdirSync(folder).length).toBe(1);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    await parse({ ...cli, stamp: '2' }, home);
    expect(calls()).toEqual(['run --help', 'run --help']);
  });

  test('keeps what was asked one by one', async () => {
    const home = temporaryFolder();
    const { cli, calls } = scriptedCli(
      HELP_BUT_FOR_OLD(`echo '"docker run" requires at least 1 argument.' >&2; exit 1`),
    );
    expect((await parse(cli, home, ['--old', 'a', 'x'])).positionals.map(({ value }) => value)).toEqual(['x']);
    expect((await parse(cli, home, ['--old', 'a', 'x'])).values('old')).toEqual(['a']);
    expect(calls()).toEqual(['run --help', 'run --old --help']);
  });

  test.each([
    ['an unexpected error', 'echo boom >&2; exit 1'],
    ['silence', 'exit 0'],
    ['another command', "echo 'Usage:  docker [OPTIONS] COMMAND'; exit 0"],
  ])('%s is no answer', async (_, answer) => {
    const { cli } = scriptedCli(HELP_BUT_FOR_OLD(answer));
    await expect(parse(cli, temporaryFolder(), ['--old', 'x'])).rejects.toMatchObject(UNKNOWN);
  });

  test.each([
    ['empty', ''],
    ['cut off', '['],
    ['of another form', '{"a":1}'],
    ['of another program', '["other","1",[[["rm",null,false]],false,true]]'],
    ['full of nonsense', '["NAME","1",[[["rm",null,"no"]],false,true]]'],
    ['without switches', '["NAME","1",[[["rm"]],false,true]]'],
    ['without its other parts', '["NAME","1",[[]]]'],
  ])('a file that is %s is as good as none', async (_, content) => {
    const home = temporaryFolder();
    const { cli, calls } = scriptedCli(HELP);
    await parse(cli, home);
    const file = join(home, 'signet', readdirSync(join(home, 'signet'))[0] ?? '');
    writeFileSync(file, content.replace('NAME', `${cli.path} run`));
    expect((await parse(cli, home)).isOn('rm')).toBe(true);
    expect(calls().length).toBe(2);
  });

  test('a file that others may write is as good as none', async () => {
    const home = temporaryFolder();
    const { cli, calls } = scriptedCli(HELP);
    await parse(cli, home);
    const folder = join(home, 'signet');
    chmodSync(join(folder, readdirSync(folder)[0] ?? ''), 0o666);
    await parse(cli, home);
    expect(calls().length).toBe(2);
  });

  test('a folder that cannot be written costs nothing but time', async () => {
    const home = join(temporaryFolder(), 'file');
    writeFileSync(home, '');
    const { cli, calls } = scriptedCli(HELP);
    await parse(cli, home);
    await parse(cli, home);
    expect(calls().length).toBe(2);
  });

  test('no engine is asked for help', async () => {
    const { cli } = scriptedCli(
      `[ "$DOCKER_HOST" = unix:///dev/null/docker.sock ] && [ -z "$DOCKER_CONTEXT$DOCKER_TLS_VERIFY" ] || exit 1\n${HELP}`,
    );
    const book = new LearnedSyntax(cli, {
      ...env,
      XDG_CACHE_HOME: temporaryFolder(),
      DOCKER_HOST: 'tcp://192.0.2.1:2375',
      DOCKER_CONTEXT: 'far',
      DOCKER_TLS_VERIFY: '1',
    });
    expect((await book.parse(['run'], ['--rm', 'x'])).isOn('rm')).toBe(true);
  });

  test('a docker without the command is refused', async () => {
    const { cli } = scriptedCli("echo 'Usage:  docker [OPTIONS] COMMAND'");
    await expect(parse(cli, temporaryFolder())).rejects.toMatchObject({ code: 'docker-command-missing' });
  });
});

function enforcedName({ words }: CommandLine): string | undefined {
  const command = findCommand(words);
  return command?.kind === 'enforced' ? command.name : undefined;
}

describe('readCommandLine', () => {
  let book: LearnedSyntax;
  const read = (line: string): Promise<CommandLine> =>
    readCommandLine(book, line.split(' ').filter(Boolean), isCommandWord);

  beforeAll(() => {
    const cli = clis[0]?.[1];
    if (cli === undefined) throw new Error('there is no docker command');
    book = new LearnedSyntax(cli, env);
  });

  test.each([
    ['run alpine', 'run', ['run'], ['alpine']],
    ['container run --rm alpine', 'run', ['container', 'run'], ['--rm', 'alpine']],
    ['container create a', 'create', ['container', 'create'], ['a']],
    ['image pull a', 'pull', ['image', 'pull'], ['a']],
    ['image push a', 'push', ['image', 'push'], ['a']],
    ['builder build .', 'build', ['builder', 'build'], ['.']],
    ['buildx b .', 'build', ['buildx', 'b'], ['.']],
    ['service update --image a b', 'service update', ['service', 'update'], ['--image', 'a', 'b']],
    ['plugin upgrade a', 'plugin upgrade', ['plugin', 'upgrade'], ['a']],
    ['-D --config /x run alpine', 'run', ['run'], ['alpine']],
    ['--config=/x -c run --tls container run alpine', 'run', ['container', 'run'], ['alpine']],
    ['-H tcp://x:1 -l debug pull a', 'pull', ['pull'], ['a']],
    ['--help run alpine', 'run', ['run'], ['alpine']],
    ['--version pull a', 'pull', ['pull'], ['a']],
    ['container --help=false run a', 'run', ['container', 'run'], ['a']],
    ['-- run a', 'run', ['run'], ['a']],
    ['ps -a', undefined, ['ps'], ['-a']],
    ['container ls', undefined, ['container', 'ls'], []],
    ['trust sign a', undefined, ['trust'], ['sign', 'a']],
    ['image', undefined, ['image'], []],
    ['buildx history inspect attachment a', undefined, ['buildx', 'history', 'inspect', 'attachment'], ['a']],
    ['buildx history inspect ab', undefined, ['buildx', 'history', 'inspect'], ['ab']],
    ['image nothing', undefined, ['image', 'nothing'], []],
    ['', undefined, [], []],
    ['--version', undefined, [], []],
  ] as const)('%s', async (line, name, words, rest) => {
    const found = await read(line);
    expect(enforcedName(found)).toBe(name);
    expect(found.words).toEqual([...words]);
    expect(found.rest).toEqual([...rest]);
    expect([...found.head, ...found.rest].join(' ')).toBe(line);
  });

  test('gives the options before the command', async () => {
    const { globals } = await read('-H unix:///x --config /y -D image pull a');
    expect(globals.argv).toEqual(['-H', 'unix:///x', '--config', '/y', '-D']);
    expect(globals.lastValue('host')).toBe('unix:///x');
    expect(globals.lastValue('config')).toBe('/y');
    expect(globals.isOn('debug')).toBe(true);
  });

  test('refuses options before the command that docker does not know', async () => {
    for (const line of ['--nope run alpine', 'container --nope run alpine', '-X ps']) {
      await expect(read(line)).rejects.toMatchObject(UNKNOWN);
    }
    await expect(read('--host')).rejects.toMatchObject({ code: 'docker-flag-invalid' });
  });

  test('docker runs the command in spite of --help and --version before it', async () => {
    for (const [, cli] of clis) {
      for (const options of [['--help'], ['--version'], ['-v'], ['container', '--help']]) {
        const { stderr } = await captureDocker(cli.path, [...options, 'run', 'x'], {
          ...env,
          DOCKER_HOST: 'unix:///dev/null/docker.sock',
        });
        expect(stderr).toContain('Cannot connect to the Docker daemon');
      }
    }
  });

  test('--disable-content-trust is understood where docker no longer knows it', async () => {
    const { cli } = scriptedCli(
      `case "$*" in *--disable*) echo 'unknown flag' >&2; exit 125;; service*) ${helpOf('service create')};; *) ${HELP};; esac`,
    );
    const future = new LearnedSyntax(cli, { ...env, XDG_CACHE_HOME: temporaryFolder() });
    const line = await readCommandLine(future, ['run', '--disable-content-trust=false', '--rm', 'x'], isCommandWord);
    const args = await readArguments(future, line, true);
    expect(args.isOn('disable-content-trust', true)).toBe(false);
    expect(args.without('disable-content-trust').argv).toEqual(['--rm', 'x']);
    const service = await readCommandLine(future, ['service', 'create', '--disable-content-trust', 'x'], isCommandWord);
    await expect(readArguments(future, service, false)).rejects.toMatchObject(UNKNOWN);
  });
});
