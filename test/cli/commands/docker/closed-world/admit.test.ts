import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCommandWord } from '../../../../../src/cli/commands/docker/closed-world/commands.ts';
import { DOCKER_COMMANDS } from '../../../../../src/cli/commands/docker/closed-world/table.ts';
import { digestOf } from '../../../../../src/core/names/digest.ts';
import { startFakeEngine } from '../../../../engine/fake-engine.ts';
import { run } from '../../../../support/run.ts';
import { temporaryFolder } from '../../../../support/temp.ts';

const MAIN = join(import.meta.dir, '../../../../../src/cli/main.ts');
const FIXTURES = join(import.meta.dir, '../../../../engine/fixtures');

/** Stands in for docker 29: explains itself as recorded, and writes down every other command line it is given. */
const FAKE = `#!/bin/sh
for word in "$@"; do
  case "$word" in --help)
    words=$(printf '%s ' "$@" | sed 's/ *--help *$//')
    awk -v want="== docker\${words:+ $words}" '$0 ~ /^== docker/ { inside = ($0 == want); next } inside' "$FAKE_TREE"
    exit 0
  esac
done
case "$*" in
  --version) echo 'Docker version 29.7.2, build 0000000'; exit 0 ;;
  *'buildx inspect'*) printf '%s\\n' "$@" > "$FAKE_ASKED"; cat "$FAKE_BUILDER"; exit 0 ;;
esac
printf '%s\\n' "$@" > "$FAKE_RECORD"
`;

interface World {
  /** signet.json. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What buildx says of the builder. */
  readonly builder?: string;
  readonly engine?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Outcome {
  readonly exitCode: number;
  readonly stderr: string;
  /** What docker was started with; undefined if it was not. */
  readonly docker: readonly string[] | undefined;
}

/** Runs signet with trust on, in front of a docker 29 that only writes down what it is given. */
async function signet(
  words: readonly string[],
  { settings = {}, builder = '', engine, env = {} }: World = {},
): Promise<Outcome> {
  const home = temporaryFolder();
  mkdirSync(join(home, '.docker'));
  writeFileSync(join(home, '.docker/signet.json'), JSON.stringify(settings));
  writeFileSync(join(home, 'docker'), FAKE);
  chmodSync(join(home, 'docker'), 0o755);
  writeFileSync(join(home, 'builder'), builder);
  const record = join(home, 'record');
  const { exitCode, stderr } = await run([process.execPath, MAIN, ...words], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      SIGNET_DOCKER: join(home, 'docker'),
      FAKE_TREE: join(FIXTURES, 'docker-29/tree.txt'),
      FAKE_RECORD: record,
      FAKE_ASKED: join(home, 'asked'),
      FAKE_BUILDER: join(home, 'builder'),
      DOCKER_HOST: engine ?? `unix://${home}/no-engine.sock`,
      DOCKER_CONTENT_TRUST: '1',
      DOCKER_CONTENT_TRUST_SERVER: 'https://127.0.0.1:1',
      ...env,
    },
  });
  const docker = existsSync(record) ? readFileSync(record, 'utf8').slice(0, -1).split('\n') : undefined;
  return { exitCode, stderr, docker };
}

/** An engine that answers these requests of its API, and no other. */
function engineThat(answers: Readonly<Record<string, unknown>>) {
  return startFakeEngine({
    answer: ({ method, path }) => {
      const found = answers[`${method} ${path}`];
      return found === undefined ? Response.json({ message: 'none' }, { status: 404 }) : Response.json(found);
    },
  });
}

const REFUSED = Object.entries(DOCKER_COMMANDS).flatMap(([name, { kind, aliases = [] }]) => {
  const spellings = [name, ...aliases].flatMap((each) => [each, each.replace(/^buildx/, 'builder')]);
  return kind === 'refused' ? [...new Set(spellings)] : [];
});

