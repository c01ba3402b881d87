import { beforeAll, expect, test } from 'bun:test';
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseGun } from '../../../src/core/names/gun.ts';
import { DAY, formatTime, YEAR } from '../../../src/core/time.ts';
import { blocksOf, examplesIn, patternOf, readDocument } from '../../support/documents.ts';
import { Person, succeeds } from '../../support/notary-client.ts';
import type { NotaryServer } from '../../support/notary-server.ts';
import { type SignetServer, signetCommand, startSignet } from '../../support/signet-server.ts';
import { Simulator } from '../../support/simulator.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { notaryServerOf, officialImage } from './official-images.ts';

// The document is typed as it stands. What it calls by other names is here: a real notary-server for Docker's and for
// Azure's, a Signet server for one's own, and days that fit the clock.

const DOCUMENT = readDocument('docs/migrate.md');
const OLD_HOSTS = ['notary.docker.io', 'https://example.azurecr.io', 'from example.azurecr.io'];
const day = (at: number) => formatTime(at).slice(0, 10);
const EXPIRED = day(Date.now() - 31 * DAY);
const LATER = day(Date.now() + YEAR);

let old: NotaryServer;
let own: SignetServer;

beforeAll(async () => {
  const azure = await Simulator.start({ gun: parseGun('example.azurecr.io/team/app'), now: Date.now() });
  await azure.rotateRoot();
  const hub = await Promise.all(['alpine', 'busybox'].map((name) => officialImage(`docker.io/library/${name}`)));
  [old, own] = await Promise.all([notaryServerOf(azure, ...hub), startSignet({ args: ['--auth', 'off'] })]);
}, 120_000);

/** The document's words with those of this test in their places. */
function here(text: string): string {
  const [docker, azure, from] = OLD_HOSTS;
  return text
    .replaceAll('https://notary.example.com', old.origin)
    .replaceAll(`https://${docker}`, old.origin)
    .replaceAll(`${docker}`, old.host)
    .replaceAll(`${azure}`, old.origin)
    .replaceAll(`${from}`, `from ${old.host}`)
    .replaceAll('https://trust.example.com:5000', own.origin)
    .replaceAll('trust.example.com:5000', own.host)
    .replaceAll('2025-08-08', EXPIRED)
    .replaceAll('2027-06-30', LATER);
}

function person(): Person {
  const made = new Person(own);
  for (const { host, authority } of [old, own]) {
    const place = join(made.home, '.docker/tls', host, 'ca.crt');
    mkdirSync(dirname(place), { recursive: true });
    cpSync(authority, place);
  }
  const [settings = ''] = blocksOf(DOCUMENT, 'json');
  const { registries } = JSON.parse(here(settings));
  const both = { ...registries, 'example.azurecr.io': registries['docker.io'] };
  writeFileSync(join(made.home, '.docker/signet.json'), JSON.stringify({ registries: both }));
  return made;
}

/** Someone who has published repositories on the old server, with notary, and has their root key. */
async function owner(): Promise<Person> {
  const publisher = new Person(old);
  for (const gun of ['registry.example.com/team/app', 'registry.example.com/team/web']) {
    await succeeds(publisher.notary('init', '-p', gun));
    await succeeds(publisher.add(gun, 'v1'));
  }
  return person().takeKeysOf(publisher);
}

test('the commands of docs/migrate.md do what it says', async () => {
  const folder = temporaryFolder();
  const shim = join(folder, 'signet');
  writeFileSync(shim, `#!/bin/sh\nexec ${signetCommand().join(' ')} "$@"\n`);
  chmodSync(shim, 0o700);
  const people = new Map([
    ['', person()],
    ['reader', person()],
    ['owner', await owner()],
  ]);
  for (const { person: name, line, output } of blocksOf(DOCUMENT, 'console').flatMap(examplesIn)) {
    const script = `cd ${folder} && PATH=${folder}:$PATH && { ${here(line)}; } 2>&1`;
    const outcome = await people.get(name)?.run(['/bin/sh', '-c', script]);
    expect({ line, found: outcome?.stdout ?? '' }).toEqual({
      line,
      found: expect.stringMatching(anyLines(here(output))),
    });
  }
}, 120_000);

/** `patternOf`, where a line of nothing but `…` matches any number of lines. */
function anyLines(output: string): RegExp {
  const parts = output.split(/^…\n/m).map((part) => patternOf(part).source.replace(/^\^|\$$/g, ''));
  return new RegExp(`^${parts.join('(?:.*\\n)*')}$`);
}
