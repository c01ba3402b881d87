import { beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { declaredCommands } from '../../../../scripts/declarations.ts';
import { parseGun } from '../../../../src/core/names/gun.ts';
import { RELEASES, signerRole } from '../../../../src/core/names/role.ts';
import { MetadataFolder } from '../../../../src/store/trust-folder.ts';
import { dockerClis, findProgram } from '../../../support/clis.ts';
import { run, runInTerminal } from '../../../support/run.ts';
import { signetCommand } from '../../../support/signet-server.ts';
import { GUN } from '../../../support/simulator.ts';
import { temporaryFolder } from '../../../support/temp.ts';
import { loaded } from '../../fake-session.ts';

const home = temporaryFolder();
const bin = temporaryFolder();
const [docker] = await dockerClis();
const ENV = {
  HOME: home,
  PATH: `${bin}:/usr/bin:/bin`,
  SIGNET_DOCKER: `${docker?.path}`,
  DOCKER_HOST: 'unix:///nowhere',
  SIGNET_DEFAULT_REGISTRY: 'registry.example.com',
  TERM: 'dumb',
};
const HOSTILE = 'v$(id)';

/** What is offered for the last of the words, and what the shell is to do besides. */
async function offered(...words: readonly string[]): Promise<{ words: readonly string[]; directive: string }> {
  const line = ['__complete', `=${words.at(-1)}`, ...words.slice(0, -1)];
  const { stdout, stderr, exitCode } = await run([...signetCommand(), ...line], { env: ENV });
  expect([exitCode, stderr]).toEqual([0, '']);
  const lines = stdout.trimEnd().split('\n');
  return { directive: lines.pop() ?? '', words: lines.map((each) => each.split('\t')[0] ?? '') };
}

let id = '';

beforeAll(async () => {
  const { simulator } = await loaded();
  const cache = new MetadataFolder(join(home, '.docker/trust'));
  const copy = async (gun: string) => {
    for (const role of ['root', 'targets', RELEASES, signerRole('alice')] as const) {
      await cache.write(parseGun(gun), role, await simulator.read(gun, { role }, 1 << 20));
    }
  };
  for (const gun of [GUN, 'docker.io/library/busybox', 'registry.example.com/library/base']) await copy(gun);
  // What is not signed is offered as well, but nothing that a shell or a terminal could take for more than a word.
  const text = readFileSync(cache.pathOf(GUN, RELEASES), 'utf8');
  const hashes = /"v1":(\{.*?\}.*?\})/.exec(text)?.[1] ?? '';
  const changed = ['v2', HOSTILE, 'two words', '\u202ev3', '--pwn', '-rf'].map(
    (name) => `${JSON.stringify(name)}:${hashes}`,
  );
  writeFileSync(cache.pathOf(GUN, RELEASES), text.replace('"v1":', `${changed.join(',')},"v1":`));
  const generate = ['trust', 'key', 'generate', 'alice', '--dir', home];
  const env = { ...ENV, DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'passphrase' };
  expect(await run([...signetCommand(), ...generate], { env })).toMatchObject({ exitCode: 0 });
  id = readdirSync(join(home, '.docker/trust/private'))[0]?.replace(/\.key$/, '') ?? '';
  const real = signetCommand()
    .map((word) => `'${word}'`)
    .join(' ');
  // What a shell calls in the end is shown, not carried out.
  writeFileSync(
    join(bin, 'signet'),
    `#!/bin/sh\ncase "$1" in __complete|completion) exec ${real} "$@";; esac\necho "called: $*"\n`,
  );
  chmodSync(join(bin, 'signet'), 0o755);
});

