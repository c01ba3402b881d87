// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables are the Dockerfile's
import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, Workshop } from './build/workshop.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const SIGNED = { 'docker.io/library/busybox:latest': A, 'docker.io/library/alpine:3': B, 'host:5000/t/app:1': B };
const TRUSTED: BuildOptions = { signed: SIGNED };

describe('a folder', () => {
  test('docker builds from a private copy that names digests, with the ignore file of the Dockerfile beside it', async () => {
    const dockerfile = 'FROM busybox:latest\r\nCOPY --from=alpine:3 /a /b\n';
    const workshop = new Workshop({ Dockerfile: dockerfile, 'Dockerfile.dockerignore': 'x\n', f: '' });
    const { call, exitCode, left } = await workshop.build(['build', '-t', 'me', '.'], TRUSTED);
    expect(exitCode).toBe(0);
    expect(call?.dockerfile).toBe(`FROM busybox@sha256:${A}\r\nCOPY --from=alpine@sha256:${B} /a /b\n`);
    expect(call?.argv).toEqual(['build', '--file', call?.argv[2] ?? '', '-t', 'me', '.']);
    expect(call?.argv[2]).toStartWith(`${workshop.home}/tmp/`);
    expect(call?.modes).toEqual([0o700, 0o700, 0o600]);
    expect(call?.beside).toEqual(['Dockerfile', 'Dockerfile.dockerignore']);
    expect(call?.ignored).toBe('x\n');
    expect(call?.trust).toBeUndefined();
    expect(left).toEqual([]);
    expect(readFileSync(join(workshop.folder, 'Dockerfile'), 'latin1')).toBe(dockerfile);
  });

  test('every byte that is not an image stays', async () => {
    const bytes = '\u00ef\u00bb\u00bfFROM busybox\nLABEL x="\u00c3\u00a9\u00f0\u009f\u0090\u00b3\u0001"\n';
    const workshop = new Workshop({ Dockerfile: bytes });
    const { call } = await workshop.build(['build', '.'], TRUSTED);
    expect(call?.dockerfile).toBe(bytes.replace('busybox', `busybox@sha256:${A}`));
  });

  test('-f is looked for from the current folder, and keeps its place among the options', async () => {
    const workshop = new Workshop({ 'sub/x.df': 'FROM busybox', 'sub/x.df.dockerignore': 'y', 'ctx/f': '' });
    const { call } = await workshop.build(['build', '-q', '-fsub/x.df', 'ctx'], TRUSTED);
    expect(call?.argv.map((word) => word.replace(/\/.*\//, '…'))).toEqual(['build', '-q', '-f…x.df', 'ctx']);
    const long = await workshop.build(['image', 'build', '--file=nothing', '--file', 'sub/x.df', 'ctx'], TRUSTED);
    expect(long.call?.dockerfile).toBe(`FROM busybox@sha256:${A}`);
    expect(long.call?.argv.slice(0, 4)).toEqual(['image', 'build', '--file=nothing', '--file']);
    expect(long.call?.ignored).toBe('y');
  });

  test('a lower-case dockerfile is found, as docker does', async () => {
    const { call } = await new Workshop({ dockerfile: 'FROM busybox' }).build(['build', '.'], TRUSTED);
    expect(call?.dockerfile).toBe(`FROM busybox@sha256:${A}`);
  });

  test('the Dockerfile may come from a pipe', async () => {
    const workshop = new Workshop();
    const script = 'mkfifo pipe; echo FROM busybox > pipe';
    const writer = Bun.spawn(['sh', '-c', script], { cwd: workshop.folder });
    while (!existsSync(join(workshop.folder, 'pipe'))) await Bun.sleep(5);
    const { call } = await workshop.build(['build', '-f', 'pipe', '.'], TRUSTED);
    await writer.exited;
    expect(call?.dockerfile).toBe(`FROM busybox@sha256:${A}\n`);
  });

  test('the private folder lies outside of the context', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
    const { call, left } = await workshop.build(['build', '-f', 'Dockerfile', workshop.home], TRUSTED);
    expect(call?.argv[2]).toStartWith(`${workshop.home}/`);
    const other = await workshop.build(['build', '-f', 'Dockerfile', join(workshop.home, 'tmp')], TRUSTED);
    expect(other.call?.argv[2]).toStartWith(join(workshop.home, '.cache/signet/signet-build-'));
    expect([...left, ...other.left]).toEqual([]);
    expect(existsSync(other.call?.argv[2] ?? '')).toBe(false);
  });

  test('what is not there is told in docker’s words', async () => {
    const workshop = new Workshop({ f: '' });
    const cases: [string[], string, string][] = [
      [['nothing'], 'build-context-invalid', 'unable to prepare context: path "nothing" not found'],
      [['f'], 'build-context-invalid', `unable to prepare context: context must be a directory: ${workshop.folder}/f`],
      [
        ['.'],
        'build-context-invalid',
        `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${workshop.folder}/Dockerfile: no such file or directory`,
      ],
      [['-f', '.', '.'], 'build-context-invalid', 'unable to open Dockerfile: . cannot be read'],
      [[], 'usage', "'docker build' requires 1 argument"],
      [['.', '.'], 'usage', "'docker build' requires 1 argument"],
    ];
    for (const [words, code, message] of cases) {
      const { failure, call } = await workshop.build(['build', ...words], TRUSTED);
      expect(failure).toMatchObject({ code, message });
      expect(call).toBeUndefined();
    }
  });

  test('too large or no text: refused', async () => {
    const workshop = new Workshop({ Dockerfile: `FROM busybox\n#${'x'.repeat(1024 * 1024)}` });
    expect((await workshop.build(['build', '.'], TRUSTED)).failure?.code).toBe('too-large');
    workshop.write('Dockerfile', 'FROM busybox\n#\u0000\n');
    expect((await workshop.build(['build', '.'], TRUSTED)).failure).toMatchObject({
      code: 'dockerfile-uncertain',
      message: 'Dockerfile:2: there is a NUL, which no text has',
    });
    workshop.write('Dockerfile', 'FROM busybox\nLABEL x=\u00e9\n');
    expect((await workshop.build(['build', '.'], TRUSTED)).failure).toMatchObject({
      code: 'dockerfile-uncertain',
      message: 'Dockerfile: the text is not UTF-8',
    });
  });

  test('a folder whose name looks like an address is a folder', async () => {
    const workshop = new Workshop({ 'github.com/x/Dockerfile': 'FROM busybox' });
    expect((await workshop.build(['build', 'github.com/x'], TRUSTED)).exitCode).toBe(0);
  });
});

describe('trust', () => {
  test('nothing is built on an unsigned tag; the message ends in docker’s words', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox\n\nFROM alpine:4 AS x\nFROM busybox:old\n' });
    const { failure, call, exitCode, left } = await workshop.build(['build', '.'], TRUSTED);
    expect(failure).toMatchObject({ code: 'target-not-found' });
    expect(failure?.message).toBe('Dockerfile:3: FROM alpine:4: No valid trust data for 4');
    expect(call).toBeUndefined();
    expect(exitCode).toBe(1);
    expect(left).toEqual([]);
  });

  test('the same holds for COPY --from, mounts and the syntax', async () => {
    const cases: [string, string][] = [
      ['FROM busybox\nCOPY --from=alpine:4 /a /b', 'x.df:2: COPY --from alpine:4: No valid trust data for 4'],
      [
        'FROM busybox\nRUN --mount=from=alpine,target=/a b',
        'x.df:2: RUN --mount alpine: No valid trust data for latest',
      ],
      [
        'FROM BUSYBOX',
        'x.df:1: FROM BUSYBOX: invalid reference format: repository name (library/BUSYBOX) must be lowercase',
      ],
      [
        'FROM A\u001b[31m',
        'x.df:1: FROM A [31m: invalid reference format: repository name (library/A [31m) must be lowercase',
      ],
      ['FROM busybox:latest@sha256:0', 'x.df:1: FROM busybox:latest@sha256:0: invalid reference format'],
      [
        `FROM busybox:latest@sha256:${B}`,
        `x.df:1: FROM busybox:latest@sha256:${B}: latest is signed as sha256:${A}, not as sha256:${B}`,
      ],
    ];
    for (const [text, message] of cases) {
      const workshop = new Workshop({ 'x.df': text });
      const { failure, call } = await workshop.build(['build', '-f', 'x.df', '.'], TRUSTED);
      expect(failure?.message).toBe(message);
      expect(call).toBeUndefined();
    }
  });

  test('a Dockerfile that is not read alike by every builder is refused before anything is asked', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox\nRUN <<FROM\nFROM' });
    const { failure, stdout, call } = await workshop.build(['build', '.'], TRUSTED);
    expect(failure?.code).toBe('dockerfile-uncertain');
    expect(failure?.next).toContain('<<EOF');
    expect([stdout, call]).toEqual(['', undefined]);
  });

  test('each image is asked for once, and every place gets its digest', async () => {
    const dockerfile =
      'ARG V=latest\nFROM busybox AS a\nFROM busybox:$V\nCOPY --from=busybox:latest /a /b\nFROM a\nFROM alpine:3';
    const workshop = new Workshop({ Dockerfile: dockerfile });
    const { stdout, call } = await workshop.build(['build', '.'], TRUSTED);
    expect(stdout).toBe('asked for docker.io/library/busybox\nasked for docker.io/library/alpine\n');
    const pin = `busybox@sha256:${A}`;
    expect(call?.dockerfile).toBe(
      `ARG V=latest\nFROM ${pin} AS a\nFROM ${pin}\nCOPY --from=${pin} /a /b\nFROM a\nFROM alpine@sha256:${B}`,
    );
  });

  test('a digest needs no signature, and a signed tag beside its digest is that digest', async () => {
    const workshop = new Workshop({ Dockerfile: `FROM x@sha256:${B}\nFROM busybox:latest@sha256:${A}` });
    const { call, stdout } = await workshop.build(['build', '.'], TRUSTED);
    expect(call?.dockerfile).toBe(`FROM x@sha256:${B}\nFROM busybox@sha256:${A}`);
    expect(stdout).toBe('asked for docker.io/library/busybox\n');
  });

  test('build arguments and the platform decide what FROM means', async () => {
    const workshop = new Workshop({ Dockerfile: 'ARG V\nARG W=box\nFROM ${V}$W:${TARGETARCH:+latest}' });
    const words = [
      'build',
      '--build-arg',
      'V',
      '--build-arg=W=x',
      '--build-arg',
      'W=box',
      '--platform',
      'linux/amd64',
      '.',
    ];
    const buildx: BuildOptions = { ...TRUSTED, cli: 'buildx' };
    const { call } = await workshop.build(words, { ...buildx, env: { V: 'busy' } });
    expect(call?.dockerfile).toBe(`ARG V\nARG W=box\nFROM busybox@sha256:${A}`);
    expect((await workshop.build(['build', '--build-arg', 'V=busy', '.'], buildx)).failure?.code).toBe(
      'dockerfile-uncertain',
    );
  });

  test('after the build, the images that the engine has get their tags', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox\nCOPY --from=alpine:3 /a /b\nFROM busybox' });
    const pins = [`busybox@sha256:${A}`, `alpine@sha256:${B}`];
    const classic = await workshop.build(['build', '.'], { ...TRUSTED, inEngine: pins });
    expect(classic.stdout).toEndWith(`tagged ${pins[0]} as busybox:latest\ntagged ${pins[1]} as alpine:3\n`);
    expect(classic.stderr).toBe(`Tagging ${pins[0]} as busybox:latest\nTagging ${pins[1]} as alpine:3\n`);
    const buildkit = await workshop.build(['build', '.'], { ...TRUSTED, inEngine: [] });
    expect(buildkit.stderr).toBe('');
    const elsewhere = await workshop.build(['build', '.'], TRUSTED);
    expect([elsewhere.exitCode, elsewhere.stderr]).toEqual([0, '']);
  });

  test('docker’s exit code is kept, and a failed build tags nothing', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
    const options = { ...TRUSTED, inEngine: [`busybox@sha256:${A}`], env: { FAKE_EXIT: '42' } };
    const { exitCode, stderr, left } = await workshop.build(['build', '.'], options);
    expect([exitCode, stderr, left]).toEqual([42, '', []]);
  });

  test('help is docker’s', async () => {
    const { stdout, exitCode } = await new Workshop().build(['build', '--help'], TRUSTED);
    expect(stdout).toContain('Build an image from a Dockerfile');
    expect(exitCode).toBe(0);
  });
});

