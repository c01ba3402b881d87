import { describe, expect, test } from 'bun:test';
import type { Flag } from '../../../src/cli/line/declaration.ts';
import { readFlagWords, WrongFlag } from '../../../src/cli/line/flag-words.ts';

const FLAGS: readonly Flag[] = [
  { name: 'force', short: 'f', type: 'switch', about: '' },
  { name: 'yes', short: 'y', type: 'switch', about: '' },
  { name: 'name', short: 'n', type: 'value', about: '' },
  { name: 'key', type: 'list', about: '' },
];

function read(...words: string[]) {
  const { args, values } = readFlagWords(FLAGS, words);
  return { args, values: Object.fromEntries(values) };
}

function complaint(...words: string[]): string {
  try {
    readFlagWords(FLAGS, words);
  } catch (error) {
    if (error instanceof WrongFlag) return error.message;
    throw error;
  }
  throw new Error('it was read');
}

describe('flags are read as docker reads them', () => {
  test.each([
    [[], { args: [], values: {} }],
    [['a', '--force', 'b'], { args: ['a', 'b'], values: { force: ['true'] } }],
    [['--name', 'x'], { args: [], values: { name: ['x'] } }],
    [['--name=x=y'], { args: [], values: { name: ['x=y'] } }],
    [['--name='], { args: [], values: { name: [''] } }],
    [['--name', '--force'], { args: [], values: { name: ['--force'] } }],
    [['--name', '--', 'a'], { args: ['a'], values: { name: ['--'] } }],
    [['-n', 'x'], { args: [], values: { name: ['x'] } }],
    [['-nx'], { args: [], values: { name: ['x'] } }],
    [['-n=x'], { args: [], values: { name: ['x'] } }],
    [['-n='], { args: [], values: { name: ['='] } }],
    [['-fyn', 'x'], { args: [], values: { force: ['true'], yes: ['true'], name: ['x'] } }],
    [['-fnfy'], { args: [], values: { force: ['true'], name: ['fy'] } }],
    [['-f=false'], { args: [], values: { force: ['false'] } }],
    [['-yf=0'], { args: [], values: { yes: ['true'], force: ['false'] } }],
    [['--force', 'false'], { args: ['false'], values: { force: ['true'] } }],
    [['--force', '--force=f'], { args: [], values: { force: ['true', 'false'] } }],
    [['--key', 'a,b', '--key', 'c'], { args: [], values: { key: ['a,b', 'c'] } }],
    [['--', '--force', '-x'], { args: ['--force', '-x'], values: {} }],
    [['a', '--', '--', 'b'], { args: ['a', '--', 'b'], values: {} }],
    [['-', '-f'], { args: ['-'], values: { force: ['true'] } }],
    [['', '-f'], { args: [''], values: { force: ['true'] } }],
    [['--help=F'], { args: [], values: { help: ['false'] } }],
  ])('%j', (words, expected) => {
    expect(read(...words)).toEqual(expected);
  });

  test.each(['1', 't', 'T', 'true', 'TRUE', 'True'])('%p is true', (value) => {
    expect(read(`--force=${value}`).values).toEqual({ force: ['true'] });
  });

  test.each(['0', 'f', 'F', 'false', 'FALSE', 'False'])('%p is false', (value) => {
    expect(read(`--force=${value}`).values).toEqual({ force: ['false'] });
  });

  test('the deprecated -h is noticed, --help is not', () => {
    expect(readFlagWords(FLAGS, ['-fh'])).toMatchObject({ saysShortHelp: true });
    expect(readFlagWords(FLAGS, ['--help'])).toMatchObject({ saysShortHelp: false });
  });

  test('-h is a flag of the command where the command has one', () => {
    const own: Flag = { name: 'host', short: 'h', type: 'value', about: '' };
    const { values, saysShortHelp } = readFlagWords([own], ['-h', 'x']);
    expect([Object.fromEntries(values), saysShortHelp]).toEqual([{ host: ['x'] }, false]);
  });
});

describe('what cannot be read is complained of as docker does', () => {
  test.each([
    [['--bogus'], 'unknown flag: --bogus'],
    [['--bogus=1'], 'unknown flag: --bogus'],
    [['--Force'], 'unknown flag: --Force'],
    [['--forc'], 'unknown flag: --forc'],
    [['--no-force'], 'unknown flag: --no-force'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['-fxy'], "unknown shorthand flag: 'x' in -xy"],
    [['-f='], "unknown shorthand flag: '=' in -="],
    [['---force'], 'bad flag syntax: ---force'],
    [['--=x'], 'bad flag syntax: --=x'],
    [['--name'], 'flag needs an argument: --name'],
    [['-n'], "flag needs an argument: 'n' in -n"],
    [['-fn'], "flag needs an argument: 'n' in -n"],
    [['--force=2'], 'invalid argument "2" for "-f, --force" flag: strconv.ParseBool: parsing "2": invalid syntax'],
    [['--force='], 'invalid argument "" for "-f, --force" flag: strconv.ParseBool: parsing "": invalid syntax'],
    [
      ['--force=tRUE'],
      'invalid argument "tRUE" for "-f, --force" flag: strconv.ParseBool: parsing "tRUE": invalid syntax',
    ],
    [['--help=no'], 'invalid argument "no" for "--help" flag: strconv.ParseBool: parsing "no": invalid syntax'],
    [['--force', '--bogus', '--worse'], 'unknown flag: --bogus'],
  ])('%j', (words, message) => {
    expect(complaint(...words)).toBe(message);
  });
});
