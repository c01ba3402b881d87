import { describe, expect, test } from 'bun:test';
import { CommandText, carryOut, checkName, parseCommand, runGroup } from '../../../src/cli/line/command.ts';
import { type Argument, type Command, type Flag, type Group, usageOf } from '../../../src/cli/line/declaration.ts';
import { helpText } from '../../../src/cli/line/help.ts';
import { SignetError } from '../../../src/core/errors/index.ts';
import { failure } from '../../support/failure.ts';

const SPEC: Command = {
  path: 'thing do',
  summary: 'Do a thing',
  args: [{ name: 'NAME', takes: 'text' }],
  flags: [
    { name: 'force', short: 'f', type: 'switch', about: 'Do it' },
    { name: 'quiet', type: 'switch', about: 'Say nothing', isHidden: true },
  ],
  run: async () => 7,
};
/** So many arguments, of which those from `min` on may be left out; any number if there is no `max`. */
function counted(min: number, max?: number): readonly Argument[] {
  const count = max ?? Math.max(min, 1);
  return Array.from({ length: count }, (_, index) => ({
    name: 'NAME',
    takes: 'text',
    isOptional: index >= min,
    isRepeated: max === undefined && index === count - 1,
  }));
}
const HELP = 'Usage:  docker thing do [OPTIONS] NAME\n\nDo a thing\n\nOptions:\n  -f, --force   Do it\n';
const USAGE = "\nUsage:  docker thing do [OPTIONS] NAME\n\nRun 'docker thing do --help' for more information\n";

function textOf(action: () => unknown): Pick<CommandText, 'message' | 'exitCode' | 'stream'> {
  try {
    action();
  } catch (error) {
    if (error instanceof CommandText) return { message: error.message, exitCode: error.exitCode, stream: error.stream };
    throw error;
  }
  throw new Error('nothing was thrown');
}

const parsing = (words: readonly string[], spec: Command = SPEC) => textOf(() => parseCommand(spec, words));

describe('parseCommand', () => {
  test('gives arguments and flags, of which the last counts', () => {
    const parsed = parseCommand(SPEC, ['-f', 'x', '--force=false']);
    expect([parsed.args, parsed.has('force'), parsed.values('force')]).toEqual([['x'], false, ['true', 'false']]);
    expect(parseCommand(SPEC, ['x', '-f']).has('force')).toBe(true);
    expect(parseCommand(SPEC, ['x']).value('force')).toBeUndefined();
  });

  test('help goes to standard output, whatever else is missing', () => {
    expect(parsing(['--help'])).toEqual({ message: HELP, exitCode: 0, stream: 'stdout' });
    expect(parsing(['-f', '--help', 'a', 'b'])).toMatchObject({ message: HELP, exitCode: 0 });
    const deprecated = `Flag shorthand -h has been deprecated, use --help\n${HELP}`;
    expect(parsing(['-h'])).toEqual({ message: deprecated, exitCode: 0, stream: 'stdout' });
  });

  test('help that is taken back is none', () => {
    expect(parseCommand(SPEC, ['--help', '--help=false', 'x']).args).toEqual(['x']);
  });

  test('a wrong flag comes before help', () => {
    const message = `unknown flag: --bogus\n${USAGE}`;
    expect(parsing(['--help', '--bogus'])).toEqual({ message, exitCode: 125, stream: 'stderr' });
  });

  test.each([
    [1, 1, [], 'requires 1 argument\n'],
    [1, 1, ['a', 'b'], 'requires 1 argument\n'],
    [2, 2, ['a'], 'requires 2 arguments\n'],
    [0, 1, ['a', 'b'], 'requires at most 1 argument\n'],
    [0, 2, ['a', 'b', 'c'], 'requires at most 2 arguments\n'],
    [1, 2, [], 'requires at least 1 and at most 2 arguments\n'],
  ])('%j to %j with %j', (min, max, words, message) => {
    expect(parsing(words, { ...SPEC, args: counted(min, max), usage: '[OPTIONS] NAME' })).toEqual({
      message: `docker: 'docker thing do' ${message}${USAGE}`,
      exitCode: 1,
      stream: 'stderr',
    });
  });

  test('too few of any number end in See', () => {
    const { message } = parsing([], { ...SPEC, args: counted(2), usage: '[OPTIONS] NAME' });
    expect(message).toBe(`docker: 'docker thing do' requires at least 2 arguments\n${USAGE.replace('Run', 'See')}`);
  });

  test('the usage line shows the arguments as they are counted', () => {
    const shown = (min: number, max?: number) => usageOf({ args: counted(min, max), flags: [] });
    expect([shown(1, 1), shown(1, 2), shown(0, 1), shown(1), shown(2), shown(0)]).toEqual([
      'NAME',
      'NAME [NAME]',
      '[NAME]',
      'NAME [NAME...]',
      'NAME NAME [NAME...]',
      '[NAME...]',
    ]);
  });

  test('without a value, a flag has its default', () => {
    const name: Flag = { name: 'name', type: 'value', about: 'Name', default: 'signer' };
    const parsed = (...words: string[]) => parseCommand({ ...SPEC, args: [], flags: [name] }, words);
    expect([parsed().value('name'), parsed().values('name')]).toEqual(['signer', []]);
    expect(parsed('--name=').value('name')).toBe('');
  });

  test('a long description goes on below its beginning, and a default is not torn', () => {
    const about = `${'many words '.repeat(5)}and more`;
    const flags: readonly Flag[] = [{ name: 'name', short: 'n', type: 'value', about, default: 'a b' }];
    const text = helpText({ ...SPEC, flags, notes: 'More.' });
    expect(text.slice(text.indexOf('Options:'))).toBe(
      `Options:\n  -n, --name string   ${'many words '.repeat(5).trimEnd()}\n                      and more (default "a b")\n\nMore.\n`,
    );
  });

  test('a usage line that ends in a space keeps it, as docker has one', () => {
    expect(parsing([], { ...SPEC, usage: 'NAME ' }).message).toContain('Usage:  docker thing do NAME \n');
  });
});