describe('standard input', () => {
  test('a Dockerfile from it goes on to docker the same way', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM nothing' });
    for (const words of [['-f', '-', '.'], ['-'], ['-t', 'x', '-f-', workshop.folder]]) {
      const { call, left } = await workshop.build(['build', ...words], { ...TRUSTED, stdin: 'FROM busybox\n' });
      expect(call?.argv).toEqual(['build', ...words]);
      expect(left).toEqual([]);
      if (words.includes('-')) expect(call?.dockerfile).toBe(`FROM busybox@sha256:${A}\n`);
    }
  });

  test('an unsigned image in it is refused', async () => {
    const { failure, call } = await new Workshop().build(['build', '-'], { ...TRUSTED, stdin: 'FROM alpine\n' });
    expect(failure?.message).toBe('Dockerfile:1: FROM alpine: No valid trust data for latest');
    expect(call).toBeUndefined();
  });

  test.each(['', 'z', 'j', 'J', '-zstd'])(
    'an archive (%p) is unpacked, and the folder built instead',
    async (compression) => {
      const files = new Workshop({
        Dockerfile: 'FROM alpine:3\n',
        'sub/y': 'FROM busybox\n',
        'sub/y.dockerignore': 'i',
      });
      const option = compression.startsWith('-') ? `-${compression}` : `-${compression || 'v'}`;
      const { stdout: stdin } = await Bun.$`tar -C ${files.folder} -c ${option} -f - .`.quiet();
      const workshop = new Workshop();
      const { call, left } = await workshop.build(['build', '-q', '-'], { ...TRUSTED, stdin });
      expect(call?.dockerfile).toBe(`FROM alpine@sha256:${B}\n`);
      expect(call?.context).toEqual(['Dockerfile', 'sub']);
      expect(call?.inContext).toBe('FROM alpine:3\n');
      const named = await workshop.build(['build', '-f', 'sub/y', '-'], { ...TRUSTED, stdin });
      expect(named.call?.dockerfile).toBe(`FROM busybox@sha256:${A}\n`);
      expect(named.call?.ignored).toBe('i');
      expect([...left, ...named.left]).toEqual([]);
    },
  );

  test('a large archive arrives whole', async () => {
    const files = new Workshop({ Dockerfile: 'FROM busybox\n', big: 'x'.repeat(3_000_000), last: '' });
    const { stdout: stdin } = await Bun.$`tar -C ${files.folder} -cf - Dockerfile big last`.quiet();
    const { call } = await new Workshop().build(['build', '-'], { ...TRUSTED, stdin });
    expect(call?.context).toEqual(['Dockerfile', 'big', 'last']);
  });

  test('a link in an archive leads to no file of this machine', async () => {
    const files = new Workshop({ f: '' });
    const outside = new Workshop({ secret: 'FROM busybox # secret\n' });
    symlinkSync(join(outside.folder, 'secret'), join(files.folder, 'Dockerfile'));
    mkdirSync(join(files.folder, 'd'));
    const { stdout: stdin } = await Bun.$`tar -C ${files.folder} -cf - .`.quiet();
    const { failure, call, left } = await new Workshop().build(['build', '-'], { ...TRUSTED, stdin });
    expect(failure).toMatchObject({
      code: 'build-context-invalid',
      message: 'the Dockerfile of the build context is a link that leads out of it',
    });
    expect([call, ...left]).toEqual([undefined]);
    for (const file of ['../../../etc/passwd', 'd']) {
      const other = await new Workshop().build(['build', '-f', file, '-'], { ...TRUSTED, stdin });
      expect(other.failure?.code).toBe('build-context-invalid');
      expect(other.left).toEqual([]);
    }
  });

  test('a damaged archive is refused', async () => {
    const stdin = Buffer.concat([Buffer.from('1f8b08', 'hex'), Buffer.alloc(5000)]);
    const { failure, call, left } = await new Workshop().build(['build', '-'], { ...TRUSTED, stdin });
    expect(failure?.code).toBe('build-context-invalid');
    expect(failure?.message).toStartWith('the build context on standard input cannot be unpacked: ');
    expect([call, ...left]).toEqual([undefined]);
  });

  test('what docker refuses is refused in its words', async () => {
    const workshop = new Workshop({ x: 'FROM busybox' });
    const both = await workshop.build(['build', '-f', '-', '-'], { ...TRUSTED, stdin: 'FROM busybox' });
    expect(both.failure?.message).toBe("invalid argument: can't use stdin for both build context and dockerfile");
    const two = await workshop.build(['build', '-f', 'x', '-'], { ...TRUSTED, stdin: 'FROM busybox' });
    expect(two.failure?.message).toBe('ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles');
    const none = await workshop.build(['build', '-'], { ...TRUSTED, stdin: '' });
    expect(none.failure?.code).toBe('dockerfile-invalid');
  });
});

