import { describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../support/clis.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';

const TIMEOUT = 20_000;

/** A program that asks these questions and prints what it gets, each answer in brackets; a failure by its code. */
function asking(...questions: ('line' | 'hidden' | 'confirm')[]): string[] {
  const file = join(temporaryFolder(), 'asking.ts');
  const module = JSON.stringify(join(import.meta.dir, '../../../src/cli/terminal/prompt.ts'));
  writeFileSync(
    file,
    `import { writeSync } from 'node:fs';
import { askHidden, askLine, confirm } from ${module};
const ask = { line: () => askLine('Name: '), hidden: () => askHidden('Password: '), confirm: () => confirm('Sure?') };
for (const question of ${JSON.stringify(questions)}) {
  try {
    const answer = await ask[question]();
    if (question === 'hidden' && !Buffer.isBuffer(answer)) throw new Error('no Buffer');
    writeSync(1, \`[\${answer}]\\n\`);
  } catch (error) {
    writeSync(1, \`<\${error.code} \${error.exitCode}>\\n\`);
    if (error.code === 'cancelled') process.exit(130);
  }
}
`,
  );
  return [process.execPath, file];
}

async function piped(input: string, ...questions: Parameters<typeof asking>): Promise<string> {
  const { stdout, exitCode } = await run(asking(...questions), { stdin: input });
  expect(exitCode).toBe(0);
  return stdout;
}

/** What is typed, once the output since the last time holds the text before it. */
type Typed = readonly [awaited: string, keys: string];

interface Screen {
  readonly text: string;
  readonly exitCode: number;
  /** Whether the terminal echoes and edits lines, as `stty` says afterwards. */
  readonly settings: string;
}

/** The shell outlives Ctrl-C, and looks at the terminal when the program has ended. */
const THEN_LOOK = 'trap : INT QUIT; "$@"; echo "exit $?"; stty -a';

/** Runs a program in a pseudo terminal, and asks the terminal for its settings when the program has ended. */
async function typed(
  command: readonly string[],
  keys: readonly Typed[],
  instead?: (shell: number) => void,
  how: 'at once' | 'key by key' = 'at once',
): Promise<Screen> {
  let text = '';
  let since = '';
  const waiting = [...keys];
  const child = Bun.spawn(['sh', '-c', THEN_LOOK, 'sh', ...command], {
    terminal: {
      cols: 80,
      rows: 24,
      data: (terminal, bytes) => {
        const arrived = Buffer.from(bytes).toString('utf8');
        text += arrived;
        since += arrived;
        const [awaited, answer] = waiting[0] ?? [];
        if (awaited === undefined || answer === undefined || !since.includes(awaited)) return;
        since = '';
        waiting.shift();
        if (instead !== undefined) instead(child.pid);
        else for (const piece of how === 'at once' ? [answer] : answer) terminal.write(piece);
      },
    },
  });
  await child.exited;
  const [, shown = '', exitCode, stty = ''] = /^(.*)exit (\d+)\n(.*)$/s.exec(text.replaceAll('\r\n', '\n')) ?? [];
  const settings = (stty.match(/-?\b(?:icanon|echo|isig)\b/g) ?? []).join(' ');
  return { text: shown, exitCode: Number(exitCode), settings };
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim());
}

const SANE = 'isig icanon echo';

test('whoever sends the output elsewhere still sees the questions', async () => {
  const file = join(temporaryFolder(), 'output');
  const questions: Typed[] = [
    ['Name: ', 'one\r'],
    ['Password: ', 'two\r'],
  ];
  const { text, exitCode } = await typed(['sh', '-c', `${asking('line', 'hidden').join(' ')} > ${file}`], questions);
  expect(exitCode).toBe(0);
  expect(text).toContain('Password: ');
  expect(readFileSync(file, 'utf8')).toBe('[one]\n[two]\n');
});

describe('from a pipe', () => {
  test('each question gets its own line, and no one reads further', async () => {
    expect(await piped('one\ntwo \r\ny\n', 'line', 'hidden', 'confirm')).toBe(
      'Name: [one]\nPassword: \n[two ]\nSure? [y/N] [true]\n',
    );
    const script = [...asking('hidden', 'line'), ';', 'cat'].join(' ');
    const { stdout } = await run(['sh', '-c', script], { stdin: 'secret\nname\nthe rest\nof it' });
    expect(stdout).toBe('Password: \n[secret]\nName: [name]\nthe rest\nof it');
  });

  test('a last line without its end counts, nothing at all does not', async () => {
    expect(await piped('last', 'hidden', 'line')).toBe('Password: \n[last]\nName: <input-ended 1>\n');
    expect(await piped('', 'line', 'hidden', 'confirm')).toBe(
      'Name: <input-ended 1>\nPassword: \n<input-ended 1>\nSure? [y/N] [false]\n',
    );
    expect(await piped('\n\n', 'line', 'hidden')).toBe('Name: []\nPassword: \n[]\n');
  });

  test('text of any kind arrives as it was', async () => {
    expect(await piped('  ünï 🐋\t"$x\n', 'line')).toBe('Name: [  ünï 🐋\t"$x]\n');
    expect(await piped('a\rb\u007f\u0003\n', 'hidden')).toBe('Password: \n[a\rb\u007f\u0003]\n');
  });

  test('an endless line is refused', async () => {
    expect(await piped(`${'x'.repeat(20_000)}\n`, 'hidden')).toBe('Password: \n<too-large 1>\n');
  });

  test.each([
    ['y', true],
    ['Y', true],
    [' y ', true],
    ['yes', false],
    ['n', false],
    ['', false],
  ])('only y means yes: %p', async (answer, isYes) => {
    expect(await piped(`${answer}\n`, 'confirm')).toBe(`Sure? [y/N] [${isYes}]\n`);
  });

  test('input that comes slowly is waited for', async () => {
    const { stdout } = await run([
      'sh',
      '-c',
      `(sleep 0.3; echo on; sleep 0.3; echo e) | ${asking('line', 'hidden').join(' ')}`,
    ]);
    expect(stdout).toBe('Name: [on]\nPassword: \n[e]\n');
  });

  test('a pipe that someone has left non-blocking is waited for', async () => {
    const leave = `process.stdin.on('readable', () => {}); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)`;
    const script = `(sleep 0.7; echo late) | { "$0" -e "${leave}"; ${asking('line').join(' ')}; }`;
    const { stdout } = await run(['sh', '-c', script, findProgram('node')]);
    expect(stdout).toBe('Name: [late]\n');
  });
});

