import { deepEqual, equal } from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SignetServer } from '../support/signet-server.ts';
import type { Shell } from './shell.ts';
import { inspect, succeed } from './state.ts';
import { exits, holds, prints, type Step, says } from './step.ts';
import { IT_WORKED, newPassphrase, PASSPHRASES, type Place, passphrase } from './steps.ts';

export type Program = 'docker' | 'signet';

/** Steps of the lesson, by their titles, that in way C the other program does: keys made by one are used by the other. */
const FOR_THE_OTHER: ReadonlySet<string> = new Set([
  '2',
  '8, then 7 again',
  '9',
  '10',
  'inspect one tag',
  'passphrases for scripts, from the first push on',
  'trust off for one pull',
  'trust on for one run',
  'load a key that openssl made',
  'pull with it, image and trust data',
  'log out',
  'with trust, step 12 still runs the signed digest',
  'today, what is new arrives',
  'it is up again',
  'it is down, and the tag is not signed',
  'step 12 after that',
  'remove the last signer',
]);
const BOB = 'bob signs, too';
const ROUNDS = { docker: '0800', signet: '030D40' } as const;

/** The same steps, some typed for `first` and some for the other program. */
export function byTurns(first: Program, steps: readonly Step[]): Step[] {
  const other = first === 'docker' ? 'signet' : 'docker';
  return steps.map((step) => typedFor(FOR_THE_OTHER.has(step.title) ? other : first, step));
}

function typedFor(program: Program, step: Step): Step {
  return { ...step, line: step.line.replaceAll(/\bdocker(?= )/g, program) };
}

/** What docker, signet and notary say of one repository that docker and signet have signed in turn. */
export function sameStory(place: Place, server: SignetServer): Step[] {
  const { alice: shell, repository, password } = place;
  const login = Buffer.from(`alice:${password}`).toString('base64');
  const notary = `NOTARY_AUTH='${login}' notary --tlscacert ${server.authority} -d ~/.docker/trust -s ${server.origin}`;
  return [
    ...sayTheSame(shell, repository),
    ...sayTheSame(shell, `${repository}:two`),
    ...sayTheSame(shell, repository.replace('dct-test', 'scripted')),
    {
      title: 'notary lists it',
      shell,
      line: `${notary} list ${repository}`,
      checks: [
        exits(0),
        holds('what was signed, and by the same roles', async ({ stdout }) => {
          const { tags } = await inspect(shell, repository);
          deepEqual(
            listed(stdout),
            signedByAlice(tags.map(({ tag, digest }) => [tag, digest.slice('sha256:'.length)])),
          );
        }),
      ],
    },
    {
      title: 'notary lists the roles',
      shell,
      line: `${notary} delegation list ${repository}`,
      checks: [exits(0), says(/^targets\/alice +"" <all paths> +[0-9a-f]{64} +1/m), says(/^targets\/releases +/m)],
    },
    {
      title: 'notary lists the keys',
      shell,
      line: 'notary -d ~/.docker/trust key list',
      checks: [
        exits(0),
        ...['root', 'targets', 'alice'].map((role) => says(new RegExp(`^ *${role} .*[0-9a-f]{64}`, 'm'))),
      ],
    },
  ];
}

/** A second signer, whose key docker makes and who signs with signet, comes and goes. */
export function secondSigner(place: Place, bob: Shell): Step[] {
  const { alice, repository } = place;
  const signersOfTwo = async () => (await inspect(alice, `${repository}:two`)).tags.map(({ signers }) => signers);
  return [
    {
      title: 'bob makes a key with docker',
      shell: bob,
      line: 'cd ~ && docker trust key generate bob',
      answers: newPassphrase('bob', BOB),
      checks: [exits(0), holds('it is sealed as docker seals', () => areSealed(bob, ROUNDS.docker))],
    },
    {
      title: 'alice adds bob with signet',
      shell: alice,
      before: () => copyFileSync(join(bob.home, 'bob.pub'), join(alice.home, 'bob.pub')),
      line: `signet trust signer add --key ~/bob.pub bob ${repository}`,
      answers: [passphrase('repository', PASSPHRASES.repository)],
      checks: [
        exits(0),
        says(/Successfully added signer: bob to /),
        holds('docker sees two signers', async () =>
          deepEqual((await inspect(alice, repository)).signers, ['alice', 'bob']),
        ),
      ],
    },
    {
      title: 'bob signs with signet what alice signed, at the second attempt',
      shell: bob,
      line: `signet trust sign ${repository}:two`,
      answers: [passphrase('bob', 'not his passphrase'), passphrase('bob', BOB)],
      checks: [
        exits(0),
        says(/Existing signatures for tag two digest [0-9a-f]{64} from:\nalice\n/),
        says(/Passphrase incorrect\. Please retry\./),
        holds('docker sees both signatures', async () => deepEqual(await signersOfTwo(), [['alice', 'bob']])),
      ],
    },
    {
      title: 'bob signs with signet what nobody else has signed',
      shell: bob,
      line: `docker pull ${repository}:two && docker tag ${repository}:two ${repository}:five && docker push ${repository}:five && signet trust sign --remote ${repository}:five`,
      answers: [passphrase('bob', BOB)],
      checks: [exits(0), says(/Successfully signed .*:five/)],
    },
    {
      title: 'alice removes bob with signet, and signs again what was released',
      shell: alice,
      line: `signet trust signer remove bob ${repository}`,
      answers: [
        { expect: /Which of targets\/releases are to be signed again\? .*: $/, send: 'all' },
        passphrase('repository', PASSPHRASES.repository),
        passphrase('alice', PASSPHRASES.alice),
      ],
      checks: [
        exits(0),
        says(/Successfully removed bob from /),
        holds('docker sees what alice signed', async () => {
          deepEqual((await inspect(alice, repository)).signers, ['alice']);
          deepEqual(await signersOfTwo(), [['alice']]);
        }),
      ],
    },
    {
      title: 'docker still runs both',
      shell: alice,
      line: `export DOCKER_CONTENT_TRUST=1; docker run ${repository}:two && docker run ${repository}:five; export DOCKER_CONTENT_TRUST=0`,
      checks: [prints(`${IT_WORKED}${IT_WORKED}`)],
    },
    {
      title: "bob's signature counts no more",
      shell: bob,
      line: `docker trust sign ${repository}:two`,
      checks: [exits(1), says(/failed to sign .*:two/)],
    },
  ];
}