test.each([
  'https://example.com/x.git#main:sub',
  'http://example.com/Dockerfile',
  'git://example.com/x',
  'git@example.com:x/y.git',
  'ssh://git@example.com/x',
  'github.com/x/y',
  `https://example.com/${'x'.repeat(5000)}`,
])('the context %.40s is refused under trust and docker’s own without', async (context) => {
  const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
  for (const words of [[context], ['-f', 'Dockerfile', context]]) {
    const { failure, call } = await workshop.build(['build', ...words], TRUSTED);
    expect(failure?.code).toBe('build-context-remote');
    expect(failure?.next).toContain('git clone');
    expect(call).toBeUndefined();
  }
  const free = await workshop.build(['build', context], { trust: false, defaultRegistry: 'host:5000' });
  expect(free.call?.argv).toEqual(['build', context]);
});

test('a Dockerfile elsewhere is refused under trust and docker’s own without', async () => {
  const workshop = new Workshop();
  const words = ['build', '-f', 'https://example.com/Dockerfile', '.'];
  const { failure, call } = await workshop.build(words, TRUSTED);
  expect(failure?.code).toBe('build-context-remote');
  expect(call).toBeUndefined();
  const free = await workshop.build(words, { trust: false, defaultRegistry: 'host:5000', env: { FAKE_EXIT: '1' } });
  expect(free.failure).toBeUndefined();
});

