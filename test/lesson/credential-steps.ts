import { deepEqual } from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Shell } from './shell.ts';
import { exits, holds, type Step, says } from './step.ts';
import { credentials, type Place } from './steps.ts';

/** A credential helper that keeps one credential in a file (protocol F.3). */
const HELPER = `#!/bin/sh
case $1 in
  store) cat > ~/kept.json ;;
  get) [ -e ~/kept.json ] && exec cat ~/kept.json; echo credentials not found in native keychain; exit 1 ;;
  erase) rm -f ~/kept.json ;;
  list) echo '{}' ;;
esac
`;

/** Log in, use it and log out, where docker's configuration names a credential helper. */
export function credentialHelper({ password, registry, repository }: Place, person: Shell): Step[] {
  const configuration = join(person.home, '.docker/config.json');
  return [
    {
      title: '1, with a credential helper',
      shell: person,
      before: () => installHelper(person),
      line: `export PATH="$HOME/bin:$PATH"; docker login ${registry}`.trim(),
      answers: credentials(password),
      checks: [
        exits(0),
        says(/Login Succeeded/),
        holds('the helper keeps the secret', () => {
          const kept = JSON.parse(readFileSync(join(person.home, 'kept.json'), 'utf8'));
          if (kept.Username !== '<token>') deepEqual([kept.Username, kept.Secret], ['alice', password]);
        }),
        holds('the configuration keeps none', () => {
          const { auths } = JSON.parse(readFileSync(configuration, 'utf8')) as { auths: Record<string, object> };
          deepEqual(Object.values(auths), [{}]);
        }),
      ],
    },
    {
      title: 'pull with it, image and trust data',
      shell: person,
      line: `DOCKER_CONTENT_TRUST=1 docker pull ${repository}:signed`,
      checks: [exits(0), says(/Pull \(1 of 1\)/)],
    },
    {
      title: 'log out',
      shell: person,
      line: `docker logout ${registry}; cat ~/kept.json`.trim(),
      checks: [exits(1), says(/No such file/)],
    },
    {
      title: 'nobody pulls without it',
      shell: person,
      line: `docker pull ${repository}:signed`,
      checks: [exits(1), says(/denied|unauthorized|authentication required/)],
    },
  ];
}

function installHelper({ home }: Shell): void {
  for (const folder of ['bin', '.docker']) mkdirSync(join(home, folder), { recursive: true });
  writeFileSync(join(home, '.docker/config.json'), '{"credsStore": "kept"}');
  const helper = join(home, 'bin/docker-credential-kept');
  writeFileSync(helper, HELPER);
  chmodSync(helper, 0o755);
}
