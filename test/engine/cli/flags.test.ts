import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ParsedArgs } from '../../../src/engine/cli/flags.ts';
import { type CommandSyntax, type DockerOption, parseHelp } from '../../../src/engine/cli/help.ts';
import { random } from '../../support/random.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dir, '../fixtures', `${name}.txt`), 'utf8');
const RUN = parseHelp(fixture('docker-28/run'), ['run']);
const BUILD = parseHelp(fixture('buildx/build'), ['build']);
const PULL = parseHelp(fixture('docker-28/pull'), ['pull']);

const run = (line: string) => new ParsedArgs(RUN, line.split(' '));
const words = (args: ParsedArgs) => args.positionals.map(({ value }) => value);
const unknown = (flag: string) => expect.objectContaining({ code: 'docker-flag-unknown', detail: { flag } });
const invalid = expect.objectContaining({ code: 'docker-flag-invalid' });

describe('reading', () => {
  test('options stop at the image of docker run', () => {
    const args = run('-it --name web -e A=1 alpine sh -c --rm --nope');
    expect(words(args)).toEqual(['alpine', 'sh', '-c', '--rm', '--nope']);
    expect(args.isOn('interactive')).toBe(true);
    expect(args.isOn('rm')).toBe(false);
    expect(args.lastValue('name')).toBe('web');
  });

  test('options stand anywhere for docker build', () => {
    const args = new ParsedArgs(BUILD, ['-t', 'a', '.', '--load', '--tag=b', '-f-']);
    expect(words(args)).toEqual(['.']);
    expect(args.values('tag')).toEqual(['a', 'b']);
    expect(args.isOn('load')).toBe(true);
    expect(args.lastValue('file')).toBe('-');
  });

  test.each([
    ['--name=web x', 'web'],
    ['--name web x', 'web'],
    ['--name= x', ''],
    ['--name=a=b x', 'a=b'],
    ['--name -- x', '--'],
    ['--name --rm x', '--rm'],
  ])('a value in every form: %s', (line, value) => {
    const args = run(line);
    expect(args.lastValue('name')).toBe(value);
    expect(words(args)).toEqual(['x']);
  });

  test.each([
    ['-u me x', 'me'],
    ['-ume x', 'me'],
    ['-u=me x', 'me'],
    ['-itu me x', 'me'],
    ['-itume x', 'me'],
    ['-itu=me x', 'me'],
    ['-u= x', '='],
    ['-u - x', '-'],
  ])('a short option in every form: %s', (line, value) => {
    const args = run(line);
    expect(args.lastValue('user')).toBe(value);
    expect(args.lastValue('u')).toBe(value);
    expect(words(args)).toEqual(['x']);
  });

  test('switches take a value only after =', () => {
    expect(run('-it=false x').isOn('tty')).toBe(false);
    expect(run('-it=false x').isOn('interactive')).toBe(true);
    expect(run('--rm=F x').isOn('rm')).toBe(false);
    expect(run('--rm --rm=0 x').isOn('rm')).toBe(false);
    expect(run('--rm=0 --rm x').isOn('rm')).toBe(true);
    expect(words(run('--rm false x'))).toEqual(['false', 'x']);
    expect(run('x').isOn('disable-content-trust', true)).toBe(true);
    expect(() => run('--rm=off x').isOn('rm')).toThrow(invalid);
    expect(() => run('-i= x')).toThrow(unknown('-='));
  });

  test('-- ends the options, - is an argument', () => {
    expect(words(run('--rm -- --name x'))).toEqual(['--name', 'x']);
    expect(words(new ParsedArgs(BUILD, ['-', '--load']))).toEqual(['-']);
    expect(words(new ParsedArgs(BUILD, ['.', '--', '--load']))).toEqual(['.', '--load']);
  });

  test('refuses what it does not know', () => {
    expect(() => run('--nope x')).toThrow(unknown('--nope'));
    expect(() => run('--nope=1 x')).toThrow(unknown('--nope'));
    expect(() => run('-iX x')).toThrow(unknown('-X'));
    expect(() => run('--na web x')).toThrow(unknown('--na'));
    expect(() => run('---name web x')).toThrow(unknown('---name'));
    expect(() => run('--=x x')).toThrow(unknown('--'));
    expect(() => run('--NAME web x')).toThrow(unknown('--NAME'));
    expect(() => run('--constructor x')).toThrow(unknown('--constructor'));
    expect(() => run('--__proto__ x')).toThrow(unknown('--__proto__'));
  });

  test('refuses an option without its value', () => {
    expect(() => run('--name')).toThrow(invalid);
    expect(() => run('-itu')).toThrow(invalid);
  });

  test('asksHelp only where help is certain', () => {
    expect(run('--help').asksHelp).toBe(true);
    expect(run('--rm --help x').asksHelp).toBe(true);
    expect(run('--help=false x').asksHelp).toBe(false);
    expect(run('--help --help=false x').asksHelp).toBe(false);
    expect(run('-h web x').asksHelp).toBe(false);
    expect(run('x --help').asksHelp).toBe(false);
    expect(run('--name --help x').asksHelp).toBe(false);
    expect(new ParsedArgs(PULL, ['-h']).asksHelp).toBe(true);
    expect(new ParsedArgs(PULL, ['x', '--help']).asksHelp).toBe(true);
    expect(new ParsedArgs(BUILD, ['.', '--', '--help']).asksHelp).toBe(false);
  });
});