describe('options that bring images', () => {
  const buildx = async (words: readonly string[], changes: BuildOptions = {}) => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox\nCOPY --from=base / /', files: '' });
    const names = ['--build-context', 'base=./files'];
    return workshop.build(['buildx', 'build', ...names, ...words, '.'], { ...TRUSTED, cli: 'buildx', ...changes });
  };
  const pin = `busybox@sha256:${A}`;

  test('a build context is no image, and docker-image:// is one', async () => {
    const { call } = await buildx([
      '--build-context=b=docker-image://busybox',
      '--build-context',
      's=docker-image://scratch',
    ]);
    expect(call?.argv.slice(4)).toEqual([
      ...['--build-context', 'base=./files', `--build-context=b=docker-image://${pin}`],
      ...['--build-context', 's=docker-image://scratch', '.'],
    ]);
    expect(call?.dockerfile).toBe(`FROM ${pin}\nCOPY --from=base / /`);
  });

  test.each([
    [
      ['--cache-from', 'busybox'],
      ['--cache-from', pin],
    ],
    [['--cache-from=busybox,alpine:3'], [`--cache-from=${pin},alpine@sha256:${B}`]],
    [
      ['--cache-from', 'type=registry,ref=busybox,x=y'],
      ['--cache-from', `type=registry,ref=${pin},x=y`],
    ],
    [
      ['--cache-from', 'type=registry,"ref=busybox"'],
      ['--cache-from', `type=registry,ref=${pin}`],
    ],
    [
      ['--cache-from', '"type=registry","x=a,b",ref=busybox'],
      ['--cache-from', `type=registry,"x=a,b",ref=${pin}`],
    ],
    [['--provenance=mode=max,builder-id=x'], ['--provenance=mode=max,builder-id=x']],
    [['--provenance=true'], ['--provenance=true']],
    [['--provenance='], ['--provenance=']],
    [
      ['--attest', 'type=sbom,disabled=true'],
      ['--attest', 'type=sbom,disabled=true'],
    ],
    [
      ['--sbom', '"generator=busybox"'],
      ['--sbom', `generator=${pin}`],
    ],
    [
      ['--secret', 'id=a,src=b'],
      ['--secret', 'id=a,src=b'],
    ],
    [['--call=check,format=json'], ['--call=check,format=json']],
    [
      ['--cache-from', 'type=local,src=/x'],
      ['--cache-from', 'type=local,src=/x'],
    ],
    [
      ['--build-arg', 'BUILDKIT_SYNTAX=busybox x y'],
      ['--build-arg', `BUILDKIT_SYNTAX=${pin} x y`],
    ],
    [
      ['--build-arg', 'BUILDKIT_SYNTAX'],
      ['--build-arg', `BUILDKIT_SYNTAX=${pin}`],
    ],
    [
      ['--build-arg', 'X=busybox'],
      ['--build-arg', 'X=busybox'],
    ],
    [['--sbom=false'], ['--sbom=false']],
    [
      ['--sbom', 'generator=busybox'],
      ['--sbom', `generator=${pin}`],
    ],
    [
      ['--attest', 'type=sbom,generator=busybox'],
      ['--attest', `type=sbom,generator=${pin}`],
    ],
    [['--attest=type=provenance,mode=max'], ['--attest=type=provenance,mode=max']],
    [
      ['--build-context', 'f=/srv/files', '--build-context', 'g=a folder/x'],
      ['--build-context', 'f=/srv/files', '--build-context', 'g=a folder/x'],
    ],
    [
      ['--build-context', `o=oci-layout://x@sha256:${B}`],
      ['--build-context', `o=oci-layout://x@sha256:${B}`],
    ],
  ])('%j becomes %j', async (words, expected) => {
    const { call, failure } = await buildx(words, { env: { BUILDKIT_SYNTAX: ' busybox ' } });
    expect(failure).toBeUndefined();
    expect(call?.argv.slice(6, -1)).toEqual(expected);
  });

  test.each([
    [['--cache-from', 'alpine'], 'target-not-found'],
    [['--cache-from', 'type=registry,ref=alpine'], 'target-not-found'],
    [['--cache-from', 'Type=registry,REF=busybox'], 'docker-value-unclear'],
    [['--cache-from', 'type=registry,ref="busybox"'], 'docker-value-unclear'],
    [['--cache-from', 'type=local,type=registry,ref=busybox'], 'docker-value-unclear'],
    [['--cache-from', 'type=local,"type=registry",ref=busybox'], 'docker-value-unclear'],
    [['--cache-from', 'type=local,TYPE=registry,ref=busybox'], 'docker-value-unclear'],
    [['--cache-from', '"busybox,alpine"'], 'build-option-unsafe'],
    [['--cache-to', 'type=local,type=registry,ref=busybox'], 'docker-value-unclear'],
    [['--output', 'type=local,type=image,name=busybox'], 'docker-value-unclear'],
    [['-o', 'type=image,name=a,name=b'], 'docker-value-unclear'],
    [['--secret', 'id=a,src=b,src=c'], 'docker-value-unclear'],
    [['--call', 'check,format=a,format=b'], 'docker-value-unclear'],
    [['--attest', 'type=provenance,type=sbom,generator=alpine'], 'docker-value-unclear'],
    [['--attest', 'type=sbom,Generator=busybox,generator=alpine'], 'docker-value-unclear'],
    [['--attest', 'type=sbom,Generator=busybox'], 'docker-value-unclear'],
    [['--attest', 'type=sbom,generator='], 'build-option-unsafe'],
    [['--attest', 'type=sbom,disabled=false'], 'build-option-unsafe'],
    [['--attest', 'type=provenance,generator=busybox'], 'build-option-unsafe'],
    [['--attest', 'type=sbom\n'], 'docker-value-unclear'],
    [['--provenance', 'type=sbom,generator=alpine'], 'docker-value-unclear'],
    [['--provenance', '"type=sbom",generator=alpine'], 'docker-value-unclear'],
    [['--provenance', 'generator=alpine'], 'build-option-unsafe'],
    [['--sbom', 'type=provenance'], 'docker-value-unclear'],
    [['--cache-from', 'type=registry'], 'build-option-unsafe'],
    [['--cache-from', 'type=registry,ref=busybox,ref=alpine'], 'docker-value-unclear'],
    [['--cache-from', 'type=gha'], 'build-option-unsafe'],
    [['--cache-from', 'type=s3,bucket=x'], 'build-option-unsafe'],
    [['--cache-from', 'ref=busybox'], 'build-option-unsafe'],
    [['--build-arg', 'BUILDKIT_SYNTAX=alpine'], 'target-not-found'],
    [['--build-arg', 'BUILDKIT_DISABLE_FILEOP=1'], 'build-option-unsafe'],
    [['--sbom', 'true'], 'build-option-unsafe'],
    [['--sbom=generator=alpine'], 'target-not-found'],
    [['--attest', 'type=sbom'], 'build-option-unsafe'],
    [['--attest', 'type=new'], 'build-option-unsafe'],
    [['--build-context', 'x=docker-image://alpine'], 'target-not-found'],
    [['--build-context', 'x=oci-layout://y'], 'build-option-unsafe'],
    [['--build-context', 'x=oci-layout://y:1'], 'build-option-unsafe'],
    [['--build-context', 'x=target:y'], 'build-option-unsafe'],
    [['--build-context', 'x=container-image://y'], 'build-option-unsafe'],
    [['--build-context', 'x=https://example.com/x.git'], 'build-option-unsafe'],
    [['--build-context', 'x=http://example.com/x.tar'], 'build-option-unsafe'],
    [['--build-context', 'x=github.com/a/b'], 'build-option-unsafe'],
    [['--build-context', 'x=git@example.com:a/b'], 'build-option-unsafe'],
    [['--build-context', 'busybox=./files'], 'build-option-unsafe'],
    [['--build-context', 'scratch=.'], 'build-option-unsafe'],
    [['--build-context', 'Context=.'], 'build-option-unsafe'],
    [['--build-context', `x@sha256:${A}=.`], 'build-option-unsafe'],
  ] as const)('%j is refused', async (words, code) => {
    const { failure, call } = await buildx(words);
    expect(failure?.code).toBe(code);
    expect(call).toBeUndefined();
  });

  test('an OCI layout is signed by no one, if digests have to be signed', async () => {
    const words = ['--build-context', `x=oci-layout://y@sha256:${A}`];
    const { failure, call } = await buildx(words, { digests: 'signed' });
    expect(failure).toMatchObject({ code: 'build-option-unsafe', message: expect.stringContaining('no one signs') });
    expect(call).toBeUndefined();
  });

  test('a context that only some builders take for an image’s name is refused', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM base' });
    const words = ['buildx', 'build', '--build-context', 'docker.io/library/base:latest=.', '.'];
    const { failure, call } = await workshop.build(words, { ...TRUSTED, cli: 'buildx' });
    expect(failure?.code).toBe('dockerfile-uncertain');
    expect(call).toBeUndefined();
  });

  test('rules that replace images are refused', async () => {
    const { failure } = await buildx([], { env: { EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: 'x.json' } });
    expect(failure?.code).toBe('build-option-unsafe');
  });
});

