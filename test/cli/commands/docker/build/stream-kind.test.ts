import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { HEAD_SIZE, streamKind } from '../../../../../src/cli/commands/docker/build/stream-kind.ts';
import { startFakeEngine } from '../../../../engine/fake-engine.ts';
import { Dice } from '../../../../fuzz/dice.ts';
import { dockerClis } from '../../../../support/clis.ts';
import { findsEntry } from '../../../../support/go-tar.ts';
import { run } from '../../../../support/run.ts';
import { tarEntry, tarHead } from '../../../../support/tar-heads.ts';
import { temporaryFolder } from '../../../../support/temp.ts';

const SEED = 20_261_129;
const ROUNDS = 10_000;

/** Beginnings of streams with what Go 1.26's archive/tar said of them: whether it found an entry. */
const RECORDED = readFileSync(join(import.meta.dir, 'tar-heads.txt'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const [verdict, head = ''] = line.split(' ');
    return { found: verdict === 'entry', head: inflateRawSync(Buffer.from(head, 'base64')) };
  });

describe('against Go', () => {
  test('what is read as an archive is one, and what is read as a Dockerfile is none', () => {
    for (const { found, head } of RECORDED) expect(found ? 'dockerfile' : 'archive').not.toBe(streamKind(head));
    const kinds = new Set(RECORDED.map(({ found, head }) => `${streamKind(head)} ${found}`));
    expect([...kinds].sort()).toEqual(['archive true', 'dockerfile false', 'unclear false', 'unclear true']);
  });

  test('the model that the next test uses says exactly what Go says', () => {
    const wrong = RECORDED.filter(({ found, head }) => findsEntry(head.subarray(0, HEAD_SIZE)) !== found);
    expect(wrong).toEqual([]);
  });

  test(
    `the same holds for ${ROUNDS} more (seed ${SEED})`,
    () => {
      const dice = new Dice(SEED);
      const seen = new Map<string, Buffer>();
      for (let round = 0; round < ROUNDS; round++) {
        const head = tarHead(dice);
        seen.set(`${streamKind(head)} ${findsEntry(head.subarray(0, HEAD_SIZE))}`, head);
      }
      expect(['archive false', 'dockerfile true'].map((wrong) => seen.get(wrong))).toEqual([undefined, undefined]);
      expect(seen.size).toBeGreaterThanOrEqual(3);
    },
    { timeout: 120_000 },
  );

  test('reading changes nothing', () => {
    for (const { head } of RECORDED) {
      const before = Buffer.from(head);
      streamKind(head);
      expect(head.equals(before)).toBe(true);
    }
  });
});

describe('against the docker command', () => {
  test(
    'what it takes for an archive is no Dockerfile here, and the other way round',
    async () => {
      const dice = new Dice(SEED + 1);
      const generated = Array.from({ length: 2000 }, () => tarHead(dice));
      const ofKind = (kind: string) => generated.filter((head) => streamKind(head) === kind).slice(0, 12);
      const heads = [...ofKind('archive'), ...ofKind('dockerfile'), ...ofKind('unclear'), TRICK, ...MAGICS];
      const clis = await dockerClis();
      expect(clis.length).toBeGreaterThan(0);
      for (const { path, major } of clis) {
        for (const head of heads.filter((each) => major >= KNOWS_ZSTD || !isZstd(each))) {
          const taken = await takenFor(path, head);
          if (streamKind(head) !== 'unclear') expect({ head, taken }).toEqual({ head, taken: streamKind(head) });
        }
      }
    },
    { timeout: 120_000 },
  );

  const KNOWS_ZSTD = 23;
  const isZstd = (head: Buffer) => ['28b52ffd', '502a4d18'].includes(head.toString('hex', 0, 4));

  /** docker sends an archive as it is; of a Dockerfile it makes one, and says how the file in it is called. */
  async function takenFor(docker: string, stdin: Buffer): Promise<string> {
    const engine = startFakeEngine({ answer: () => Response.json({ stream: 'built' }) });
    const home = temporaryFolder();
    const env = { HOME: home, TMPDIR: home, DOCKER_HOST: engine.host, DOCKER_BUILDKIT: '0' };
    await run([docker, 'build', '-'], { env, stdin });
    const request = engine.requests.find(({ path }) => path === '/build');
    if (request === undefined) throw new Error('docker sent nothing to the engine');
    return request.query.get('dockerfile') === 'Dockerfile' ? 'dockerfile' : 'archive';
  }
});

/** `# x` with a checksum that begins with a NUL: Go finds an archive, other readers comments and `FROM scratch`. */
const TRICK = Buffer.concat([
  tarEntry('# x', '\nFROM scratch\n#', (sum) => `\0${sum}\0`),
  tarEntry('Dockerfile', 'FROM evil\nRUN cat /evil\n#', (sum) => `${sum}\0 `),
  Buffer.alloc(HEAD_SIZE),
]);
const MAGICS = ['425a68', '1f8b08', 'fd377a585a00', '28b52ffd', '502a4d1800000000'].map((magic) =>
  Buffer.concat([Buffer.from(magic, 'hex'), Buffer.alloc(600, 'x')]),
);

test('an archive in disguise is one', () => {
  expect(streamKind(TRICK)).toBe('archive');
});

test.each([
  ['nothing', '', 'dockerfile'],
  ['a Dockerfile', 'FROM a\n'.repeat(300), 'dockerfile'],
  ['a comment', '#'.repeat(2000), 'dockerfile'],
  ['nothing but NULs', '\0'.repeat(1024), 'dockerfile'],
  ['bzip2', 'BZh', 'archive'],
  ['the half of it', 'BZ', 'dockerfile'],
  ['gzip', '\x1f\x8b\x08', 'archive'],
  ['xz', '\xfd7zXZ\0', 'archive'],
  ['xz cut off', '\xfd7zXZ', 'dockerfile'],
  ['zstd', '\x28\xb5\x2f\xfd', 'archive'],
  ['the first skippable frame of zstd', 'P*M\x18xxxx', 'archive'],
  ['the last one', '_*M\x18xxxx', 'archive'],
  ['one without its length', 'P*M\x18xxx', 'dockerfile'],
  ['what would be one more', '`*M\x18xxxx', 'dockerfile'],
])('%s is taken for what it is', (_, head, kind) => {
  expect(streamKind(Buffer.from(head, 'latin1'))).toBe(kind as ReturnType<typeof streamKind>);
});

test('a header that docker sees no end of is neither', () => {
  const longName = tarEntry('././@LongLink', 'x'.repeat(200), (sum) => `${sum}\0 `, 'L');
  expect(streamKind(Buffer.concat([longName, tarEntry('x', '', (sum) => `${sum}\0 `)]))).toBe('unclear');
  const records = tarEntry('./PaxHeaders', '6 a=b\n', (sum) => `${sum}\0 `, 'x');
  expect(streamKind(Buffer.concat([records, tarEntry('x', '', (sum) => `${sum}\0 `)]))).toBe('unclear');
});

test('what git makes, which begins with records for all of it, is an archive', () => {
  const id = `52 comment=${'a'.repeat(40)}\n`;
  expect(streamKind(tarEntry('pax_global_header', id, (sum) => `${sum}\0 `, 'g'))).toBe('archive');
});
