import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type Outcome, run, runInTerminal } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

const QUESTION = /Trust this root key\? \[y\/N\] $/;
const CTRL_C = '\x03';

let server: SignetServer;
let gun: string;
/** The root key's canonical ID, and the ID that its certificate gives it in the repository. */
let rootKey: string;
let listedAs: string;

/** Somebody with a home, whose `signet.json` says of `trustPinning` what is given. */
class Somebody {
  readonly home = temporaryFolder();
  private readonly env: Readonly<Record<string, string>>;

  constructor(trustPinning?: unknown, env: Readonly<Record<string, string>> = {}) {
    this.env = { PATH: process.env.PATH ?? '', HOME: this.home, ...env };
    if (trustPinning !== undefined) this.configure({ trustPinning });
  }

  configure(settings: unknown): void {
    mkdirSync(join(this.home, '.docker'), { recursive: true });
    writeFileSync(join(this.home, '.docker/signet.json'), JSON.stringify(settings));
  }

  signet(...words: readonly string[]): Promise<Outcome> {
    return run([...signetCommand(), ...words], { env: this.env, cwd: this.home });
  }

  /** Looks at the repository, in a terminal. */
  inspect(...answers: readonly Answer[]): Promise<Outcome> {
    return runInTerminal([...signetCommand(), 'trust', 'inspect', gun], answers, { env: this.env, cwd: this.home });
  }

  /** The same in a terminal with a shell's redirections. */
  inspectRedirected(redirection: string, ...answers: readonly Answer[]): Promise<Outcome> {
    const script = `"$@" trust inspect ${gun} ${redirection}`;
    return runInTerminal(['sh', '-c', script, 'sh', ...signetCommand()], answers, { env: this.env, cwd: this.home });
  }

  get cached(): string[] {
    const folder = join(this.home, '.docker/trust/tuf');
    return existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
  }
}

beforeAll(async () => {
  server = await startSignet({ args: ['--auth', 'off'] });
  gun = `${server.host}/alice/app`;
  const passphrase = 'a passphrase of the test';
  const owner = new Somebody(undefined, {
    DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: passphrase,
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: passphrase,
  });
  await owner.signet('trust', 'key', 'generate', 'alice');
  expect(await owner.signet('trust', 'signer', 'add', '--init', '--key', 'alice.pub', 'alice', gun)).toMatchObject({
    exitCode: 0,
  });
  const keys = join(owner.home, '.docker/trust/private');
  const file = readdirSync(keys).find((name) => readFileSync(join(keys, name), 'utf8').includes('role: root'));
  rootKey = file?.replace('.key', '') ?? '';
  const [{ AdministrativeKeys }] = JSON.parse((await owner.signet('trust', 'inspect', gun)).stdout);
  listedAs = AdministrativeKeys[0].Keys[0].ID;
}, 60_000);