describe('a default registry', () => {
  const there = {
    signed: { 'host:5000/library/busybox:latest': A, 'host:5000/alice/base:1': B },
    defaultRegistry: 'host:5000',
  };
  const dockerfile = `FROM busybox\nFROM alice/base:1 AS x\nFROM x\nFROM scratch\nCOPY --from=docker.io/library/alpine:3 /a /b\n`;

  test('without trust, names and tags mean it, and no trust server is asked', async () => {
    const workshop = new Workshop({ Dockerfile: dockerfile });
    const words = ['build', '-t', 'alice/app', '--tag=b:1', '-t', 'other:5000/c', '.'];
    const { call, stdout, exitCode, left } = await workshop.build(words, { ...there, trust: false });
    expect(call?.dockerfile).toBe(
      'FROM host:5000/library/busybox\nFROM host:5000/alice/base:1 AS x\nFROM x\nFROM scratch\nCOPY --from=alpine:3 /a /b\n',
    );
    expect(call?.argv.slice(3)).toEqual([
      ...['-t', 'host:5000/alice/app', '--tag=host:5000/library/b:1', '-t', 'other:5000/c', '.'],
    ]);
    expect([stdout, exitCode, left]).toEqual(['', 0, []]);
  });

  test('under trust they are resolved there', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox\nFROM alice/base:1' });
    const { call } = await workshop.build(['build', '-talice/app', '.'], there);
    expect(call?.dockerfile).toBe(`FROM host:5000/library/busybox@sha256:${A}\nFROM host:5000/alice/base@sha256:${B}`);
    expect(call?.argv.slice(3)).toEqual(['-thost:5000/alice/app', '.']);
  });

  test('what docker is to complain about goes to docker', async () => {
    const workshop = new Workshop();
    for (const words of [['nothing'], [], ['.', '.']]) {
      const { call } = await workshop.build(['build', '-t', 'x', ...words], { ...there, trust: false });
      expect(call?.argv).toEqual(['build', '-t', 'host:5000/library/x', ...words]);
    }
  });
});