describe('while trust is on, docker is not started by', () => {
  test.each(REFUSED)('%s', async (name) => {
    const words = name.split(' ');
    // The next word after a group would be a command of it.
    const argv = isCommandWord(words, '') ? words : [...words, 'x'];
    const { exitCode, stderr, docker } = await signet(argv);
    expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
    expect(stderr).toMatch(new RegExp(`^signet refuses 'docker ${name}' while content trust is on: .{10,}\\.\n`));
    expect(stderr).toEndWith(`To run it without trust, this once: DOCKER_CONTENT_TRUST=0 signet ${argv.join(' ')}\n`);
  });

  test.each([
    ['a command that docker may learn', ['orchestrate', 'x'], 'docker orchestrate'],
    ['a plugin', ['scout', 'quickview', 'evil'], 'docker scout'],
    ['a command of a group that docker may learn', ['container', 'clone', 'x'], 'docker container clone'],
    ['a command of a plugin that it may learn', ['compose', 'launch'], 'docker compose launch'],
    ['a command behind options', ['--debug', 'compose', '-f', 'ps', 'up', '-d'], 'docker compose up'],
    ['a command behind a group’s option', ['buildx', '--builder', 'du', 'bake'], 'docker buildx bake'],
    ['a command behind the end of options', ['--', 'bake'], 'docker bake'],
    ['a way out in an argument', ['compose', 'up', '--disable-content-trust'], 'docker compose up'],
    ['help that is not asked for', ['compose', 'run', 'x', '--help'], 'docker compose run'],
    ['help that is asked for among others', ['compose', 'up', '--help', '-d'], 'docker compose up'],
  ] as const)('%s', async (_, words, command) => {
    const { exitCode, stderr, docker } = await signet(words);
    expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
    expect(stderr).toStartWith(`signet refuses '${command}' while content trust is on: `);
  });

  test.each([
    ['of a harmless command', ['ps', '--pull'], '--pull'],
    ['of a harmless command, short', ['ps', '-aX'], '-X'],
    ['of a group', ['compose', '--nothing', 'ps'], '--nothing'],
    ['that starts a builder', ['buildx', 'inspect', '--bootstrap'], '--bootstrap'],
    ['that starts a builder, by another name', ['builder', 'inspect', '--bootstrap', 'x'], '--bootstrap'],
    ['that starts the services of former days', ['swarm', 'init', '--force-new-cluster'], '--force-new-cluster'],
  ] as const)('an option %s', async (_, words, flag) => {
    const { exitCode, stderr, docker } = await signet(words);
    expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
    expect(stderr).toContain(flag);
  });

  test.each([
    ['a builder that runs an image', ['buildx', 'create', '--name', 'x']],
    ['a builder whose driver is given twice', ['buildx', 'create', '--driver', 'remote', '--driver=docker-container']],
    ['an image from a URL', ['import', 'https://example.com/rootfs.tar', 'x']],
    ['an image from a URL, by another name', ['image', 'import', 'HTTP://example.com/rootfs.tar']],
    ['a volume that is an image', ['volume', 'create', '--driver', 'image', '--opt', 'image=evil']],
  ])('%s', async (_, words) => {
    const { exitCode, docker } = await signet(words);
    expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
  });

  test('an option of an enforced command that docker knows and Signet does not', async () => {
    const tree = join(temporaryFolder(), 'tree');
    const recorded = readFileSync(join(FIXTURES, 'docker-29/tree.txt'), 'utf8');
    writeFileSync(
      tree,
      recorded.replaceAll('      --rm  ', '      --overlay-image string   Put an image on top\n      --rm  '),
    );
    const { exitCode, stderr, docker } = await signet(
      ['run', '--overlay-image', 'evil', `x@${digestOf(Buffer.of())}`],
      {
        env: { FAKE_TREE: tree },
      },
    );
    expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
    expect(stderr).toContain('it is not known what its option --overlay-image does');
  });

  test('a mistyped word, which is told what it stands for before the way out', async () => {
    const { exitCode, stderr, docker } = await signet(['compsoe', 'up']);
    expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
    expect(stderr).toStartWith(
      "Did you mean: signet compose\n\nsignet refuses 'docker compsoe' while content trust is on: ",
    );
  });

  test('a way out that a shell would read otherwise is quoted', async () => {
    const { stderr } = await signet(['compose', 'run', 'a b', "it's", '$(x)']);
    expect(stderr).toEndWith("DOCKER_CONTENT_TRUST=0 signet compose run 'a b' 'it'\\''s' '$(x)'\n");
  });
});

