import { describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, Workshop } from './workshop.ts';

const SIGNED = { 'docker.io/library/busybox:latest': 'a'.repeat(64) };
const TRUSTED: BuildOptions = { signed: SIGNED, cli: 'buildx' };
const POLICY = 'package docker\nimport rego.v1\ndecision := {"allow": input.image.repo == "busybox"}\n';
const PINNING = 'package docker\nallow if pin_image(input.image, "sha256:x")\n';

describe('the ignore file of a Dockerfile', () => {
  test('may be a link to a file beside it', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox', '.dockerignore': 'x\n' });
    symlinkSync('.dockerignore', join(workshop.folder, 'Dockerfile.dockerignore'));
    const { call } = await workshop.build(['build', '.'], TRUSTED);
    expect(call?.ignored).toBe('x\n');
  });

  test('that is a link out of the folder is not read', async () => {
    const outside = new Workshop({ secret: 'secret\n' });
    for (const target of [join(outside.folder, 'secret'), '/etc/hostname', 'nowhere']) {
      const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
      symlinkSync(target, join(workshop.folder, 'Dockerfile.dockerignore'));
      const { failure, call, left } = await workshop.build(['build', '.'], TRUSTED);
      expect(failure?.code).toBe('build-context-invalid');
      expect(failure?.message).toStartWith('Dockerfile.dockerignore cannot be read: ');
      expect([call, ...left]).toEqual([undefined]);
    }
  });

  test('in a folder that a link leads out by is not read either', async () => {
    const outside = new Workshop({ ignore: 'secret\n' });
    const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
    symlinkSync(outside.folder, join(workshop.folder, 'd'));
    symlinkSync('d/ignore', join(workshop.folder, 'Dockerfile.dockerignore'));
    const { failure } = await workshop.build(['build', '.'], TRUSTED);
    expect(failure?.message).toBe('Dockerfile.dockerignore cannot be read: it is a link that leads elsewhere');
  });

  test('has to be a file, and not without end', async () => {
    const large = new Workshop({ Dockerfile: 'FROM busybox', 'Dockerfile.dockerignore': 'x'.repeat(1024 * 1024 + 1) });
    expect((await large.build(['build', '.'], TRUSTED)).failure).toMatchObject({
      code: 'too-large',
      message: 'Dockerfile.dockerignore has more than 1048576 bytes',
    });
    const folder = new Workshop({ Dockerfile: 'FROM busybox' });
    mkdirSync(join(folder.folder, 'Dockerfile.dockerignore'));
    expect((await folder.build(['build', '.'], TRUSTED)).failure?.code).toBe('build-context-invalid');
  });
});

describe('a build policy beside the Dockerfile', () => {
  test('is handed over with it', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox', 'Dockerfile.rego': POLICY });
    const { call } = await workshop.build(['build', '.'], TRUSTED);
    expect(call?.policy).toBe(POLICY);
    expect(call?.beside).toEqual(['Dockerfile', 'Dockerfile.rego']);
    renameSync(join(workshop.folder, 'Dockerfile'), join(workshop.folder, 'x.df'));
    renameSync(join(workshop.folder, 'Dockerfile.rego'), join(workshop.folder, 'x.df.rego'));
    const named = await workshop.build(['buildx', 'build', '-f', 'x.df', '.'], TRUSTED);
    expect(named.call?.policy).toBe(POLICY);
  });

  test('that could replace images is refused', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox', 'Dockerfile.rego': PINNING });
    const { failure, call, left } = await workshop.build(['build', '.'], TRUSTED);
    expect(failure).toMatchObject({
      code: 'build-option-unsafe',
      message: 'the build policy Dockerfile.rego calls "pin_image", which may replace images after they are checked',
    });
    expect([call, ...left]).toEqual([undefined]);
  });

  test('is docker’s without trust', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox', 'Dockerfile.rego': PINNING });
    const { call } = await workshop.build(['build', '.'], {
      cli: 'buildx',
      trust: false,
      defaultRegistry: 'host:5000',
    });
    expect(call?.policy).toBe(PINNING);
  });

  test('that cannot be read stops the build instead of being passed over', async () => {
    const workshop = new Workshop({ Dockerfile: 'FROM busybox' });
    symlinkSync('nowhere', join(workshop.folder, 'Dockerfile.rego'));
    expect((await workshop.build(['build', '.'], TRUSTED)).failure?.code).toBe('build-context-invalid');
  });

  test('means nothing to docker in an archive, and nothing to podman', async () => {
    const files = new Workshop({ Dockerfile: 'FROM busybox', 'Dockerfile.rego': PINNING });
    chmodSync(files.folder, 0o755);
    const { stdout: stdin } = await Bun.$`tar -C ${files.folder} -cf - .`.quiet();
    const { call } = await new Workshop().build(['build', '-'], { ...TRUSTED, stdin });
    expect(call?.beside).toEqual(['Dockerfile']);
    const podman = await files.build(['build', '.'], { ...TRUSTED, cli: 'podman' });
    expect(podman.call?.beside).toEqual(['Dockerfile']);
  });
});
