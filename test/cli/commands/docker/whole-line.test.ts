import { describe, expect, test } from 'bun:test';
import { inFrontOfRecorded } from './recorded-docker.ts';

const REGISTRY = 'registry.example.com';
const DEFAULT = { SIGNET_DEFAULT_REGISTRY: REGISTRY };

/** That docker printed its help, or ran the line as it was typed. */
const arrived = (line: string) =>
  line.endsWith('--help')
    ? { exitCode: 0, stdout: expect.stringMatching(/^Usage: +docker /), stderr: '' }
    : { exitCode: 0, docker: line, stderr: '' };

describe("docker 29's words reach docker unharmed", () => {
  test.each([
    ['builder --builder default du'],
    ['builder --help'],
    ['builder imagetools inspect --help'],
    ['--debug buildx --builder default ls'],
    ['image --help'],
    ['manifest --help'],
    ['stack --orchestrator x ls'],
    ['--no-such-option ps'],
    ['no-such-command --at all'],
  ])('%s', async (line) => {
    for (const env of [{}, DEFAULT]) {
      expect(await inFrontOfRecorded('docker-29', line.split(' '), env)).toMatchObject(arrived(line));
    }
  });

  test.each(['builder --builder default du', 'buildx ls', 'builder prune --help'])(
    'with trust on: %s',
    async (line) => {
      const env = { DOCKER_CONTENT_TRUST: '1' };
      expect(await inFrontOfRecorded('docker-29', line.split(' '), env)).toMatchObject(arrived(line));
    },
  );
});

describe('a default registry is heard', () => {
  test.each([
    ['manifest inspect --verbose alice/app', `manifest inspect --verbose ${REGISTRY}/alice/app`],
    ['buildx imagetools inspect busybox', `buildx imagetools inspect ${REGISTRY}/library/busybox`],
    [
      'builder --builder b imagetools create -t a/b c/d',
      `builder --builder b imagetools create -t ${REGISTRY}/a/b ${REGISTRY}/c/d`,
    ],
    ['images --filter reference=a/*', `images --filter reference=${REGISTRY}/a/* --filter reference=a/*`],
    ['plugin install alice/p X=1', `plugin install ${REGISTRY}/alice/p X=1`],
    ['plugin upgrade mine alice/p', `plugin upgrade mine ${REGISTRY}/alice/p`],
    ['plugin upgrade mine', 'plugin upgrade mine'],
  ])('%s', async (line, expected) => {
    expect((await inFrontOfRecorded('docker-29', line.split(' '), DEFAULT)).docker).toBe(expected);
    expect((await inFrontOfRecorded('docker-29', line.split(' '))).docker).toBe(line);
  });
});