describe('editing', () => {
  test('another image, everything else untouched', () => {
    const plain = run('-itd -eA=b --name web alpine:3 alpine:3 -x');
    const first = plain.positionals[0];
    if (first === undefined) throw new Error('no image');
    expect(plain.withValue(first, 'alpine@sha256:0').argv.join(' ')).toBe(
      '-itd -eA=b --name web alpine@sha256:0 alpine:3 -x',
    );
    expect(plain.argv.join(' ')).toBe('-itd -eA=b --name web alpine:3 alpine:3 -x');
  });

  test.each([
    ['--tag=a .', '--tag=b .'],
    ['--tag a .', '--tag b .'],
    ['-ta .', '-tb .'],
    ['-t=a .', '-t=b .'],
    ['-qta .', '-qtb .'],
    ['-qt a .', '-qt b .'],
  ])('another value: %s', (before, after) => {
    const args = new ParsedArgs(BUILD, before.split(' '));
    const [tag] = args.flags('tag');
    if (tag === undefined) throw new Error('no tag');
    expect(args.withValue(tag, 'b').argv.join(' ')).toBe(after);
  });

  test('refuses a value that would be read as something else', () => {
    const args = run('--rm alpine sh');
    const [image] = args.positionals;
    const [rm] = args.flags('rm');
    if (image === undefined || rm === undefined) throw new Error('not read');
    expect(() => args.withValue(image, '--privileged')).toThrow(invalid);
    expect(() => args.withValue(image, '-')).not.toThrow();
    expect(() => args.withValue(rm, 'false')).toThrow(invalid);
    const short = new ParsedArgs(BUILD, ['-ta', '.']);
    const [tag] = short.flags('tag');
    if (tag === undefined) throw new Error('not read');
    expect(() => short.withValue(tag, '=b')).toThrow(invalid);
    expect(() => short.withValue(tag, '')).toThrow(invalid);
  });

  test.each([
    ['--disable-content-trust x', 'disable-content-trust', 'x'],
    ['--disable-content-trust=false -i x', 'disable-content-trust', '-i x'],
    ['-iq x', 'quiet', '-i x'],
    ['-qi x', 'quiet', '-i x'],
    ['-q x', 'quiet', 'x'],
    ['-q=true x', 'quiet', 'x'],
    ['-iq=true x', 'quiet', '-i x'],
    ['-i -q -t --quiet x', 'quiet', '-i -t x'],
    ['-itu me x -u', 'user', '-it x -u'],
    ['-itume x', 'user', '-it x'],
    ['-ume -u me --user me --user=me x', 'user', 'x'],
  ])('without an option: %s', (before, name, after) => {
    expect(run(before).without(name).argv.join(' ')).toBe(after);
  });

  test('more options go in front', () => {
    expect(run('--rm x -y').withFlags('--pull', 'never').argv).toEqual(['--pull', 'never', '--rm', 'x', '-y']);
    expect(() => run('x').withFlags('--nope')).toThrow(unknown('--nope'));
  });
});

