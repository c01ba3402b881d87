import type { TrustRelay } from '../support/trust-relay.ts';
import { SIGNING } from './after-steps.ts';
import type { Shell } from './shell.ts';
import { ranSignedDigest } from './state.ts';
import { exits, holds, prints, type Step, says } from './step.ts';
import { IT_WORKED, type Place } from './steps.ts';

/** Someone who may push puts another image in the place of the signed tag. */
export function attackedInTheRegistry(place: Place, attacker: Shell): Step[] {
  const { alice: shell, repository, base } = place;
  return [
    {
      title: 'the attacker overwrites the tag',
      shell: attacker,
      line: `printf 'FROM ${base}\\nCMD echo All your base\\n' | docker build -t ${repository}:signed - && docker push ${repository}:signed`,
      checks: [exits(0)],
    },
    forget(shell, repository),
    {
      title: 'without trust, the attacker is obeyed',
      shell,
      line: `docker run ${repository}:signed`,
      checks: [exits(0), prints('All your base\n')],
    },
    forget(shell, repository),
    {
      title: 'with trust, step 12 still runs the signed digest',
      shell,
      line: `DOCKER_CONTENT_TRUST=1 docker run ${repository}:signed`,
      checks: [
        exits(0),
        prints(IT_WORKED),
        says(/Status: Downloaded newer image for .*@sha256:[0-9a-f]{64}\n/),
        holds('the signed digest was run', () => ranSignedDigest(shell, repository, 'signed')),
      ],
    },
  ];
}

/** Someone between a person and the trust server gives back the trust data of yesterday. */
export function attackedByReplay(place: Place, victim: Shell, relay: TrustRelay): Step[] {
  const { alice, repository } = place;
  const through = `DOCKER_CONTENT_TRUST=1 DOCKER_CONTENT_TRUST_SERVER=${relay.origin}`;
  return [
    {
      title: 'yesterday, everything is in order',
      shell: victim,
      line: `${through} docker run ${repository}:signed`,
      checks: [exits(0), prints(IT_WORKED)],
    },
    {
      title: 'alice signs once more',
      shell: alice,
      line: `docker tag ${repository}:signed ${repository}:four && ${SIGNING} docker push ${repository}:four`,
      checks: [exits(0), says(/Successfully signed .*:four/)],
    },
    {
      title: 'today, what is new arrives',
      shell: victim,
      line: `${through} docker run ${repository}:four`,
      checks: [exits(0), prints(IT_WORKED)],
    },
    {
      title: "then yesterday's trust data is refused",
      shell: victim,
      before: () => relay.replay(),
      line: `${through} docker run ${repository}:signed`,
      checks: [
        exits(125),
        prints(''),
        says(
          /potential malicious behavior - trust data version is lower than expected for remote repository \S+\/dct-test: /,
        ),
      ],
    },
  ];
}

/** The trust server is down: nothing is trusted that is not known, and what is known until it expires, with a warning. */
export function trustServerDown(place: Place, newcomer: Shell, deadPort: number): Step[] {
  const { repository } = place;
  const down = `DOCKER_CONTENT_TRUST=1 DOCKER_CONTENT_TRUST_SERVER=https://localhost:${deadPort}`;
  return [
    {
      title: 'the trust server is down',
      shell: newcomer,
      line: `${down} docker run ${repository}:signed`,
      checks: [exits(125), prints(''), says(/error contacting notary server/)],
    },
    {
      title: 'it is up again',
      shell: newcomer,
      line: `DOCKER_CONTENT_TRUST=1 docker run ${repository}:signed`,
      checks: [exits(0), prints(IT_WORKED)],
    },
    {
      title: 'it is down, but its data are there and have not expired',
      shell: newcomer,
      line: `${down} docker run ${repository}:signed`,
      checks: [
        exits(0),
        prints(IT_WORKED),
        says(/Error while downloading remote metadata, using cached timestamp/),
        holds('the signed digest was run', () => ranSignedDigest(newcomer, repository, 'signed')),
      ],
    },
    {
      title: 'it is down, and the tag is not signed',
      shell: newcomer,
      line: `${down} docker run ${repository}:unsigned`,
      checks: [exits(125), prints(''), says(/^docker: No valid trust data for unsigned/m)],
    },
  ];
}

function forget(shell: Shell, repository: string): Step {
  return {
    title: 'the images are removed from the engine',
    shell,
    line: `docker image rm --force $(docker image ls --quiet ${repository} | sort --unique)`,
    checks: [exits(0)],
  };
}
