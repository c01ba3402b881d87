import { expect } from 'bun:test';
import { beginningOf, type Example } from './documents.ts';
import type { Question, Terminal } from './terminal.ts';

/**
 * Runs a command of a document in a terminal and compares the result with the document: the lines below the command,
 * and the comment after it. `asks for: password, root, new alice, y` lists all questions in order; `prints: TEXT` is
 * part of the output, `fails: TEXT` part of the output of a command that fails. Any other command succeeds, and any
 * other comment is ignored.
 */
export async function runExample(terminal: Terminal, example: Example, password = ''): Promise<void> {
  const { line } = example;
  const [, , comment = ''] = /^(.*?)\s+# (.*)$/.exec(line) ?? [];
  const [, kind, words = ''] = /^(asks for|prints|fails): (.*)$/.exec(comment) ?? [];
  const { output, exitCode, asked } = await terminal.run(line, answers(password));
  const names = asked.flatMap(([text, key]) =>
    text.startsWith('Repeat') ? [] : [key ?? (text === '[y/N] ' ? 'y' : 'password')],
  );
  expect({ line, output, succeeds: exitCode === 0, asked: names }).toEqual({
    line,
    output: kind === 'prints' || kind === 'fails' ? expect.stringContaining(words) : expect.any(String),
    succeeds: kind !== 'fails',
    asked: kind === 'asks for' ? words.split(', ') : [],
  });
  if (example.output !== '')
    expect({ line, output }).toEqual({ line, output: expect.stringMatching(beginningOf(example.output)) });
}

/** The answers of the documents' reader to all questions; `password` is that of the account. */
export function answers(password: string): readonly Question[] {
  return [
    {
      asked: /(?:Enter|Repeat) passphrase for (.*) key with ID ([0-9a-f]{7}): $/,
      // Every key has its own passphrase.
      answer: ([, , id]) => `what the reader has chosen for ${id}`,
      isSecret: true,
    },
    { asked: /(?:Repeat )?[Pp]assword.*: $/, answer: () => password, isSecret: true },
    { asked: /\[y\/N\] $/, answer: () => 'y', isSecret: false },
  ];
}
