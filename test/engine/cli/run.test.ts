import { describe, expect, test } from 'bun:test';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { captureDocker, execDocker, runDocker } from '../../../src/engine/cli/run.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';

const MODULE = join(import.meta.dir, '../../../src/engine/cli/run.ts');
const FAILED = { code: 'docker-failed' };
const sh = (script: string) => ['-c', script] as const;

/** A program of Bun's that runs `script` in a shell through `call`, and exits with the code it gets. */
function caller(call: 'runDocker' | 'execDocker', script: string): string[] {
  const file = join(temporaryFolder(), 'caller.ts');
  writeFileSync(
    file,
    `import { ${call} } from ${JSON.stringify(MODULE)};
console.log('pid', process.pid);
process.exitCode = await ${call}('/bin/sh', ['-c', ${JSON.stringify(script)}]);
`,
  );
  return [process.execPath, file];
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(10);
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe('runDocker', () => {
  test.each([
    ['exit 0', 0],
    ['exit 1', 1],
    ['exit 125', 125],
    ['exit 255', 255],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
    ['kill -INT $$', 130],
  ])('%s', async (script, code) => {
    expect(await runDocker('/bin/sh', sh(script))).toBe(code);
  });

  test('gives the environment, bytes or a stream to read, and takes the output', async () => {
    const read = async (stdin: Uint8Array | Readable) => {
      const stdout = new PassThrough();
      const env = { PATH: process.env.PATH, SECRET: 'x' };
      const code = await runDocker('/bin/sh', sh('echo "$SECRET$HOME"; cat; exit 3'), { env, stdin, stdout });
      stdout.end();
      return [code, await new Response(Readable.toWeb(stdout) as ReadableStream).text()];
    };
    expect(await read(Buffer.from('from here'))).toEqual([3, 'x\nfrom here']);
    expect(await read(Readable.from([Buffer.from('a'), Buffer.from('b')]))).toEqual([3, 'x\nab']);
  });

  test('a child that does not read is no error', async () => {
    expect(await runDocker('/bin/sh', sh('exit 7'), { stdin: Buffer.alloc(4 * 1024 * 1024) })).toBe(7);
  });

  test('a program that cannot be started', async () => {
    const text = join(temporaryFolder(), 'docker');
    writeFileSync(text, '#!/nonexistent/interpreter\n');
    chmodSync(text, 0o755);
    for (const path of ['/nonexistent/docker', '/etc/hostname', text]) {
      await expect(runDocker(path, [])).rejects.toMatchObject(FAILED);
    }
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)(
    'hands on %s once, and ends with the code of the child',
    async (signal) => {
      const log = join(temporaryFolder(), 'log');
      const name = signal.slice(3);
      const script = `trap 'echo got >> ${log}' ${name}; echo ready > ${log}; while [ $(wc -l < ${log}) -lt 2 ]; do sleep 0.05; done; sleep 0.2; exit 9`;
      // In a session of its own there is no terminal whose signals the kernel would hand to both.
      const child = Bun.spawn(['setsid', ...caller('runDocker', script)], { stdout: 'pipe', stderr: 'inherit' });
      await until(() => contentOf(log) !== '');
      const pid = Number(/pid (\d+)/.exec(await firstChunk(child.stdout))?.[1]);
      process.kill(pid, signal);
      expect(await child.exited).toBe(9);
      expect(contentOf(log)).toBe('ready\ngot\n');
    },
    20_000,
  );

  test('Ctrl-C on a terminal reaches the child exactly once', async () => {
    const log = join(temporaryFolder(), 'log');
    const script = `trap 'echo got >> ${log}' INT; echo ready > ${log}; while [ $(wc -l < ${log}) -lt 2 ]; do sleep 0.05; done; sleep 0.3; exit 9`;
    const child = Bun.spawn(caller('runDocker', script), { terminal: { data: () => undefined } });
    await until(() => contentOf(log) !== '');
    child.terminal?.write('\u0003');
    expect(await child.exited).toBe(9);
    expect(contentOf(log)).toBe('ready\ngot\n');
  }, 20_000);

  test('a child that Ctrl-C ends, ends us with 130', async () => {
    const log = join(temporaryFolder(), 'log');
    const child = Bun.spawn(caller('runDocker', `echo ready > ${log}; exec sleep 30`), {
      terminal: { data: () => undefined },
    });
    await until(() => contentOf(log) !== '');
    child.terminal?.write('\u0003');
    expect(await child.exited).toBe(130);
  }, 20_000);

  test('signals are our own again afterwards', async () => {
    const before = process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
    await runDocker('/bin/true', []);
    await expect(runDocker('/nonexistent/docker', [])).rejects.toMatchObject(FAILED);
    expect(process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')).toBe(before);
  });
});

describe('execDocker', () => {
  test('the process becomes docker: same id, same terminal, its exit code', async () => {
    const { stdout, exitCode } = await run(caller('execDocker', 'echo shell $$; exit 42'));
    const [, before, after] = /^pid (\d+)\nshell (\d+)\n$/.exec(stdout) ?? [];
    expect(before).toBeDefined();
    expect(after).toBe(before as string);
    expect(exitCode).toBe(42);
  });

  test('signals that end docker end the process', async () => {
    const child = Bun.spawn(caller('execDocker', 'kill -TERM $$'), { stdout: 'ignore' });
    await child.exited;
    expect(child.signalCode).toBe('SIGTERM');
  });

  test('a program that cannot be started', async () => {
    await expect(execDocker('/nonexistent/docker', [])).rejects.toMatchObject(FAILED);
  });
});

describe('captureDocker', () => {
  test('returns both streams and the exit code, and gives nothing to read', async () => {
    const found = await captureDocker('/bin/sh', sh('cat; echo out; echo err >&2; exit 4'));
    expect(found).toEqual({ exitCode: 4, stdout: 'out\n', stderr: 'err\n' });
  });

  test('refuses endless output', async () => {
    await expect(captureDocker('/bin/sh', sh('exec cat /dev/zero'))).rejects.toMatchObject(FAILED);
    await expect(captureDocker('/bin/sh', sh('exec cat /dev/zero >&2'))).rejects.toMatchObject(FAILED);
  });

  test('a program that cannot be started', async () => {
    await expect(captureDocker('/nonexistent/docker', [])).rejects.toMatchObject(FAILED);
  });
});

async function firstChunk(stream: ReadableStream<Uint8Array>): Promise<string> {
  const { value } = await stream.getReader().read();
  return new TextDecoder().decode(value);
}
