import { deepEqual } from 'node:assert/strict';
import { engineDigest, hasEncryptedKeys, inspect, nameInEngine, signedTags } from './state.ts';
import { exits, holds, prints, type Step, says } from './step.ts';
import { IT_WORKED, newPassphrase, PASSPHRASES, type Place, passphrase } from './steps.ts';

/** Before a command: trust on, and the passphrase of the signer's key for where nobody can type. */
export const SIGNING = `DOCKER_CONTENT_TRUST=1 DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE='${PASSPHRASES.alice}'`;

/** Everything a user tries after the lesson with what the lesson left: looking, pushing, pulling, loading a key. */
export function triedNext(place: Place): Step[] {
  const { alice: shell, repository } = place;
  const other = repository.replace('dct-test', 'scripted');
  const inEngine = nameInEngine(shell, repository);
  return [
    {
      title: 'inspect --pretty',
      shell,
      line: `docker trust inspect --pretty ${repository}`,
      checks: [
        exits(0),
        says(new RegExp(`Signatures for ${repository}\n\nSIGNED TAG +DIGEST +SIGNERS\nsigned +[0-9a-f]{64} +alice\n`)),
        says(/SIGNER +KEYS\nalice +[0-9a-f]{12}\n/),
        says(/Repository Key:\t[0-9a-f]{64}\n\s*Root Key:\t[0-9a-f]{64}\n/),
      ],
    },
    {
      title: 'inspect one tag',
      shell,
      line: `docker trust inspect ${repository}:signed`,
      checks: [
        exits(0),
        holds('the digest is that of the engine', async ({ stdout }) => {
          const digest = await engineDigest(shell, `${repository}:unsigned`);
          deepEqual(JSON.parse(stdout)[0].SignedTags, [
            { SignedTag: 'signed', Digest: digest.slice('sha256:'.length), Signers: ['alice'] },
          ]);
        }),
      ],
    },
    {
      title: 'push with trust, after a tag',
      shell,
      line: `docker tag ${repository}:unsigned ${repository}:two && ${SIGNING} docker push ${repository}:two`,
      checks: [
        exits(0),
        says(/Signing and pushing trust metadata/),
        says(/Successfully signed .*:two/),
        holds('both tags are signed', async () => deepEqual(await signedTags(shell, repository), ['signed', 'two'])),
      ],
    },
    {
      title: 'push with trust, and the wrong passphrase',
      shell,
      line: `docker tag ${repository}:unsigned ${repository}:three && DOCKER_CONTENT_TRUST=1 DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE=wrong docker push ${repository}:three`,
      checks: [
        exits(1),
        says(/failed to sign .*:three: .*/),
        holds('it is not signed', async () => deepEqual(await signedTags(shell, repository), ['signed', 'two'])),
      ],
    },
    {
      title: 'passphrases for scripts, from the first push on',
      shell,
      line: `docker tag ${repository}:unsigned ${other}:1 && DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE='${PASSPHRASES.root}' ${SIGNING} docker push ${other}:1`,
      answers: [],
      checks: [
        exits(0),
        says(/Finished initializing /),
        says(/Successfully signed .*:1/),
        holds('the repository key has signed it', async () => {
          const { tags, signers } = await inspect(shell, other);
          deepEqual(
            { tags: tags.map(({ tag, signers }) => ({ tag, signers })), signers },
            { tags: [{ tag: '1', signers: ['Repo Admin'] }], signers: [] },
          );
        }),
      ],
    },
    {
      title: 'pull with trust',
      shell,
      line: `docker image rm ${repository}:signed; DOCKER_CONTENT_TRUST=1 docker pull ${repository}:signed`,
      checks: [
        exits(0),
        says(new RegExp(`Pull \\(1 of 1\\): ${inEngine}:signed@sha256:[0-9a-f]{64}\n`)),
        says(new RegExp(`Tagging ${inEngine}@sha256:[0-9a-f]{64} as ${inEngine}:signed`)),
      ],
    },
    {
      title: 'pull with trust what is not signed',
      shell,
      line: `DOCKER_CONTENT_TRUST=1 docker pull ${repository}:unsigned`,
      checks: [exits(1), prints(''), says(/^No valid trust data for unsigned$/m)],
    },
    {
      title: 'pull without trust',
      shell,
      line: `docker pull ${repository}:unsigned`,
      checks: [exits(0), says(/Status: /)],
    },
    {
      title: 'trust off for one pull',
      shell,
      line: `DOCKER_CONTENT_TRUST=1 docker pull --disable-content-trust ${repository}:unsigned`,
      checks: [exits(0), says(/Status: /)],
    },
    {
      title: 'trust off for one run',
      shell,
      line: `DOCKER_CONTENT_TRUST=1 docker run --disable-content-trust ${repository}:unsigned`,
      checks: [exits(0), prints(IT_WORKED)],
    },
    {
      title: 'trust on for one run',
      shell,
      line: `docker run --disable-content-trust=false ${repository}:unsigned`,
      checks: [exits(125), prints(''), says(/^docker: No valid trust data for unsigned/m)],
    },
    {
      title: 'load a key that openssl made',
      shell,
      line: 'cd ~ && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out carol.pem && chmod 600 carol.pem && docker trust key load --name carol carol.pem',
      answers: newPassphrase('carol', 'carol has a key from elsewhere'),
      checks: [
        exits(0),
        says(/Successfully imported key from carol\.pem/),
        holds('it is stored encrypted', () => hasEncryptedKeys(shell, 'alice', 'carol', 'root', 'targets', 'targets')),
      ],
    },
    {
      title: 'load a key that others can read',
      shell,
      line: 'chmod 644 carol.pem; docker trust key load --name carol carol.pem',
      checks: [exits(1), says(/private key file carol\.pem must not be readable or writable by others/)],
    },
  ];
}

/** Taking trust away: of a tag, then of a signer. */
export function takenBack(place: Place): Step[] {
  const { alice: shell, repository } = place;
  return [
    {
      title: 'revoke a tag',
      shell,
      line: `docker trust revoke ${repository}:signed`,
      answers: [passphrase('alice', PASSPHRASES.alice)],
      checks: [exits(0), says(/Successfully deleted signature for .*:signed/)],
    },
    {
      title: 'step 12 after that',
      shell,
      line: `DOCKER_CONTENT_TRUST=1 docker run ${repository}:signed`,
      checks: [exits(125), prints(''), says(/^docker: No valid trust data for signed/m)],
    },
    {
      title: 'remove the last signer',
      shell,
      line: `docker trust signer remove alice ${repository}`,
      answers: [
        {
          expect: /Removing this signer will make .* unpullable\. Are you sure you want to continue\? \[y\/N\] /,
          send: 'y',
        },
        passphrase('repository', PASSPHRASES.repository),
      ],
      checks: [
        exits(0),
        says(/Successfully removed alice from /),
        holds('the repository has no signers', async () => deepEqual((await inspect(shell, repository)).signers, [])),
      ],
    },
    {
      title: 'what she signed is trusted no more',
      shell,
      line: `DOCKER_CONTENT_TRUST=1 docker run ${repository}:two`,
      checks: [exits(125), prints(''), says(/^docker: No valid trust data for two/m)],
    },
  ];
}