describe('runGroup', () => {
  const called: string[][] = [];
  const group: Group = {
    path: 'thing',
    summary: 'Do things',
    lists: [
      [
        'Commands',
        [
          ['do', async () => SPEC],
          ['hide', async () => ({ ...SPEC, isHidden: true })],
        ],
      ],
    ],
  };
  const HELP = `Usage:  docker thing COMMAND

Do things

Commands:
  do          Do a thing

Run 'docker thing COMMAND --help' for more information on a command.
`;
  const run = async (command: Command, words: readonly string[]) => {
    expect(command).toBe(SPEC);
    called.push([...words]);
    return 7;
  };
  const rejection = async (...words: string[]) => {
    const error = await runGroup(group, words, run).then(
      () => new Error('it ran'),
      (thrown) => thrown,
    );
    return textOf(() => {
      throw error;
    });
  };

  test('runs the command with what follows it, and with the flags before it', async () => {
    called.length = 0;
    expect(await runGroup(group, ['do', 'a', '--x'], run)).toBe(7);
    expect(await runGroup(group, ['--help', '-y', 'do', 'b'], run)).toBe(7);
    expect(called).toEqual([
      ['a', '--x'],
      ['--help', '-y', 'b'],
    ]);
  });

  test('help that was asked for goes to standard output, help for nothing to standard error', async () => {
    expect(await rejection('--help')).toEqual({ message: HELP, exitCode: 0, stream: 'stdout' });
    expect(await rejection()).toEqual({ message: HELP, exitCode: 0, stream: 'stderr' });
    expect(await rejection('--help=false')).toEqual({ message: HELP, exitCode: 0, stream: 'stderr' });
  });

  test('an unknown command and an unknown flag are docker’s errors', async () => {
    const usage = "\nUsage:  docker thing\n\nRun 'docker thing --help' for more information\n";
    expect(await rejection('undo')).toEqual({
      message: `docker: unknown command: docker thing undo\n${usage}`,
      exitCode: 1,
      stream: 'stderr',
    });
    expect(await rejection('--bogus')).toEqual({
      message: `unknown flag: --bogus\n${usage}`,
      exitCode: 125,
      stream: 'stderr',
    });
  });
});

describe('carryOut', () => {
  const failing = (error: SignetError): Command => ({ ...SPEC, run: () => Promise.reject(error) });
  const nextOf = (error: SignetError) =>
    carryOut(failing(error), undefined as never, parseCommand(SPEC, ['x'])).catch((thrown: SignetError) => thrown.next);

  test('wrong usage leads to the help of the command, unless there is a better step', async () => {
    expect(await nextOf(new SignetError('usage', 'not so'))).toBe('See signet thing do --help');
    expect(await nextOf(new SignetError('usage', 'not so', { next: 'Give a name.' }))).toBe('Give a name.');
    const other = new SignetError('key-ambiguous', 'which one?');
    expect(await nextOf(other)).toBe(other.next as unknown as number);
  });
});

describe('checkName', () => {
  test.each(['alice', '0', 'a-b_c9', 'releases'])('%p is a name', (name) => {
    checkName('signer', name);
  });

  test.each(['', 'Alice', '-a', '_a', 'a/b', 'a.b', 'a b', 'é', 'a\n'])('%j is none', async (name) => {
    const error = await failure(() => {
      try {
        checkName('key', name);
      } catch (thrown) {
        throw name.includes('\n') ? withoutLineFeed(thrown as Error) : thrown;
      }
    }, 'name-invalid');
    expect(error.message).toStartWith(`key name "${name.trimEnd()}`);
  });
});

function withoutLineFeed(error: Error): Error {
  error.message = error.message.replace('\n', '');
  return error;
}