test('without trust and a default registry the command is docker’s, untouched', async () => {
  const workshop = new Workshop({ Dockerfile: 'FROM $UNKNOWN' });
  const { call } = await workshop.build(['build', '-t', 'x', '.'], { trust: false });
  expect(call?.argv).toEqual(['build', '-t', 'x', '.']);
});

describe('podman', () => {
  const podman: BuildOptions = { ...TRUSTED, cli: 'podman' };

  test('names are written out, since podman gives short ones a meaning of its own', async () => {
    const workshop = new Workshop({
      Containerfile: 'FROM busybox',
      Dockerfile: 'FROM alpine',
      'Containerfile.dockerignore': 'x',
    });
    const { call, stderr } = await workshop.build(['build', '.'], { ...podman, inEngine: [`busybox@sha256:${A}`] });
    expect(call?.dockerfile).toBe(`FROM docker.io/library/busybox@sha256:${A}`);
    expect(call?.ignored).toBe('x');
    expect(stderr).toBe('');
  });

  test('the current folder is the context if none is given, and -f may lie in the context', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox', 'ctx/other': 'FROM alpine:3' });
    expect((await workshop.build(['build'], podman)).exitCode).toBe(0);
    const { call } = await workshop.build(['build', '-f', 'other', 'ctx'], podman);
    expect(call?.dockerfile).toBe(`FROM docker.io/library/alpine@sha256:${B}`);
  });

  test.each([
    [['--from', 'busybox']],
    [['--cache-from', 'busybox']],
    [['-f', 'Dockerfile', '-f', 'Dockerfile']],
    [['-f', 'x.in']],
  ])('what Signet does not see is refused: %j', async (words) => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox', 'x.in': 'FROM busybox' });
    const { failure, call } = await workshop.build(['build', ...words, '.'], podman);
    expect(failure?.code).toBe('build-option-unsafe');
    expect(call).toBeUndefined();
  });

  test('the platform and here-documents are not read alike there', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox\nRUN <<EOF\nEOF', x: 'FROM busybox:$TARGETARCH' });
    expect((await workshop.build(['build', '.'], podman)).failure?.code).toBe('dockerfile-uncertain');
    const words = ['build', '-f', 'x', '--platform', 'linux/amd64', '.'];
    expect((await workshop.build(words, podman)).failure?.code).toBe('dockerfile-uncertain');
  });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s during the build leaves nothing behind', async (signal) => {
  const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
  const { argv, env, cwd, record } = workshop.command(['build', '.'], { ...TRUSTED, env: { FAKE_SECONDS: '60' } });
  const child = Bun.spawn(argv, { env, cwd, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  while (!existsSync(record)) await Bun.sleep(10);
  expect(workshop.left()).toHaveLength(1);
  child.kill(signal);
  await child.exited;
  expect(child.exitCode ?? child.signalCode).not.toBe(0);
  expect(workshop.left()).toEqual([]);
});

test('a signal while the context is read leaves nothing behind', async () => {
  const files = new Workshop({ Dockerfile: 'FROM busybox\n', big: 'x'.repeat(1_000_000) });
  const { stdout: archive } = await Bun.$`tar -C ${files.folder} -cf - Dockerfile big`.quiet();
  const workshop = new Workshop();
  const { argv, env, cwd } = workshop.command(['build', '-'], TRUSTED);
  const child = Bun.spawn(argv, { env, cwd, stdin: 'pipe', stdout: 'ignore', stderr: 'ignore' });
  child.stdin.write(archive.subarray(0, 500_000));
  // What the child has not read when it is ended has no reader.
  const flushed = Promise.resolve(child.stdin.flush()).catch(() => undefined);
  while (workshop.left().length === 0) await Bun.sleep(10);
  child.kill('SIGINT');
  await child.exited;
  await flushed;
  expect(child.signalCode).toBe('SIGINT');
  expect(workshop.left()).toEqual([]);
});