describe('offers', () => {
  test('Signet’s words and docker’s where a command begins', async () => {
    const { words } = await offered('');
    expect(words).toEqual(
      expect.arrayContaining(['trust', 'serve', 'user', 'login', 'completion', 'run', 'pull', 'ps']),
    );
    expect(words).toEqual([...new Set(words)]);
    expect((await offered('tru')).words).toEqual(['trust']);
    expect((await offered('help', 'tru')).words).toEqual(['trust']);
  });

  test('the commands of a group', async () => {
    expect(await offered('trust', 'key', 're')).toEqual({ words: ['remove'], directive: ':none' });
    expect((await offered('user', '')).words).toContain('grant');
    expect((await offered('trust', 'frobnicate', '')).words).toEqual([]);
  });

  test('every option of every command, and none that was given', async () => {
    for (const { path, flags } of await declaredCommands()) {
      const { words } = await offered(...path.split(' '), '-');
      expect([path, words.toSorted()]).toEqual([path, [...flags.map(({ name }) => `--${name}`), '--help'].sort()]);
    }
    expect((await offered('trust', 'approve', '--yes', '--y')).words).toEqual([]);
    expect((await offered('trust', 'role', '--keep', 'x', '--kee')).words).toEqual(['--keep', '--keep-all']);
    expect((await offered('trust', 'approve', '--', '--y')).words).toEqual([]);
  }, 60_000);

  test('repositories as they are written usually, or in full if someone begins so', async () => {
    const usual = ['acme/app', 'base', 'docker.io/library/busybox'];
    expect((await offered('trust', 'status', '')).words.toSorted()).toEqual(usual);
    expect((await offered('trust', 'status', 'registry.')).words.toSorted()).toEqual([
      'registry.example.com/acme/app',
      'registry.example.com/library/base',
    ]);
    expect(await offered('trust', 'status', 'acme/app', '')).toEqual({ words: [], directive: ':none' });
  });

  test('an image’s tags behind its repository, and nothing that is more than a word', async () => {
    expect(await offered('trust', 'sign', 'acme')).toEqual({ words: ['acme/app'], directive: ':nospace' });
    expect(await offered('trust', 'sign', 'acme/app:')).toEqual({
      words: ['acme/app:v1', 'acme/app:v2'],
      directive: ':none',
    });
    expect((await offered('trust', 'remove', 'acme/app', '')).words).toEqual(['v1', 'v2']);
    expect((await offered('trust', 'lookup', 'acme/app', '')).words).toEqual(['v1', 'v2']);
    expect((await offered('trust', 'lookup', 'acme/app', '--', '-')).words).toEqual([]);
    expect((await offered('trust', 'publish', '--keep=v', '')).words).toContain('acme/app');
  });

  test('roles, signers, keys and words of choice', async () => {
    expect((await offered('trust', 'renew', 'acme/app', 'targets')).words).toEqual([
      'targets',
      'targets/alice',
      'targets/releases',
    ]);
    expect((await offered('trust', 'signer', 'remove', '')).words).toEqual(['alice']);
    expect((await offered('trust', 'key', 'passwd', '')).words).toEqual([id]);
    expect((await offered('trust', 'key', 'export', `--key=${id.slice(0, 3)}`)).words).toEqual([`--key=${id}`]);
    expect((await offered('trust', 'init', '--snapshot', '')).words).toEqual(['client', 'server']);
    expect((await offered('serve', '--log-level=d')).words).toEqual(['--log-level=debug']);
    expect((await offered('completion', '')).words).toEqual(['bash', 'fish', 'powershell', 'zsh']);
  });

  test('files where a file belongs, and nowhere else', async () => {
    expect(await offered('trust', 'key', 'load', '')).toEqual({ words: [], directive: ':files' });
    expect(await offered('trust', 'status', '--trust-dir', '')).toEqual({ words: [], directive: ':folders' });
    expect(await offered('trust', 'key', 'generate', '')).toEqual({ words: [], directive: ':none' });
  });

  test('in a folder of Notary’s, what is there, in full', async () => {
    const folder = join(home, '.docker/trust');
    expect((await offered('trust', 'status', '--trust-dir', folder, 'reg')).words).toContain(GUN);
  });

  test('docker’s options, of each docker of this machine', async () => {
    for (const { path } of await dockerClis()) {
      const line = ['__complete', '=--publish', 'run'];
      const { stdout } = await run([...signetCommand(), ...line], { env: { ...ENV, SIGNET_DOCKER: path } });
      expect(stdout.split('\n').map((each) => each.split('\t')[0])).toContain('--publish-all');
    }
  });

  test('nothing, in silence, if something cannot be read', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.docker'));
    writeFileSync(join(folder, '.docker/signet.json'), '{');
    const line = [...signetCommand(), '__complete', '=', 'trust', 'status'];
    const env = { ...ENV, HOME: folder };
    expect(await run(line, { env })).toMatchObject({ exitCode: 0, stdout: ':none\n', stderr: '' });
    const nowhere = { ...env, SIGNET_DOCKER: '/nowhere' };
    const first = await run([...signetCommand(), '__complete', '=use'], { env: nowhere });
    expect(first).toMatchObject({ exitCode: 0, stdout: 'user\tManage the accounts of a server\n:none\n' });
  });
});

