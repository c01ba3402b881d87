import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandSource } from '../../../src/cli/passphrases/command.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { failure } from '../../support/failure.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';

const ID = parseKeyId('0123456789abcdef'.repeat(4));
const ALICE = { id: ID, alias: 'alice' };
const ENV = { PATH: process.env.PATH };

const find = (program: string, ...args: string[]) => commandSource({ program, args }, ENV).find(ALICE);
const shell = (script: string) => find('sh', '-c', script);

describe('a command', () => {
  test.each([
    ['printf secret', 'secret'],
    ['echo secret', 'secret'],
    ['printf "secret\\r\\n"', 'secret'],
    ['printf "secret\\n\\n"', 'secret\n'],
    ['printf " se cret "', ' se cret '],
    ['printf se; sleep 0.1; printf cret', 'secret'],
  ])('%s gives %j', async (script, expected) => {
    expect((await shell(script))?.toString()).toBe(expected);
  });

  test('is told which key it is for, keeps the rest of the environment, and has no input', async () => {
    const script = 'printf "%s|%s|%s|" "$SIGNET_KEY_ALIAS" "$SIGNET_KEY_ID" "$OTHER"; wc -c';
    const source = commandSource({ program: 'sh', args: ['-c', script] }, { ...ENV, OTHER: 'x', SIGNET_KEY_ID: 'old' });
    expect((await source.find(ALICE))?.toString()).toBe(`alice|${ID}|x|0`);
    expect((await source.find({ id: undefined, alias: 'encrypted' }))?.toString()).toBe('encrypted||x|0');
  });

  test('is no shell', async () => {
    expect((await find('echo', '$HOME;', '`id`', '*'))?.toString()).toBe('$HOME; `id` *');
  });

  test.each([
    ['exit 3', 'exit status 3'],
    ['echo secret; exit 1', 'exit status 1'],
    ['kill -KILL $$', 'signal SIGKILL'],
    ['true', 'it printed nothing'],
    ['echo', 'it printed nothing'],
    ['yes secret 2>/dev/null', 'it printed more than 1048576 bytes'],
  ])('that does %j fails', async (script, why) => {
    const error = await failure(shell(script), 'passphrase-command-failed');
    expect(error.message).toBe(`the passphrase command "sh" failed: ${why}`);
    expect(error.next).toContain('SIGNET_KEY_ALIAS');
    expect(JSON.stringify({ ...error, stack: '' })).not.toContain('secret');
  });

  test('that cannot be started fails', async () => {
    const missing = await failure(find('/no/such/program', 'secret'), 'passphrase-command-failed');
    expect(missing.message).toBe('the passphrase command "/no/such/program" failed: there is no such program');
    const path = join(temporaryFolder(), 'text');
    writeFileSync(path, 'no program');
    chmodSync(path, 0o600);
    const text = await failure(find(path), 'passphrase-command-failed');
    expect(text.message).toEndWith('it cannot be started: EACCES');
  });

  test('that does not end is ended, also where what it has started holds the pipe open', async () => {
    const ended = join(temporaryFolder(), 'ended');
    const script = `trap 'touch ${ended}; exit' TERM; sleep 30 & echo secret; while :; do sleep 0.05; done`;
    const source = commandSource({ program: 'sh', args: ['-c', script] }, ENV, 200);
    const error = await failure(source.find(ALICE), 'passphrase-command-failed');
    expect(error.message).toEndWith('it took longer than 0.2 seconds');
    while (!existsSync(ended)) await Bun.sleep(5);
  });
});

describe('Ctrl-C', () => {
  /** Waits in a terminal for a command, and prints how that ended. */
  async function interrupted(script: string): Promise<string> {
    const file = join(temporaryFolder(), 'waiting.ts');
    const module = JSON.stringify(join(import.meta.dir, '../../../src/cli/passphrases/command.ts'));
    writeFileSync(
      file,
      `import { commandSource } from ${module};
const command = { program: 'sh', args: ['-c', ${JSON.stringify(script)}] };
const error = await commandSource(command, process.env).find({ id: undefined, alias: 'x' }).catch((error) => error);
console.log(\`\${error.code} \${error.exitCode}\`);
process.exit(error.exitCode);
`,
    );
    let text = '';
    const child = Bun.spawn([process.execPath, file], {
      terminal: {
        data: (terminal, bytes) => {
          text += Buffer.from(bytes).toString();
          if (text.endsWith('ready\r\n')) terminal.write('\u0003');
        },
      },
    });
    expect(await child.exited).toBe(130);
    return text.replaceAll('\r\n', '\n').replace('^C', '');
  }

  test.each([
    ['that dies of it', 'echo ready >&2; sleep 30'],
    ['that does not care', 'trap "" INT; echo ready >&2; sleep 30'],
    ['that ends by it', 'trap "exit 130" INT; echo ready >&2; while :; do sleep 0.05; done'],
  ])(
    'ends a command %s',
    async (_, script) => {
      expect(await interrupted(script)).toBe('ready\ncancelled 130\n');
    },
    20_000,
  );
});

test('its errors are seen', async () => {
  const module = JSON.stringify(join(import.meta.dir, '../../../src/cli/passphrases/command.ts'));
  const script = `import { commandSource } from ${module};
const command = { program: 'sh', args: ['-c', 'echo "unlock it first" >&2; echo secret'] };
console.log(String(await commandSource(command, process.env).find({ id: undefined, alias: 'x' })));`;
  const outcome = await run([process.execPath, '-e', script]);
  expect([outcome.stdout, outcome.stderr]).toEqual(['secret\n', 'unlock it first\n']);
});