describe('on a terminal', () => {
  test(
    'a line is echoed and edited by the terminal',
    async () => {
      const { text, settings } = await typed(asking('line'), [['Name: ', 'alx\u007fice\r']]);
      expect(text).toContain('ice\n[alice]\n');
      expect(settings).toBe(SANE);
    },
    TIMEOUT,
  );

  test(
    'a secret is not echoed, and the terminal is as before',
    async () => {
      const { text, settings, exitCode } = await typed(asking('hidden', 'confirm'), [
        ['Password: ', 'pä🐋ß\r'],
        ['[y/N] ', 'Y\r'],
      ]);
      expect(text).toBe('Password: \n[pä🐋ß]\nSure? [y/N] Y\n[true]\n');
      expect(exitCode).toBe(0);
      expect(settings).toBe(SANE);
    },
    TIMEOUT,
  );

  test.each([
    ['the last character', 'secrex\u007ft\r', 'secret'],
    ['a character of several bytes', 'pä\u007fa🐋\bß\u007f\r', 'pa'],
    ['more than there is', '\u007f\u007fa\r', 'a'],
    ['the whole line', 'wrong\u0015right\r', 'right'],
    ['not the end of input inside a line', 'a\u0004b\r', 'ab'],
  ])(
    'takes back %s',
    async (_, keys, secret) => {
      expect((await typed(asking('hidden'), [['Password: ', keys]])).text).toBe(`Password: \n[${secret}]\n`);
    },
    TIMEOUT,
  );

  test(
    'what is typed at once serves one question after the other',
    async () => {
      const { text } = await typed(asking('hidden', 'hidden', 'line'), [['Password: ', 'one\rtwo\rthree\r']]);
      expect(text).toBe('Password: \n[one]\nPassword: \n[two]\nName: [three]\n');
    },
    TIMEOUT,
  );

  test.each([
    ['hidden', 'Password: ', 'Password: \n<cancelled 130>\n'],
    ['line', 'Name: ', 'Name: ^C\n<cancelled 130>\n'],
    ['confirm', '[y/N] ', 'Sure? [y/N] ^C\n<cancelled 130>\n'],
  ] as const)(
    'Ctrl-C ends the question (%s)',
    async (question, awaited, expected) => {
      const { text, exitCode, settings } = await typed(asking(question), [[awaited, 'abc\u0003']]);
      expect(text.replace('abc', '')).toBe(expected);
      expect(exitCode).toBe(130);
      expect(settings).toBe(SANE);
    },
    TIMEOUT,
  );

  test(
    'Ctrl-D on an empty line is the end of the input',
    async () => {
      const { text, settings } = await typed(asking('hidden', 'line', 'confirm'), [
        ['Password: ', '\u0004'],
        ['Name: ', '\u0004'],
        ['[y/N] ', '\u0004'],
      ]);
      expect(text).toBe('Password: \n<input-ended 1>\nName: <input-ended 1>\nSure? [y/N] [false]\n');
      expect(settings).toBe(SANE);
    },
    TIMEOUT,
  );

  test(
    'what is typed the moment the question appears is not echoed, and no key of it is lost',
    async () => {
      const words = ['first-secret', 'zweites Geheimnis', 'x', 'p4ß', 'the last of them'];
      const { text, settings } = await typed(
        asking(...words.map(() => 'hidden' as const)),
        words.map((word) => ['Password: ', `${word}\r`]),
        undefined,
        'key by key',
      );
      expect(text).toBe(words.map((word) => `Password: \n[${word}]\n`).join(''));
      expect(settings).toBe(SANE);
    },
    TIMEOUT,
  );

  test(
    'what is typed before there is a question answers it',
    async () => {
      const { text } = await typed(
        ['sh', '-c', 'echo ready; read -r line; "$@"', 'sh', ...asking('hidden', 'line')],
        [
          ['ready', 'go\rearly\r'],
          ['Name: ', 'alice\r'],
        ],
      );
      // Nobody could keep the terminal from showing what was typed while another program had it.
      expect(text.replace('go\nearly\n', '')).toBe('ready\nPassword: \n[early]\nName: alice\n[alice]\n');
    },
    TIMEOUT,
  );

  test.each([
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s ends the program and leaves the terminal as it was',
    async (signal, code) => {
      const kill = (shell: number) => process.kill(childOf(shell), signal);
      const { exitCode, settings } = await typed(asking('hidden'), [['Password: ', '']], kill);
      expect(exitCode).toBe(code);
      expect(settings).toBe(SANE);
    },
    TIMEOUT,
  );
});
