import { beforeAll, expect, test } from 'bun:test';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyCommand, declaredCommands } from '../../../../scripts/declarations.ts';
import { usageOf } from '../../../../src/cli/line/declaration.ts';
import { blocksOf, examplesIn, patternOf, readDocument } from '../../../support/documents.ts';
import { Person } from '../../../support/notary-client.ts';
import { type SignetServer, signetCommand, startSignet } from '../../../support/signet-server.ts';
import { temporaryFolder } from '../../../support/temp.ts';

const REFERENCE = readDocument('docs/trust-commands.md');
/** The registry of the examples. */
const HOST = 'localhost:5000';
const PEOPLE = ['alice', 'bob'] as const;

let server: SignetServer;
beforeAll(async () => {
  server = await startSignet();
  for (const name of PEOPLE) await server.addUser(name, `what ${name} has chosen`);
  await server.grant('bob', 'alice/app', 'push');
}, 60_000);

function headingOf(command: AnyCommand): string {
  return `\`signet ${command.path} ${usageOf(command)}\``;
}

test('every command has its section, which names all its options', async () => {
  const [, ...sections] = REFERENCE.split(/^### /m);
  const specs = (await declaredCommands()).filter(({ program, path }) => program === 'signet' && /^trust /.test(path));
  expect(sections.map((section) => section.split('\n')[0] ?? '').sort()).toEqual(specs.map(headingOf).sort());
  const inCommon = ['trust-dir', 'server', 'tlscacert'];
  for (const spec of specs) {
    const section = sections.find((text) => text.startsWith(headingOf(spec))) ?? '';
    for (const { name } of spec.flags) {
      expect(inCommon.includes(name) ? REFERENCE : section).toMatch(new RegExp(`--${name}\\b`));
    }
  }
});

test('the examples are what happens', async () => {
  const folder = temporaryFolder();
  const shim = join(folder, 'signet');
  writeFileSync(shim, `#!/bin/sh\nexec ${signetCommand().join(' ')} "$@"\n`);
  chmodSync(shim, 0o700);
  const people = new Map<string, Person>();
  for (const name of PEOPLE) {
    const person = new Person(server, { login: { name, password: `what ${name} has chosen` } });
    people.set(name, await person.loggedIn());
  }
  for (const { person, line, output } of blocksOf(REFERENCE, 'console').flatMap(examplesIn)) {
    const typed = line.replaceAll(HOST, server.host);
    const script = `cd ${folder} && PATH=${folder}:$PATH && { ${typed}; } 2>&1`;
    const outcome = await people.get(person || 'alice')?.run(['/bin/sh', '-c', script]);
    const found = outcome?.stdout.replaceAll(server.host, HOST) ?? '';
    expect({ line, found }).toEqual({ line, found: expect.stringMatching(patternOf(output)) });
  }
}, 120_000);
