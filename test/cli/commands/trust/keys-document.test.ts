import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { blocksOf, examplesIn, readDocument } from '../../../support/documents.ts';
import { runExample } from '../../../support/run-example.ts';
import { signetCommand, startSignet } from '../../../support/signet-server.ts';
import { temporaryFolder } from '../../../support/temp.ts';
import { Terminal } from '../../../support/terminal.ts';

const EXAMPLES = blocksOf(readDocument('docs/trust-keys.md'), 'console').flatMap(examplesIn);
/** The registry of the examples. */
const HOST = 'localhost:5000';
const PASSWORD = 'what alice and bob have chosen';

test('the examples of the document on keys are what happens', async () => {
  const server = await startSignet();
  const [folder, programs] = [temporaryFolder(), temporaryFolder()];
  writeFileSync(join(programs, 'signet'), `#!/bin/sh\nexec ${signetCommand().join(' ')} "$@"\n`, { mode: 0o755 });
  const here = (line: string) => line.replaceAll(HOST, server.host);
  const people = new Map<string, Terminal>();
  for (const name of ['alice', 'bob']) {
    await server.addUser(name, PASSWORD);
    const PATH = [programs, process.env.PATH ?? ''].join(delimiter);
    const terminal = new Terminal({ env: { PATH, HOME: temporaryFolder(), TERM: 'xterm', LANG: 'C.UTF-8' } });
    for (const line of [`cd ${folder}`, here(`signet login -u ${name} ${HOST}  # asks for: password`)]) {
      await runExample(terminal, { person: name, line, output: '' }, PASSWORD);
    }
    people.set(name, terminal);
  }
  const first = [
    'signet trust key generate alice  # asks for: new alice',
    here(`signet trust init ${HOST}/alice/app  # asks for: new root, new repository`),
  ];
  const typed = [...first.map((line) => ({ person: 'alice', line, output: '' })), ...EXAMPLES];
  for (const { person, line, output } of typed) {
    const terminal = people.get(person || 'alice');
    if (terminal === undefined) throw new Error(`no one is called ${person}`);
    await runExample(terminal, { person, line: here(line), output: here(output) });
  }
  expect(EXAMPLES.length).toBeGreaterThan(8);
}, 120_000);
