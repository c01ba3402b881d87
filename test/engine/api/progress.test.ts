import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Piece, visible } from '../../../src/core/printable.ts';
import type { EngineMessage, LayerProgress } from '../../../src/engine/api/messages.ts';
import { formatProgress, formatSize, ProgressDisplay } from '../../../src/engine/api/progress.ts';
import { dockerClis } from '../../support/clis.ts';
import { random } from '../../support/random.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { type FakeEngine, startFakeEngine, stream } from '../fake-engine.ts';

const NOW = 1_000_000_000;
const layer = (members: Partial<LayerProgress>): LayerProgress => ({
  ...{ current: 0, total: 0, start: 0, units: '', hidesCounts: false },
  ...members,
});
const message = (members: Partial<EngineMessage>): EngineMessage => ({
  ...{ id: '', status: '', progress: undefined, error: undefined, aux: undefined },
  ...members,
});

function shown(messages: readonly Partial<EngineMessage>[], out: { isTTY?: boolean; columns?: number }): string {
  let text = '';
  const write = (...pieces: readonly Piece[]) => {
    for (const piece of pieces) text += typeof piece === 'string' ? visible(piece) : piece.sequence;
  };
  const display = new ProgressDisplay({ ...out, write });
  for (const each of messages) display.show(message(each));
  return text;
}

describe('formatProgress', () => {
  const bar = (members: Partial<LayerProgress>, columns = 200) => formatProgress(layer(members), columns, NOW);

  test('as docker draws it', () => {
    expect(bar({})).toBe('');
    expect(bar({ current: 1 })).toBe('      1B');
    expect(bar({ current: 1, total: -1 })).toBe('      1B');
    expect(bar({ current: 0, total: 100 })).toBe(`[>${' '.repeat(50)}]       0B/100B`);
    expect(bar({ current: 500, total: 1000 })).toBe(`[${'='.repeat(25)}>${' '.repeat(25)}]     500B/1kB`);
    expect(bar({ current: 1000, total: 1000 })).toBe(`[${'='.repeat(50)}>]      1kB/1kB`);
    expect(bar({ current: 2000, total: 1000 })).toBe(`[${'='.repeat(50)}>]      2kB`);
    expect(bar({ current: 500, total: 1000 }, 110)).toBe('    500B/1kB');
    expect(bar({ current: 5, total: 10, units: 'files' }, 80)).toBe('5/10 files');
    expect(bar({ current: 15, total: 10, units: 'files' }, 80)).toBe('15 files');
    expect(bar({ current: 15, units: 'files' }, 80)).toBe('15 files');
    expect(bar({ current: 5, total: 10, hidesCounts: true }, 80)).toBe('');
  });

  test('with the time that is left, where the engine tells when it began', () => {
    const start = NOW / 1000 - 10;
    expect(bar({ current: 100, total: 200, start }, 80)).toBe('    100B/200B 10s');
    expect(bar({ current: 1, total: 13, start }, 80)).toBe('      1B/13B 2m0s');
    expect(bar({ current: 1, total: 400, start }, 80)).toBe('      1B/400B 1h6m30s');
    expect(bar({ current: 200, total: 200, start }, 80)).toBe('    200B/200B');
    expect(bar({ current: 100, total: 200, start }, 50)).toBe('    100B/200B');
  });

  test.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1234, '1.234kB'],
    [12_345, '12.35kB'],
    [999_999, '1000kB'],
    [1_000_000, '1MB'],
    [123_456_789, '123.5MB'],
    [5e12, '5TB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('ProgressDisplay', () => {
  const push = [
    { status: 'The push refers to repository [r/a]' },
    { id: 'aa', status: 'Preparing', progress: layer({}) },
    { id: 'aa', status: 'Pushing', progress: layer({ current: 5, total: 10 }) },
    { id: 'aa', status: 'Pushed', progress: layer({}) },
    { status: 'done' },
  ];

  test('without a terminal, one line for each step', () => {
    expect(shown(push, {})).toBe('The push refers to repository [r/a]\naa: Preparing\naa: Pushed\ndone\n');
  });

  test('on a terminal, one line for each layer, rewritten', () => {
    const erase = '\u001b[2K\r';
    expect(shown(push, { isTTY: true, columns: 80 })).toBe(
      [
        'The push refers to repository [r/a]\n',
        `\n\u001b[1A${erase}aa: Preparing \r\u001b[1B`,
        `\u001b[1A${erase}aa: Pushing       5B/10B\r\u001b[1B`,
        `\u001b[1A${erase}aa: Pushed \r\u001b[1B`,
        'done\n',
      ].join(''),
    );
  });

  test('text from outside cannot steer the terminal', () => {
    const evil = [{ id: 'a\u001b[2J', status: 'x\u009b31m\u0007\u202fy\r\u0000z' }];
    const harmless = 'a\\u001b[2J: x\\u009b31m\\u0007\\u202fy\\u000d\\u0000z\n';
    expect(shown(evil, {})).toBe(harmless);
    expect(shown(evil, { isTTY: true })).toBe(harmless);
  });
});

