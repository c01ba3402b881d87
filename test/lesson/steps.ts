import { deepEqual } from 'node:assert/strict';
import type { Answer } from '../support/run.ts';
import type { Shell } from './shell.ts';
import {
  engineDigest,
  hasCredential,
  hasEncryptedKeys,
  hasNoCredential,
  hasPublicKey,
  inspect,
  ranSignedDigest,
  signedTags,
} from './state.ts';
import { exits, holds, prints, type Step, says } from './step.ts';

/** Where the lesson takes place, and what things are called there. */
export interface Place {
  readonly alice: Shell;
  /** Her password at the registry. */
  readonly password: string;
  /** What follows `docker login`: the registry's host, nothing where it is the default. */
  readonly registry: string;
  /** `alice/dct-test`, with the registry's host where it is not the default. */
  readonly repository: string;
  /** The base image `busybox:latest`, with the registry's host where it is not the default. */
  readonly base: string;
  /** The digest that the base image is signed with. */
  readonly baseDigest: string;
}

export const PASSPHRASES = {
  alice: 'alice signs what she has built',
  root: 'the root of all her repositories',
  repository: 'this one repository of hers',
};

/** What the lesson's image prints. */
export const IT_WORKED = 'It worked!\n';

/** The thirteen commands of the lesson. */
export function lessonSteps(place: Place): Step[] {
  return [...becomeSigner(place), ...buildUnsigned(place), ...trustOn(place), ...trustOff(place)];
}

function becomeSigner({ alice, password, registry, repository }: Place): Step[] {
  const login = `docker login ${registry}`.trim();
  return [
    {
      title: '1, with a wrong password',
      shell: alice,
      line: login,
      answers: credentials('not her password'),
      checks: [
        exits(1),
        says(/unauthorized|incorrect|denied/i),
        holds('nothing is stored', () => hasNoCredential(alice)),
      ],
    },
    {
      title: '1',
      shell: alice,
      line: login,
      answers: credentials(password),
      checks: [
        exits(0),
        says(/Login Succeeded/),
        holds('the credential is stored', () => hasCredential(alice, 'alice', password)),
      ],
    },
    {
      title: '2',
      shell: alice,
      line: 'cd ~/ && docker trust key generate alice',
      answers: newPassphrase('alice', PASSPHRASES.alice),
      checks: [
        exits(0),
        says(/Successfully generated and loaded private key\. Corresponding public key available: .*\/alice\.pub/),
        holds('alice.pub is a public key', () => hasPublicKey(alice, 'alice.pub', 'alice')),
        holds('her private key is stored, encrypted', () => hasEncryptedKeys(alice, 'alice')),
      ],
    },
    {
      title: '3',
      shell: alice,
      line: `docker trust signer add --key alice.pub alice ${repository}`,
      answers: [...newPassphrase('root', PASSPHRASES.root), ...newPassphrase('repository', PASSPHRASES.repository)],
      checks: [
        exits(0),
        says(/Successfully initialized /),
        says(/Successfully added signer: alice to /),
        holds('root and repository key are stored, encrypted', () =>
          hasEncryptedKeys(alice, 'alice', 'root', 'targets'),
        ),
        holds('the trust server names alice as the only signer', async () =>
          deepEqual((await inspect(alice, repository)).signers, ['alice']),
        ),
      ],
    },
  ];
}

function buildUnsigned({ alice, repository, base }: Place): Step[] {
  return [
    {
      title: '4',
      shell: alice,
      line: `mkdir ~/dct-test; cd ~/dct-test; printf 'FROM ${base}\\nCMD echo It worked!\\n' > Dockerfile`,
      checks: [exits(0)],
    },
    { title: '5', shell: alice, line: `docker build -t ${repository}:unsigned .`, checks: [exits(0)] },
    {
      title: '6',
      shell: alice,
      line: `docker push ${repository}:unsigned`,
      checks: [exits(0), holds('nothing is signed', async () => deepEqual(await signedTags(alice, repository), []))],
    },
    { title: '7', shell: alice, line: `docker run ${repository}:unsigned`, checks: [exits(0), prints(IT_WORKED)] },
  ];
}

function trustOn({ alice, repository, baseDigest }: Place): Step[] {
  return [
    { title: '8', shell: alice, line: 'export DOCKER_CONTENT_TRUST=1', checks: [exits(0)] },
    {
      title: '8, then 7 again',
      shell: alice,
      line: `docker run ${repository}:unsigned`,
      checks: [exits(125), prints(''), says(/^docker: No valid trust data for unsigned/m)],
    },
    {
      title: '9',
      shell: alice,
      line: `docker build -t ${repository}:signed .`,
      checks: [exits(0), says(new RegExp(`@${baseDigest}`))],
    },
    {
      title: '10',
      shell: alice,
      line: `docker trust sign ${repository}:signed`,
      answers: [passphrase('alice', PASSPHRASES.alice)],
      checks: [
        exits(0),
        says(/Successfully signed .*\/dct-test:signed/),
        holds("alice has signed the engine's digest", async () => {
          const digest = await engineDigest(alice, `${repository}:signed`);
          deepEqual((await inspect(alice, repository)).tags, [{ tag: 'signed', digest, signers: ['alice'] }]);
        }),
      ],
    },
    {
      title: '11',
      shell: alice,
      line: `docker image rm ${repository}:signed`,
      checks: [exits(0), says(/Untagged: .*:signed/)],
    },
    {
      title: '12',
      shell: alice,
      line: `docker run ${repository}:signed`,
      checks: [
        exits(0),
        prints(IT_WORKED),
        holds('the signed digest was run', () => ranSignedDigest(alice, repository, 'signed')),
      ],
    },
  ];
}

function trustOff({ alice, repository }: Place): Step[] {
  return [
    { title: '13', shell: alice, line: 'export DOCKER_CONTENT_TRUST=0', checks: [exits(0)] },
    {
      title: '13, then 7 again',
      shell: alice,
      line: `docker run ${repository}:unsigned`,
      checks: [exits(0), prints(IT_WORKED)],
    },
  ];
}

/** The answers to docker's two questions for the passphrase of a new key. */
export function newPassphrase(role: string, secret: string): Answer[] {
  return [
    { expect: new RegExp(`Enter passphrase for new ${role} key with ID [0-9a-f]{7}: `), send: secret, isSecret: true },
    { expect: new RegExp(`Repeat passphrase for new ${role} key with ID [0-9a-f]{7}: `), send: secret, isSecret: true },
  ];
}

/** The answer to docker's question for the passphrase of a key. */
export function passphrase(role: string, secret: string): Answer {
  return { expect: new RegExp(`Enter passphrase for ${role} key with ID [0-9a-f]{7}: `), send: secret, isSecret: true };
}

/** The answers to `docker login`. */
export function credentials(password: string): Answer[] {
  return [
    { expect: /Username.*: /, send: 'alice' },
    { expect: /Password: /, send: password, isSecret: true },
  ];
}