describe('while trust is on, docker gets as it is', () => {
  test.each([
    [['ps', '--filter', 'name=a b', '--format', '{{.ID}}', '']],
    [['container', 'ls', '-aq']],
    [['exec', '-it', 'web', 'sh', '--pull', '-c', 'x']],
    [['compose', '-f', 'x.yml', '-p', 'y', 'ps', '-a']],
    [['compose', 'exec', '-it', 'web', 'sh', '-x']],
    [['compose', 'down', '-v']],
    [['buildx', '--builder', 'x', 'du']],
    [['builder', '--builder', 'default', 'du']],
    [['builder', '--help']],
    [['buildx', 'create', '--driver', 'remote', 'tcp://builder.example:1234']],
    [['import', 'rootfs.tar', 'x']],
    [['import', '-', 'x']],
    [['load', '-i', 'images.tar']],
    [['start', '-a', 'web']],
    [['container', 'restart', 'web']],
    [['service', 'scale', 'web=3']],
    [['volume', 'create', '-d', 'local', 'x']],
    [['system', 'prune', '-af', '--volumes']],
    [['rm', '--', '--pull']],
    [['top', 'web', '-o', 'pid']],
    [['image']],
    [['--version', 'ps']],
    [['-v']],
    [['help', 'run']],
    [['scout', '--help']],
    [['compose', 'up', '--help']],
    [['buildx', 'bake', '-h']],
  ])('%j', async (words) => {
    if (words[0] === '-v') words.push('info');
    const { stderr, docker } = await signet(words);
    // Its help is docker's own; the fake explains itself without writing it down.
    if (!words.includes('--help')) expect({ stderr, docker }).toEqual({ stderr: '', docker: words });
    else expect(stderr).toBe('');
  });
});

describe('"uncovered": "warn"', () => {
  const WARN: World = { settings: { uncovered: 'warn' } };

  test.each([
    [['compose', 'up', '-d']],
    [['scout', 'cves']],
    [['ps', '--pull']],
    [['stack', 'deploy', '-c', 'x', 'y']],
  ])('hands %j to docker, with a warning', async (words) => {
    const { exitCode, stderr, docker } = await signet(words, WARN);
    expect({ exitCode, docker }).toEqual({ exitCode: 0, docker: words });
    expect(stderr).toMatch(
      /^WARNING: content trust is on, and this command goes to docker unchecked\. signet refuses '.*\.\n$/,
    );
  });

  test('does not make what is enforced unenforced', async () => {
    const { exitCode, docker } = await signet(['run', 'busybox'], WARN);
    expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
  });
});

