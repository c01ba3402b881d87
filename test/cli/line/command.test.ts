import { describe, expect, test } from 'bun:test';
import { type CommandSpec, CommandText, checkName, parseCommand, runGroup } from '../../../src/cli/line/command.ts';
import { failure } from '../../support/failure.ts';

const SPEC: CommandSpec = {
  path: 'thing do',
  usage: '[OPTIONS] NAME',
  summary: 'Do a thing',
  flags: [{ name: 'force', short: 'f', kind: 'switch' }],
  options: '  -f, --force   Do it',
  minArguments: 1,
  maxArguments: 1,
};
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

const parsing = (words: readonly string[], spec: CommandSpec = SPEC) => textOf(() => parseCommand(spec, words));

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
    [{ minArguments: 1, maxArguments: 1 }, [], 'requires 1 argument\n'],
    [{ minArguments: 1, maxArguments: 1 }, ['a', 'b'], 'requires 1 argument\n'],
    [{ minArguments: 2, maxArguments: 2 }, ['a'], 'requires 2 arguments\n'],
    [{ minArguments: 0, maxArguments: 1 }, ['a', 'b'], 'requires at most 1 argument\n'],
    [{ minArguments: 0, maxArguments: 2 }, ['a', 'b', 'c'], 'requires at most 2 arguments\n'],
  ])('%j with %j', (counts, words, message) => {
    expect(parsing(words, { ...SPEC, ...counts })).toEqual({
      message: `docker: 'docker thing do' ${message}${USAGE}`,
      exitCode: 1,
      stream: 'stderr',
    });
  });

  test('too few of any number end in See', () => {
    const { maxArguments: _, ...spec } = SPEC;
    const { message } = parsing([], { ...spec, minArguments: 2 });
    expect(message).toBe(`docker: 'docker thing do' requires at least 2 arguments\n${USAGE.replace('Run', 'See')}`);
  });

  test('a usage line that ends in a space keeps it, as docker has one', () => {
    expect(parsing([], { ...SPEC, usage: 'NAME ' }).message).toContain('Usage:  docker thing do NAME \n');
  });
});

describe('runGroup', () => {
  const called: string[][] = [];
  const group = {
    path: 'thing',
    help: 'Usage:  docker thing COMMAND\n',
    commands: new Map([
      [
        'do',
        async (words: readonly string[]) => {
          called.push([...words]);
          return 7;
        },
      ],
    ]),
  };
  const rejection = async (...words: string[]) => {
    const error = await runGroup(group, words).then(
      () => new Error('it ran'),
      (thrown) => thrown,
    );
    return textOf(() => {
      throw error;
    });
  };

  test('runs the command with what follows it, and with the flags before it', async () => {
    called.length = 0;
    expect(await runGroup(group, ['do', 'a', '--x'])).toBe(7);
    expect(await runGroup(group, ['--help', '-y', 'do', 'b'])).toBe(7);
    expect(called).toEqual([
      ['a', '--x'],
      ['--help', '-y', 'b'],
    ]);
  });

  test('help that was asked for goes to standard output, help for nothing to standard error', async () => {
    expect(await rejection('--help')).toEqual({ message: group.help, exitCode: 0, stream: 'stdout' });
    expect(await rejection()).toEqual({ message: group.help, exitCode: 0, stream: 'stderr' });
    expect(await rejection('--help=false')).toEqual({ message: group.help, exitCode: 0, stream: 'stderr' });
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
