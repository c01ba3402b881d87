import { beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Person, SHA256, type TrustService } from '../support/notary-client.ts';
import { startNotaryServer } from '../support/notary-server.ts';
import { published } from '../support/published.ts';
import { startSignet } from '../support/signet-server.ts';

let servers: readonly TrustService[];

beforeAll(async () => {
  servers = await Promise.all([startNotaryServer(), startSignet({ args: ['--auth', 'off'] })]);
}, 60_000);

/** Words for notary, `GUN` being the repository; `<` and a word last are what it reads from standard input. */
type Step = string;

/** What a person saw at a step, and what the server had afterwards. */
interface Scene {
  readonly step: Step;
  readonly exitCode: number;
  readonly said: string;
  readonly versions: Readonly<Record<string, number>> | undefined;
  readonly targets: readonly (readonly [role: string, sizes: Readonly<Record<string, number>>])[];
  readonly delegations: unknown;
}

/** Has one person do all the steps on a server. Names, addresses and times of this run are replaced. */
async function play(service: TrustService, steps: readonly Step[], signers: readonly string[] = []): Promise<Scene[]> {
  const alice = new Person(service, { passphrases: { root: 'one for all of them', other: 'one for all of them' } });
  const gun = `${service.host}/alice/app`;
  await alice.notary('delete', gun, '--remote');
  const files = {
    hello: 'hello',
    sorted: '{"a":[1,null],"b":"x"}',
    unsorted: '{"b":1,"a":2}',
    broken: '{',
    escaped: '"<"',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(alice.home, name), text);
  for (const signer of signers) {
    const certificate = ['-days', '400', '-subj', `/CN=${signer}`, '-keyout', `${signer}.pem`, '-out', `${signer}.crt`];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    await alice.run(['openssl', 'req', '-x509', '-nodes', '-batch', ...curve, ...certificate]);
  }
  const scenes: Scene[] = [];
  for (const step of steps) {
    const [words = '', stdin] = step.split(' < ');
    const line = words.split(' ').map((word) => word.replace('GUN', gun).replace('SHA256', SHA256));
    const { exitCode, stdout, stderr } = await alice.notaryReading(`${stdin ?? ''}\n`, ...line);
    const said = neutral(stdout + stderr.replace(/^time="[^"]*" /gm, ''), alice, service);
    scenes.push({ step, exitCode, said, ...(await stateOf(service, gun)) });
  }
  return scenes;
}

function neutral(text: string, { home }: Person, { host }: TrustService): string {
  const names = text.replaceAll(SHA256, 'SHA256').replaceAll(home, 'HOME').replaceAll(host, 'HOST');
  return names.replace(/[0-9a-f]{64}/g, 'ID').replace(/\(ID(\|ID)*\)/g, '(IDS)');
}

async function stateOf(service: TrustService, gun: string): Promise<Omit<Scene, 'step' | 'exitCode' | 'said'>> {
  const found = await published(service, gun);
  const roles = Object.keys(found?.versions ?? {})
    .filter((role) => role.startsWith('targets'))
    .sort();
  const delegations = Object.entries(found?.delegationsOf() ?? {});
  return {
    versions: found?.versions,
    targets: roles.map((role) => [role, found?.sizes(role) ?? {}]),
    delegations: delegations.map(([name, { keyids, threshold, paths }]) => [name, keyids.length, threshold, paths]),
  };
}

/** Both servers lead to the same scenes; returns them. */
async function expectAlike(steps: readonly Step[], signers: readonly string[] = []): Promise<readonly Scene[]> {
  const [notary = [], signet = []] = await Promise.all(servers.map((service) => play(service, steps, signers)));
  expect(signet).toEqual(notary);
  expect(notary.map(({ step }) => step)).toEqual([...steps]);
  return signet;
}

const ADD = 'addhash GUN NAME 5 --sha256 SHA256';

function add(name: string, ...more: readonly string[]): Step {
  return [ADD.replace('NAME', name), ...more].join(' ');
}

test('a repository from its beginning to its end', async () => {
  const scenes = await expectAlike([
    'list GUN',
    'init GUN',
    'status GUN',
    'publish GUN',
    'list GUN',
    add('one'),
    add('two'),
    'add GUN three hello --custom sorted',
    'status GUN',
    'reset GUN -n 1',
    'publish GUN',
    'list GUN',
    'lookup GUN one',
    'lookup GUN two',
    'verify GUN three -i hello',
    'remove GUN one -p',
    'remove GUN never-there -p',
    'publish GUN',
    'list GUN',
    'delete GUN',
    'list GUN',
    'init GUN -p',
    'delete GUN --remote',
    'list GUN',
    'delete GUN --remote',
    'init GUN -p',
    'list GUN',
  ]);
  expect(scenes.at(10)?.targets).toEqual([['targets', { one: 5, three: 5 }]]);
  expect(scenes.at(-1)).toMatchObject({ exitCode: 0, versions: { root: 1, targets: 2, snapshot: 2, timestamp: 1 } });
});

test('what is refused, and in which words', async () => {
  await expectAlike([
    'publish GUN',
    'init GUN',
    'publish GUN',
    'delete GUN',
    'add GUN a hello --custom unsorted -p',
    'reset GUN --all',
    'add GUN a hello --custom escaped -p',
    'reset GUN --all',
    'add GUN a hello --custom broken',
    add('a', '-r', 'targets/nobody', '-p'),
    'reset GUN --all',
    'delegation add GUN targets/UPPER hello --all-paths -p',
    'delegation add GUN targets/x --all-paths -p',
    'reset GUN --all',
    'key rotate GUN timestamp',
    'key rotate GUN targets -r',
    'key rotate GUN targets/x',
    'witness GUN targets/nobody -p',
  ]);
});

test('keys that change hands', async () => {
  const scenes = await expectAlike([
    'init GUN -p',
    add('one', '-p'),
    'key rotate GUN snapshot -r',
    add('two', '-p'),
    'key rotate GUN snapshot -r',
    'key rotate GUN timestamp -r',
    'key rotate GUN targets',
    add('three', '-p'),
    'key rotate GUN root < yes',
    'key rotate GUN root < no',
    'key rotate GUN root < yes',
    'key rotate GUN snapshot',
    add('four', '-p'),
    'publish GUN',
    'list GUN',
  ]);
  expect(scenes.at(-1)?.versions).toEqual({ root: 8, targets: 7, snapshot: 14, timestamp: 13 });
});

test('signers and their roles', async () => {
  const scenes = await expectAlike(
    [
      'init GUN -p',
      'key rotate GUN snapshot -r',
      'delegation add GUN targets/bob bob.crt --paths bob/,b- -p',
      'delegation add GUN targets/bob carol.crt -p',
      'delegation add GUN targets/releases bob.crt carol.crt --all-paths -p',
      'delegation list GUN',
      'key import bob.pem -r bob',
      add('bob/1', '-r', 'targets/bob', '-p'),
      add('elsewhere', '-r', 'targets/bob', '-p'),
      'reset GUN --all',
      add('v1', '-r', 'targets/releases', '-r', 'targets', '-p'),
      'list GUN',
      'list GUN -r targets/bob',
      'delegation add GUN targets/bob/carol carol.crt --paths bob/c/ -p',
      'delegation add GUN targets/bob/wide carol.crt --paths c/ -p',
      'reset GUN --all',
      'witness GUN targets targets/bob -p',
      'delegation remove GUN targets/bob --paths b- -p',
      'delegation remove GUN targets/bob/carol -y -p',
      'delegation remove GUN targets/bob -p < yes',
      'delegation list GUN',
      'list GUN',
    ],
    ['bob', 'carol'],
  );
  expect(scenes.at(-1)?.delegations).toEqual([['targets/releases', 2, 1, ['']]]);
});
