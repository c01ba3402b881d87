import { expect, test } from 'bun:test';
import { streamKind } from '../../../../../src/cli/commands/docker/build/stream-kind.ts';
import { tarEntry } from '../../../../support/tar-heads.ts';
import { type BuildOptions, Workshop } from './workshop.ts';

const A = 'a'.repeat(64);
const TRUSTED: BuildOptions = { signed: { 'docker.io/library/busybox:latest': A } };
const END = Buffer.alloc(1024);
const plain = (sum: string) => `${sum}\0 `;

test('an archive that other readers take for a Dockerfile is read as the archive', async () => {
  const evil = tarEntry('Dockerfile', 'FROM evil\nRUN cat /evil\n#', plain);
  const stdin = Buffer.concat([tarEntry('# x', '\nFROM scratch\n#', (sum) => `\0${sum}\0`), evil, END]);
  const { failure, call, left } = await new Workshop().build(['build', '-'], { ...TRUSTED, stdin });
  expect(failure?.code).toBe('trust-data-missing');
  expect(failure?.message).toStartWith('Dockerfile:1: FROM evil: ');
  expect([call, ...left]).toEqual([undefined]);
});

test('what could be either is refused by docker’s rules; podman looks at all of it', async () => {
  const records = tarEntry('x', '6 a=b\n', plain, 'x');
  const stdin = Buffer.concat([records, tarEntry('Dockerfile', 'FROM busybox\n', plain), END]);
  const { failure, call } = await new Workshop().build(['build', '-'], { ...TRUSTED, stdin });
  expect(failure).toMatchObject({
    code: 'build-context-invalid',
    message: 'standard input could be an archive to docker, or a Dockerfile',
    next: 'Unpack it into a folder, and build that.',
  });
  expect(call).toBeUndefined();
  const podman = await new Workshop().build(['build', '-'], { ...TRUSTED, cli: 'podman', stdin });
  expect(podman.call?.dockerfile).toBe(`FROM docker.io/library/busybox@sha256:${A}\n`);
});

test('a Dockerfile whose digests would make an archive of it is not handed over', async () => {
  const digest = `@sha256:${A}`;
  const text = archiveOfText(`FROM busybox${digest}\n#`);
  expect(streamKind(Buffer.from(text))).toBe('archive');
  const stdin = text.replace(digest, '');
  expect(streamKind(Buffer.from(stdin))).toBe('dockerfile');
  const { failure, call } = await new Workshop().build(['build', '-'], { ...TRUSTED, stdin });
  expect(failure?.message).toBe('standard input could be an archive to docker, or a Dockerfile');
  expect(call).toBeUndefined();
  const file = await new Workshop().build(['build', '-f', '-', '.'], { ...TRUSTED, stdin });
  expect(file.call?.dockerfile).toBe(text);
});

/** A Dockerfile that begins so and is a tar header of the oldest kind: numbers may be blanks, and names anything. */
function archiveOfText(beginning: string): string {
  const block = Buffer.alloc(512, 'x');
  block.write(beginning);
  block.fill(' ', 100, 156);
  block.write('0', 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(sum.toString(8).padStart(7, '0'), 148);
  return `${block.toString()}\n`;
}