describe('a builder', () => {
  const described = (driver: string, ...statuses: readonly string[]) =>
    [
      `Name: x`,
      `Driver: ${driver}`,
      '',
      'Nodes:',
      ...statuses.flatMap((s) => ['Name: x0', 'Endpoint: y', `Status: ${s}`, '']),
    ].join('\n');

  test.each([
    ['the engine’s own', described('docker', 'running')],
    ['one elsewhere', described('remote', 'inactive')],
    ['one that runs', described('docker-container', 'running', 'running')],
  ])('%s may show its history', async (_, builder) => {
    const { stderr, docker } = await signet(['buildx', 'history', 'ls'], { builder });
    expect({ stderr, docker }).toEqual({ stderr: '', docker: ['buildx', 'history', 'ls'] });
  });

  test.each([
    ['that does not run', described('docker-container', 'inactive')],
    ['of which a part does not run', described('docker-container', 'running', 'stopped')],
    ['that cannot be looked at', ''],
    ['without nodes', described('docker-container')],
    ['whose label says that it runs', `${described('docker-container', 'stopped')}Labels:\n\tStatus:\trunning`],
  ])('%s would be started by it', async (_, builder) => {
    const { exitCode, stderr, docker } = await signet(['buildx', 'history', 'inspect', 'x'], { builder });
    expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
    expect(stderr).toContain('the builder does not run, and would be started from an image that no one signed');
  });
});

describe('"digests": "signed"', () => {
  const SIGNED = { digests: 'signed' };
  const ID = digestOf(Buffer.from('image'));

  test.each([[['start', 'web']], [['restart', 'web']], [['container', 'start', '-ai', 'web']]])(
    'holds a container back whose image no one signed: %j',
    async (words) => {
      const engine = engineThat({
        'GET /containers/web/json': { Image: ID },
        [`GET /images/${ID}/json`]: { Id: ID, RepoTags: ['evil:1'], RepoDigests: [] },
      });
      const { exitCode, stderr, docker } = await signet(words, { settings: SIGNED, engine: engine.host });
      expect({ exitCode, docker }).toEqual({ exitCode: 1, docker: undefined });
      expect(stderr).toContain(`image ${ID} is not signed: the engine knows no registry's name for it`);
    },
  );

  test('leaves it to docker to say that there is no such container', async () => {
    const engine = engineThat({});
    const { docker } = await signet(['start', 'none'], { settings: SIGNED, engine: engine.host });
    expect(docker).toEqual(['start', 'none']);
  });

  test.each([
    ['service scale web=3', { Spec: { TaskTemplate: { ContainerSpec: { Image: 'evil:1' } } } }],
    [
      'service rollback web',
      {
        Spec: { TaskTemplate: { ContainerSpec: { Image: `good:1@${ID}` } } },
        PreviousSpec: { TaskTemplate: { ContainerSpec: { Image: 'evil:1' } } },
      },
    ],
  ])('holds a service back whose image has no digest: %s', async (line, service) => {
    const engine = engineThat({ 'GET /services/web': service });
    const { exitCode, stderr, docker } = await signet(line.split(' '), { settings: SIGNED, engine: engine.host });
    expect({ exitCode, docker }).toEqual({ exitCode: 1, docker: undefined });
    expect(stderr).toContain('the service "web" names its image without a digest');
  });

  test.each([[['plugin', 'enable', 'x']], [['swarm', 'unlock']], [['compose', 'start']]])(
    'refuses %j, whose images cannot be looked at',
    async (words) => {
      const { exitCode, stderr, docker } = await signet(words, { settings: SIGNED });
      expect({ exitCode, docker }).toEqual({ exitCode: 125, docker: undefined });
      expect(stderr).toContain('what it starts cannot be looked at');
    },
  );

  test.each([[['run', ID]], [['run', ID.slice('sha256:'.length)]], [['create', ID]]])(
    'holds %j back',
    async (words) => {
      const engine = engineThat({
        [`GET /images/${ID}/json`]: { Id: ID, RepoTags: [], RepoDigests: [`127.0.0.1:1/x@${ID}`] },
      });
      const { exitCode, docker } = await signet(words, { settings: SIGNED, engine: engine.host });
      expect({ exitCode, docker }).toEqual({ exitCode: words[0] === 'run' ? 125 : 1, docker: undefined });
    },
  );

  test('is not the rule if nothing is said: an ID goes to docker as it is, and no engine is asked', async () => {
    const { docker } = await signet(['run', ID]);
    expect(docker).toEqual(['run', ID]);
  });
});