describe('trust on first use that asks', () => {
  const ask = { tofu: 'ask' };

  test('shows whom to trust, trusts after y, and does not ask again', async () => {
    const person = new Somebody(ask);
    const { exitCode, stdout } = await person.inspect({ expect: QUESTION, send: 'y' });
    expect(exitCode).toBe(0);
    const [question = '', answer = ''] = stdout.split('Trust this root key? [y/N] ');
    expect(question.replace(/valid from [-\d]{10} to [-\d]{10}/, 'valid from A to B')).toBe(
      [
        `${gun} was never used here, and no root key is pinned for it.`,
        `  Repository:    ${gun}`,
        `  Trust server:  ${server.host}`,
        `  Root key:      ${rootKey}`,
        `    listed as:   ${listedAs}`,
        `    certificate: ${gun}, valid from A to B`,
        'Compare the key with what its owner says, in some other way than through this server.',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(answer.slice(answer.indexOf('[')))).toMatchObject([{ Name: gun }]);
    expect(person.cached).toContain(`${gun}/metadata/root.json`);
    expect(await person.inspect()).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\[/) });
    expect(await person.signet('trust', 'inspect', gun)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  for (const answer of ['n', '', 'yes', 'Yes!', '\x04']) {
    test(`keeps nothing after ${JSON.stringify(answer)}`, async () => {
      const person = new Somebody(ask);
      const { exitCode, stdout } = await person.inspect({ expect: QUESTION, send: answer });
      expect({ exitCode, cached: person.cached }).toEqual({ exitCode: 1, cached: [] });
      expect(stdout).toContain(`nothing is pinned for ${gun}, whose root key is ${rootKey}, and nobody`);
    });
  }

  test('ends at Ctrl-C, and keeps nothing', async () => {
    const person = new Somebody(ask);
    const outcome = await person.inspect({ expect: QUESTION, send: CTRL_C });
    expect({ exitCode: outcome.exitCode, cached: person.cached }).toEqual({ exitCode: 130, cached: [] });
  });

  test('asks on standard error, and leaves standard output clean', async () => {
    const person = new Somebody(ask);
    const { exitCode, stdout } = await person.inspectRedirected('> out', { expect: QUESTION, send: 'y' });
    expect([exitCode, JSON.parse(readFileSync(join(person.home, 'out'), 'utf8'))]).toMatchObject([0, [{ Name: gun }]]);
    expect(stdout).not.toContain('SignedTags');
  });

  for (const redirection of ['< /dev/null', '< yes', '2> errors']) {
    test(`does not ask with ${redirection}`, async () => {
      const person = new Somebody(ask);
      writeFileSync(join(person.home, 'yes'), 'y\n');
      const { exitCode, stdout } = await person.inspectRedirected(redirection);
      expect({ exitCode, cached: person.cached }).toEqual({ exitCode: 1, cached: [] });
      expect(stdout).not.toContain('Trust this root key?');
    });
  }

  test('does not ask if there is no terminal, and tells the pin instead', async () => {
    const person = new Somebody(ask);
    const { exitCode, stderr } = await person.signet('trust', 'inspect', gun);
    expect([exitCode, stderr]).toEqual([
      1,
      `invalid trust pinning specified: nothing is pinned for ${gun}, whose root key is ${rootKey}, and nobody at a terminal has agreed to trust it on first use\n`,
    ]);
    expect(person.cached).toEqual([]);
    person.configure({ trustPinning: { ...ask, certs: { [gun]: [rootKey] } } });
    expect(await person.signet('trust', 'inspect', gun)).toMatchObject({ exitCode: 0 });
  });
});

describe('questions that come at once', () => {
  const answer = (text: string) => ({ expect: QUESTION, send: text });

  /** Asks for these repositories at the same time, each with so many root keys, and prints what came of it. */
  function asking(...roots: readonly [gun: string, keys: number][]): string[] {
    const file = join(temporaryFolder(), 'asking.ts');
    const module = JSON.stringify(join(import.meta.dir, '../../src/cli/approvals.ts'));
    writeFileSync(
      file,
      `import { firstRootApproval } from ${module};
const key = { id: 'id', canonicalId: 'canonical', commonName: 'name', notBefore: 0, notAfter: 0 };
const approve = firstRootApproval();
const asked = ${JSON.stringify(roots)}.map(([gun, count]) =>
  approve({ gun, server: 'a.b', keys: Array(count).fill(key) }).catch((error) => error.code),
);
console.log('outcome: ' + JSON.stringify(await Promise.all(asked)));
`,
    );
    return [process.execPath, file];
  }

  test('are asked one after the other, and none twice', async () => {
    const roots: [string, number][] = ['a.b/c', 'a.b/d', 'a.b/c'].map((name) => [name, 1]);
    const { stdout } = await runInTerminal(asking(...roots), [answer('y'), answer('n')]);
    expect(stdout).toContain('outcome: [true,false,true]');
    expect(stdout.indexOf('a.b/d was')).toBeGreaterThan(stdout.indexOf('[y/N]'));
    expect(stdout.split('[y/N]')).toHaveLength(3);
  });

  test('are not asked any more after Ctrl-C', async () => {
    const { stdout } = await runInTerminal(asking(['a.b/c', 1], ['a.b/d', 1]), [answer(CTRL_C)]);
    expect(stdout).toContain('outcome: ["cancelled","cancelled"]');
    expect(stdout).not.toContain('a.b/d was');
  });

  test('fit on a screen, however many keys a root has', async () => {
    const { stdout } = await runInTerminal(asking(['a.b/c', 500]), [answer('n')]);
    expect(stdout.split('Root key:')).toHaveLength(9);
    expect(stdout).toContain('  and 492 more\n');
  });
});

describe('in a CI job', () => {
  test('nothing is trusted on first use, until someone decides so', async () => {
    const job = new Somebody(undefined, { CI: 'true' });
    expect(await job.signet('trust', 'inspect', gun)).toMatchObject({
      exitCode: 1,
      stderr: `invalid trust pinning specified: nothing is pinned for ${gun}, whose root key is ${rootKey}, and trust on first use is off because CI is set; pin the key, or set SIGNET_TOFU=on\n`,
    });
    expect(job.cached).toEqual([]);
    job.configure({ trustPinning: { tofu: 'on' } });
    expect(await job.signet('trust', 'inspect', gun)).toMatchObject({ exitCode: 0 });
    const allowed = new Somebody(undefined, { CI: 'true', SIGNET_TOFU: 'on' });
    expect(await allowed.signet('trust', 'inspect', gun)).toMatchObject({ exitCode: 0 });
  });

  test('the very text of the next step is a configuration that works', async () => {
    const job = new Somebody(undefined, { CI: 'true', DOCKER_CONTENT_TRUST: '1' });
    const { stdout } = await job.inspectRedirected('--pretty');
    const [, pin = ''] = /signet\.json: (\{.*\})$/m.exec(stdout) ?? [];
    expect(pin).toBe(`{"trustPinning":{"certs":{"${gun}":["${rootKey}"]}}}`);
    job.configure(JSON.parse(pin));
    expect(await job.signet('trust', 'inspect', gun)).toMatchObject({ exitCode: 0 });
  });

  test('run fails as run does', async () => {
    const job = new Somebody(undefined, { CI: '1', DOCKER_CONTENT_TRUST: '1' });
    const { exitCode, stderr } = await job.signet('run', `${gun}:1`);
    expect([exitCode, stderr.split(':')[0]]).toEqual([125, 'docker']);
    expect(stderr).toContain(`nothing is pinned for ${gun}`);
  });
});

test('a pin that cannot be read stops every command, also for other repositories', async () => {
  const person = new Somebody({ certs: { 'docker.io/acme/app': ['missing.crt'] } });
  const { exitCode, stderr } = await person.signet('trust', 'inspect', gun);
  const path = join(person.home, '.docker/missing.crt');
  expect([exitCode, stderr]).toEqual([1, `cannot pin docker.io/acme/app by ${path}: it does not exist\n`]);
});