describe('beside docker itself', () => {
  const next = random(12);
  const pick = <Item>(...items: Item[]): Item => items[Math.floor(next() * items.length)] as Item;
  const size = () =>
    pick(0, 1, 999, 1000, 99_995, 999_999, 1_234_567, Math.floor(next() * 10 ** (1 + Math.floor(next() * 12))));

  function randomRecord(): object {
    const current = size();
    const detail = pick({}, { current, total: pick(0, -1, current, current * 2 + 1, size()) });
    return {
      status: pick('Pushing', 'Waiting', 'Pushed', 'Layer already exists', 'Ünïcode'),
      ...(next() < 0.95 && { id: pick('a', 'b', 'c', 'd', 'e').repeat(12) }),
      ...(next() < 0.95 && {
        progressDetail: {
          ...detail,
          ...(next() < 0.1 && { units: 'things' }),
          ...(next() < 0.1 && { hidecounts: true }),
        },
      }),
    };
  }

  const digest = `sha256:${'a'.repeat(64)}`;
  const records = [
    { status: 'The push refers to repository [localhost:5000/a/b]' },
    ...Array.from({ length: 300 }, randomRecord),
    { status: `latest: digest: ${digest} size: 528` },
    { progressDetail: {}, aux: { Tag: 'latest', Digest: digest, Size: 528 } },
  ];

  function engine(): FakeEngine {
    return startFakeEngine({ answer: ({ path }) => (path.endsWith('/push') ? stream(...records) : undefined) });
  }

  /** A program that pushes through this project's engine client. */
  function ourPush({ socketPath, host }: FakeEngine): string[] {
    const file = join(temporaryFolder(), 'push.ts');
    const module = (name: string) => JSON.stringify(join(import.meta.dir, '../../../src/engine/api', name));
    writeFileSync(
      file,
      `import { DockerEngine } from ${module('api.ts')};
import { EngineClient } from ${module('client.ts')};
const engine = new DockerEngine(new EngineClient(${JSON.stringify({ host, socketPath })}));
import { progressOutput } from ${module('../../cli/terminal/streams.ts')};
await engine.push('localhost:5000/a/b:latest', { show: progressOutput('stdout') });
`,
    );
    return [process.execPath, file];
  }

  async function output(command: string[], host: string, columns: number | undefined): Promise<string> {
    const env = { ...process.env, DOCKER_HOST: host };
    if (columns === undefined)
      return new Response(Bun.spawn(command, { env, stdout: 'pipe', stderr: 'ignore' }).stdout).text();
    const chunks: Uint8Array[] = [];
    const child = Bun.spawn(command, {
      env,
      terminal: { cols: columns, rows: 50, data: (_, bytes) => chunks.push(Uint8Array.from(bytes)) },
    });
    await child.exited;
    child.terminal?.close();
    return Buffer.concat(chunks).toString('utf8');
  }

  test.each([undefined, 40, 80, 111, 200])(
    'the same bytes in a terminal of %p columns',
    async (columns) => {
      const fake = engine();
      const ours = await output(ourPush(fake), fake.host, columns);
      expect(ours.length).toBeGreaterThan(1000);
      for (const { path } of await dockerClis()) {
        const theirs = await output([path, 'push', 'localhost:5000/a/b:latest'], fake.host, columns);
        expect(ours).toBe(theirs);
      }
    },
    30_000,
  );
});