describe('any command line', () => {
  const next = random(0x5e7);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const VALUES = ['a', '', '-', '--', '-x', '--rm', 'evil:unsigned', 'a=b', '=', 'ünï', '-it', 'false'];
  const IMAGE = 'signed:tag';

  /** The words of one use of an option, and the value that was meant. */
  function write({ long, short, takesValue }: DockerOption): { words: string[]; value: string | undefined } {
    const value = pick(VALUES);
    if (!takesValue)
      return next() < 0.5 && short !== undefined
        ? { words: [`-${short}`], value: undefined }
        : pick([
            { words: [`--${long}`], value: undefined },
            { words: [`--${long}=false`], value: 'false' },
          ]);
    const forms = [
      { words: [`--${long}`, value], value },
      { words: [`--${long}=${value}`], value },
    ];
    if (short !== undefined) forms.push({ words: [`-${short}`, value], value });
    if (short !== undefined && value.length > 1 && !value.startsWith('='))
      forms.push({ words: [`-${short}${value}`], value });
    return pick(forms);
  }

  function lineFor(syntax: CommandSyntax) {
    const uses = Array.from({ length: Math.floor(next() * 8) }, () => {
      const flag = pick(syntax.flags.filter(({ long }) => long !== undefined && long !== 'help'));
      return { flag, ...write(flag) };
    });
    return {
      uses,
      argv: [...uses.flatMap((use) => use.words), IMAGE, ...Array.from({ length: 3 }, () => pick(VALUES))],
    };
  }

  test('the image is the first word that belongs to no option, and every value is the one that was meant', () => {
    for (let round = 0; round < 3000; round++) {
      const { uses, argv } = lineFor(RUN);
      const args = new ParsedArgs(RUN, argv);
      expect(args.positionals[0]?.value).toBe(IMAGE);
      const read = args.tokens.flatMap((token) => (token.kind === 'flag' ? [[token.flag.long, token.value]] : []));
      expect(read).toEqual(uses.map(({ flag, value }) => [flag.long, value]));
    }
  });

  test('replacing values by themselves changes nothing, replacing the image changes one word', () => {
    for (let round = 0; round < 1000; round++) {
      const { argv } = lineFor(RUN);
      const args = new ParsedArgs(RUN, argv);
      for (const token of args.tokens) {
        if (token.kind !== 'terminator' && token.valueAt !== undefined) {
          expect(args.withValue(token, token.value ?? '').argv).toEqual(argv);
        }
      }
      const [image] = args.positionals;
      if (image === undefined) throw new Error('no image');
      const edited = args.withValue(image, 'pinned@sha256:0').argv;
      expect(edited).toEqual(argv.with(image.valueAt.arg, 'pinned@sha256:0'));
    }
  });

  test('removing an option leaves all others as they were', () => {
    for (let round = 0; round < 1000; round++) {
      const { uses, argv } = lineFor(RUN);
      const gone = pick(RUN.flags.filter(({ long }) => long !== undefined)).long ?? '';
      const left = new ParsedArgs(RUN, argv).without(gone);
      const expected = [...uses.filter(({ flag }) => flag.long !== gone).flatMap((use) => use.words)];
      expect(left.argv.slice(0, expected.length)).toEqual(expected);
      expect(left.positionals[0]?.value).toBe(IMAGE);
    }
  });
});