/** What a person types, with TAB as `\t`, and what it comes to. */
const TYPED: readonly (readonly [typed: string, called: string])[] = [
  ['signet trust loo\tacme/app x', 'trust lookup acme/app x'],
  ['signet trust stat\tacm\t', 'trust status acme/app'],
  ['signet trust sign acme/app:v\t2', 'trust sign acme/app:v2'],
  ['signet trust status registry.example.com/ac\t', 'trust status registry.example.com/acme/app'],
  ['signet trust approve --acc\tacme/app', 'trust approve --accept-unusual acme/app'],
  ['signet serve --log-level=de\t', 'serve --log-level=debug'],
  ['signet trust key load read\t', 'trust key load readme.pub'],
  ['signet trust verify --input=read\tacme/app x', 'trust verify --input=readme.pub acme/app x'],
  ['docker trust inspect --pre\tacme/app:v1', 'trust inspect --pretty acme/app:v1'],
];

/** Where one file is. */
function folder(): string {
  const place = temporaryFolder();
  writeFileSync(join(place, 'readme.pub'), '');
  return place;
}

describe('a person who presses TAB in', () => {
  const inShell = async (shell: readonly string[], setUp: string, typed: string) => {
    const env = { ...ENV, PS1: 'ready> ', PROMPT: 'ready> ' };
    const { stdout } = await runInTerminal(
      shell,
      [
        { expect: /ready> /, send: setUp },
        { expect: /set up\r?\n.*ready> /s, send: typed },
        { expect: /called: [^\n]*\n.*ready> /s, send: 'exit' },
      ],
      { env, cwd: folder() },
    );
    return /^called: ([^\r\n]*?)\s*$/m.exec(stdout)?.[1];
  };

  test.each(TYPED)(
    'bash: %j',
    async (typed, called) => {
      const setUp = 'source <(signet completion bash --docker); alias docker=signet; echo set "up"';
      expect(await inShell([findProgram('bash'), '--norc', '--noprofile', '-i'], setUp, typed)).toBe(called);
    },
    60_000,
  );

  test.each(TYPED)(
    'zsh: %j',
    async (typed, called) => {
      const setUp =
        'unsetopt prompt_cr prompt_sp; autoload -U compinit && compinit -u -D; source <(signet completion zsh); alias docker=signet; echo set "up"';
      expect(await inShell([findProgram('zsh'), '-f', '-i'], setUp, typed)).toBe(called);
    },
    60_000,
  );

  test.each([
    ['signet trust loo', ['lookup']],
    ['signet trust status acm', ['acme/app']],
    ['signet trust sign acme/app:v', ['acme/app:v1', 'acme/app:v2']],
    ['signet trust approve --acc', ['--accept-unusual']],
    ['signet serve --log-level=de', ['--log-level=debug']],
    ['signet trust key load read', ['readme.pub']],
    ['signet trust verify --input=read', ['--input=readme.pub']],
    ['docker trust inspect --pre', ['--pretty']],
    ['signet trust key generate ', []],
  ])('fish: %j', async (typed, words) => {
    const script = `signet completion fish --docker | source; complete -C ${JSON.stringify(typed)}`;
    const { stdout } = await run([findProgram('fish'), '--no-config', '-c', script], { env: ENV, cwd: folder() });
    const found = stdout.split('\n').filter((line) => line !== '');
    expect(found.map((line) => line.split('\t')[0])).toEqual(words);
  });
});

test('PowerShell has a script for each program, and other shells are refused with the names of those that there are', async () => {
  const { stdout } = await run([...signetCommand(), 'completion', 'powershell', '--docker'], { env: ENV });
  expect(stdout).toContain("-CommandName 'signet', 'docker' -ScriptBlock {");
  expect(stdout).toContain('$word, $about = $_ -split "`t", 2');
  expect(await run([...signetCommand(), 'completion', 'tcsh'], { env: ENV })).toMatchObject({
    exitCode: 1,
    stderr: 'there is no completion for "tcsh"; there is for bash, fish, powershell, zsh\n',
  });
});