/** Keys that signet makes are sealed with more rounds than docker's; docker opens them, and uses them for everything. */
export function keysOfSignet(place: Place, shell: Shell): Step[] {
  const repository = place.repository.replace('dct-test', 'fresh');
  return [
    {
      title: 'signet makes a key',
      shell,
      line: 'cd ~ && signet trust key generate alice',
      answers: newPassphrase('alice', PASSPHRASES.alice),
      checks: [exits(0), holds('it is sealed as signet seals', () => areSealed(shell, ROUNDS.signet))],
    },
    {
      title: 'signet initialises',
      shell,
      line: `signet trust signer add --key alice.pub alice ${repository}`,
      answers: [...newPassphrase('root', PASSPHRASES.root), ...newPassphrase('repository', PASSPHRASES.repository)],
      checks: [exits(0), holds('all are sealed so', () => areSealed(shell, ROUNDS.signet))],
    },
    {
      title: "docker signs with signet's key",
      shell,
      line: `docker pull ${place.repository}:two && docker tag ${place.repository}:two ${repository}:1 && docker trust sign ${repository}:1`,
      answers: [passphrase('alice', PASSPHRASES.alice)],
      checks: [exits(0), says(/Successfully signed .*:1/)],
    },
    {
      title: "docker adds a signer with signet's repository key",
      shell,
      line: `docker trust signer add --key alice.pub dave ${repository}`,
      answers: [passphrase('repository', PASSPHRASES.repository)],
      checks: [exits(0), says(/Successfully added signer: dave to /)],
    },
    {
      title: 'signet runs it',
      shell,
      line: `DOCKER_CONTENT_TRUST=1 signet run ${repository}:1`,
      checks: [exits(0)],
    },
    {
      title: "docker initialises another one with signet's root key",
      shell,
      line: `docker trust signer add --key alice.pub alice ${repository}-2`,
      answers: [passphrase('root', PASSPHRASES.root), ...newPassphrase('repository', PASSPHRASES.repository)],
      checks: [exits(0), says(/Successfully initialized /)],
    },
    ...sayTheSame(shell, `${repository}-2`),
  ];
}

function sayTheSame(shell: Shell, image: string): Step[] {
  return ['inspect', 'inspect --pretty'].map((words) => ({
    title: `docker and signet ${words}`,
    shell,
    line: `docker trust ${words} ${image} > by-docker; signet trust ${words} ${image} > by-signet; diff by-docker by-signet`,
    checks: [exits(0)],
  }));
}

/** The lines of `notary list`: name, digest and role. */
function listed(text: string): string[][] {
  return text
    .split('\n')
    .slice(2)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', digest = '', , role = ''] = line.trim().split(/\s+/);
      return [name, digest, role];
    });
}

function signedByAlice(tags: readonly (readonly [string, string])[]): string[][] {
  return tags.map(([tag, digest]) => [tag, digest, 'targets/alice']);
}

/** Throws unless each private key of the home is sealed with that many rounds (PBKDF2's, as an ASN.1 integer). */
async function areSealed(shell: Shell, rounds: string): Promise<void> {
  const folder = join(shell.home, '.docker/trust/private');
  for (const name of readdirSync(folder)) {
    const body = readFileSync(join(folder, name), 'utf8').replaceAll(/^(?:-----.*|[a-z]+: .*)?\n/gm, '');
    const { stdout } = await succeed(shell, `echo '${body}' | base64 -d | openssl asn1parse -inform DER`);
    equal(/INTEGER +:([0-9A-F]+)\n/.exec(stdout)?.[1], rounds, name);
  }
}
