import { beforeAll, describe, expect, test } from 'bun:test';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Person, type PersonOptions, succeeds } from '../support/notary-client.ts';
import { type Outcome, runInTerminal } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';

const LOGIN = { name: 'alice', password: 'what alice has chosen' };
const RIGHT = { root: 'the root of it all', other: 'what every other key has' };
const LOAD_IT = 'Load the key of an authorised signer: signet trust key load FILE';
const correctIt = (alias: string) =>
  `It came from DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE and does not open the ${alias} key ID: correct it there, or unset it to be asked.`;

let server: SignetServer;
let gun: string;
let owner: Person;

/** A repository with the signer alice, who has released v1; the owner has all keys. */
beforeAll(async () => {
  server = await startSignet();
  await server.addUser(LOGIN.name, LOGIN.password);
  gun = `${server.host}/alice/app`;
  owner = await someone();
  await succeeds(owner.signet('trust', 'key', 'generate', 'alice'));
  await succeeds(owner.signet('trust', 'signer', 'add', '--init', '--key', 'alice.pub', 'alice', gun));
  await succeeds(owner.add(gun, 'v1', '-r', 'targets/alice', '-r', 'targets/releases'));
}, 60_000);

async function someone(passphrases = RIGHT): Promise<Person> {
  const options: PersonOptions = { login: LOGIN, passphrases };
  return new Person(server, options).loggedIn();
}

/** What a person at a terminal sees who has no key, and one who has the keys and a wrong passphrase for them. */
async function attempts(words: readonly string[]): Promise<Record<'missing' | 'wrong', string>> {
  const stranger = await someone();
  const forgetful = (await someone({ root: RIGHT.root, other: 'something else' })).takeKeysOf(owner);
  for (const person of [stranger, forgetful]) {
    await succeeds(person.signet('trust', 'inspect', gun));
    cpSync(join(owner.home, 'alice.pub'), join(person.home, 'alice.pub'));
  }
  return { missing: await seen(stranger, RIGHT.other, words), wrong: await seen(forgetful, 'something else', words) };
}

async function seen(person: Person, passphrase: string, words: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: person.home,
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: passphrase,
  };
  const outcome: Outcome = await runInTerminal([...signetCommand(), 'trust', ...words], [], { env, cwd: person.home });
  expect(outcome.exitCode).toBe(1);
  return outcome.stdout.replace(/( does not open the \w+ key) [0-9a-f]{7}:/, '$1 ID:');
}

describe('a key that is not here, and a wrong passphrase, are told apart', () => {
  test('by trust sign', async () => {
    const { missing, wrong } = await attempts(['sign', `${gun}:v1`]);
    expect(missing).toEndWith(`failed to sign ${gun}:v1: no valid signing keys for delegation roles\n\n${LOAD_IT}\n`);
    expect(wrong).toEndWith(
      `failed to sign ${gun}:v1: password invalid, operation has failed.\n\n${correctIt('alice')}\n`,
    );
  }, 60_000);

  test('by trust revoke', async () => {
    const { missing, wrong } = await attempts(['revoke', `${gun}:v1`]);
    const words = `could not remove signature for ${gun}:v1:`;
    expect(missing).toBe(`${words} no valid signing keys for delegation roles\n\n${LOAD_IT}\n`);
    expect(wrong).toBe(`${words} password invalid, operation has failed.\n\n${correctIt('alice')}\n`);
  }, 60_000);

  const closed = (repository: string) =>
    `Error: could not find signing keys for remote repository ${repository}, or could not decrypt signing key: password invalid, operation has failed.\n`;
  const absent = 'could not find necessary signing keys, at least one of these keys must be available: ';

  test('by trust signer add', async () => {
    const { missing, wrong } = await attempts(['signer', 'add', '--key', 'alice.pub', 'bob', gun]);
    const last = (next: string) => `\n\nfailed to add signer to: ${gun}\n\n${next}\n`;
    expect(missing).toContain(absent);
    expect(missing).toEndWith(last(LOAD_IT));
    expect(wrong).toEndWith(`${closed(gun)}${last(correctIt('targets')).slice(1)}`);
  }, 60_000);

  test('by trust signer remove', async () => {
    const { missing, wrong } = await attempts(['signer', 'remove', '--force', 'alice', gun]);
    const last = (next: string) => `\n\nerror removing signer from: ${gun}\n\n${next}\n`;
    expect(missing).toContain(absent);
    expect(missing).toEndWith(last(LOAD_IT));
    expect(wrong).toEndWith(`${closed(gun)}${last(correctIt('targets')).slice(1)}`);
  }, 60_000);
});
