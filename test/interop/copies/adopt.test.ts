import { beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatCopies, parseCopies } from '../../../src/core/copy/copy-file.ts';
import { verifyCopy } from '../../../src/core/copy/verify-copy.ts';
import { Editor } from '../../../src/core/edit/editor.ts';
import { canonicalKeyId } from '../../../src/core/keys/public-key.ts';
import { RELEASES } from '../../../src/core/names/role.ts';
import { DAY, formatTime } from '../../../src/core/time.ts';
import { inspectExpired } from '../../../src/trust/update/collection.ts';
import { trustingClis } from '../../support/clis.ts';
import { copyOf } from '../../support/copies.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { fatal, Person, succeeds } from '../../support/notary-client.ts';
import type { NotaryServer } from '../../support/notary-server.ts';
import type { Outcome } from '../../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../../support/signet-server.ts';
import { digestOfTarget, type Simulator, sourceOf, target } from '../../support/simulator.ts';
import { ALPINE, notaryServerOf, officialImage } from './official-images.ts';

// Docker Official Images, rehearsed: a real notary-server has metadata whose owner has stopped signing. What can be verified
// of it is vouched for on a Signet server, and clients of all kinds use it there.

const BUSYBOX = 'docker.io/library/busybox';
const DAY_BEFORE = formatTime(Date.now() - 31 * DAY).slice(0, 10);

let alpine: Simulator;
let busybox: Simulator;
let old: NotaryServer;
let own: SignetServer;
let operator: Person;

beforeAll(async () => {
  [alpine, busybox] = await Promise.all([officialImage(), officialImage(BUSYBOX)]);
  [old, own] = await Promise.all([notaryServerOf(alpine, busybox), startSignet({ args: ['--auth', 'off'] })]);
  operator = person();
}, 120_000);

/** Someone whose trust server for Docker Hub is the own one. */
function person(): Person {
  const made = new Person(own);
  for (const { host, authority } of [old, own]) {
    const place = join(made.home, '.docker/tls', host, 'ca.crt');
    mkdirSync(dirname(place), { recursive: true });
    cpSync(authority, place);
  }
  const registries = { 'docker.io': { trustServer: own.origin } };
  writeFileSync(join(made.home, '.docker/signet.json'), JSON.stringify({ registries }));
  return made;
}

const adopt = (who: Person, ...words: readonly string[]): Promise<Outcome> =>
  who.signet('trust', 'adopt', '--from', old.origin, ...words);

describe('official images', () => {
  test('have expired, so that no client uses them any more', async () => {
    const reader = new Person(old);
    expect(await fatal(reader.notary('list', ALPINE))).toContain('expired');
  });

  test('are not adopted without consent, which says what held and what no one knows', async () => {
    const { exitCode, stdout, stderr } = await adopt(operator, '--init', 'alpine');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${ALPINE}, from ${old.host}, read at `);
    expect(stderr).toMatch(/root key [0-9a-f]{64}, seen for the first time: nothing but this source says/);
    expect(stderr).toMatch(
      /verified: every signature from root 1 to root 2, and from there to each tag; not that it is the newest, as these expired: targets \([-0-9]+\), targets\/releases \([-0-9]+\)/,
    );
    expect(stderr).toContain(
      `the signatures of ${ALPINE} hold, but no one can say whether it is still the newest: targets on`,
    );
    expect(stdout).toMatch(/alpine +failed\n/);
    const tooEarly = await adopt(operator, '--init', '--accept-expired', formatTime(Date.now()).slice(0, 10), 'alpine');
    expect(tooEarly.exitCode).toBe(1);
    expect((await operator.signet('trust', 'list', 'alpine')).exitCode).toBe(1);
  });

  test('are not adopted onto the very server that they come from', async () => {
    const env = `DOCKER_CONTENT_TRUST_SERVER=${old.origin}`;
    const words = ['trust', 'adopt', '--init', '--from', old.origin, '--accept-expired', DAY_BEFORE, 'alpine'];
    const { exitCode, stderr } = await person().run(['/usr/bin/env', env, ...signetCommand(), ...words]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${old.host} is the trust server that ${ALPINE} comes from`);
    expect(stderr).toContain('{"registries":{"docker.io":{"trustServer":"https://HOST"}}}');
  });

  test('--dry-run: signs nothing, and says what it would', async () => {
    const told = await succeeds(adopt(operator, '--dry-run', '--accept-expired', DAY_BEFORE, 'alpine'));
    expect(told).toMatch(/docker\.io\/library\/alpine +3 +3 +0 +0 +planned\n/);
    expect(readdirSync(join(operator.home, '.docker'))).not.toContain('trust');
  });

  test('several, of which one is not there: the others are vouched for, with a report', async () => {
    const { exitCode, stdout, stderr } = await adopt(
      operator,
      ...['--init', '--json', '--accept-expired', DAY_BEFORE, 'alpine', 'none', 'busybox'],
    );
    expect(exitCode).toBe(1);
    const report = JSON.parse(stdout);
    expect(report.map(({ repository, result }: Record<string, string>) => [repository, result])).toEqual([
      ['alpine', 'vouched'],
      ['none', 'failed'],
      ['busybox', 'vouched'],
    ]);
    expect(report[0]).toMatchObject({
      new: { '3.19': digestOfTarget(19), '3.20': digestOfTarget(20), latest: digestOfTarget(1) },
      rootTrust: 'first-use',
      expired: [{ role: 'targets' }, { role: 'targets/releases' }],
    });
    expect(report[1].error.code).toBe('trust-data-missing');
    expect(stderr).toContain('not adopted: none');
  });

  test('are then used by signet, docker and notary, by the digests that were signed', async () => {
    const reader = person();
    const listed = await succeeds(reader.signet('trust', 'list', 'alpine'));
    for (const byte of [1, 19, 20]) expect(listed).toContain(digestOfTarget(byte));
    expect(await succeeds(reader.notary('list', ALPINE))).toContain(digestOfTarget(20).slice('sha256:'.length));
    for (const { path } of await trustingClis()) {
      const env = ['/usr/bin/env', `DOCKER_CONTENT_TRUST_SERVER=${own.origin}`];
      const [{ SignedTags: tags }] = JSON.parse(
        await succeeds(reader.run([...env, path, 'trust', 'inspect', 'alpine'])),
      );
      expect(tags.map(({ SignedTag, Digest }: Record<string, string>) => [SignedTag, `sha256:${Digest}`])).toEqual([
        ['3.19', digestOfTarget(19)],
        ['3.20', digestOfTarget(20)],
        ['latest', digestOfTarget(1)],
      ]);
    }
  });

  test('show in inspect on whose word they are signed, and where the evidence is', async () => {
    const pretty = await succeeds(operator.signet('trust', 'inspect', '--pretty', 'alpine'));
    const folder = join(operator.trust, 'adopted/evidence');
    const [file = ''] = readdirSync(folder).filter((name) => pretty.includes(name));
    expect(pretty).toContain("Vouched for on the word of another repository's signers");
    expect(pretty).toContain(`3.20      ${ALPINE} of ${old.origin}`);
    const [copy] = parseCopies(readFileSync(join(folder, file)));
    expect(copy?.gun as string).toBe(ALPINE);
    if (copy !== undefined) expect(verifyCopy(copy).roots).toHaveLength(2);
    const [{ SignedTags: tags }] = JSON.parse(await succeeds(person().signet('trust', 'inspect', 'alpine')));
    expect(tags[0].Adopted).toMatchObject({
      From: old.origin,
      Name: ALPINE,
      Evidence: `sha256:${file.replace('.copy', '')}`,
    });
    expect(await succeeds(person().signet('trust', 'inspect', '--pretty', 'alpine'))).toContain('(not here)');
  });

  test('again: nothing is signed again, and one tag of one repository can be taken under another name', async () => {
    const again = await succeeds(adopt(operator, '--accept-expired', DAY_BEFORE, 'alpine'));
    expect(again).toMatch(/alpine +3 +0 +0 +0 +unchanged\n/);
    const as = `${own.host}/base/alpine`;
    const one = await succeeds(
      adopt(operator, ...['--init', '--accept-expired', DAY_BEFORE, '--tag', '3.20', '--as', as, 'alpine']),
    );
    expect(one).toMatch(/base\/alpine +1 +1 +0 +0 +vouched\n/);
    expect(await succeeds(person().signet('trust', 'list', as))).not.toContain('3.19');
    const none = await adopt(operator, '--accept-expired', DAY_BEFORE, '--tag', '9', 'alpine');
    expect(none.stderr).toContain('No valid trust data for 9');
  });

  test('where it was trusted before: its root is the anchor, gives way to the own one, and comes back if that fails', async () => {
    const used = person();
    const cached = join(used.trust, 'tuf', ALPINE, 'metadata');
    mkdirSync(cached, { recursive: true });
    for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
      writeFileSync(join(cached, `${role}.json`), alpine.file(role));
    }
    const root = () => readFileSync(join(cached, 'root.json')).equals(alpine.file('root'));
    const words = ['trust', 'adopt', '--from', old.origin, '--accept-expired', DAY_BEFORE, '--tag', 'latest', 'alpine'];
    const dark = await used.run([
      '/usr/bin/env',
      'DOCKER_CONTENT_TRUST_SERVER=https://localhost:1',
      ...signetCommand(),
      ...words,
    ]);
    expect([dark.exitCode, root()]).toEqual([1, true]);
    expect(dark.stderr).toContain('the one that was trusted here before');
    // Nothing is to be signed: what is there is what was signed by the operator.
    const told = await used.signet(...words);
    expect(told.stderr).toContain('the one that was trusted here before');
    expect(told.exitCode).toBe(0);
    expect(await succeeds(used.signet('trust', 'list', 'alpine'))).toContain('latest');
  });

  test('that fail at an own server which does not answer are no better known afterwards, and fail in a dry run as well', async () => {
    const someone = person();
    const dark = (...words: string[]) =>
      someone.run([
        ...['/usr/bin/env', 'DOCKER_CONTENT_TRUST_SERVER=https://localhost:1', ...signetCommand(), 'trust', 'adopt'],
        ...['--from', old.host, '--accept-expired', DAY_BEFORE, ...words, 'alpine'],
      ]);
    for (let count = 0; count < 2; count++) {
      const { exitCode, stderr } = await dark('--init');
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('seen for the first time: nothing but this')]);
    }
    expect(readdirSync(join(someone.home, '.docker'))).not.toContain('trust');
    const cached = join(someone.trust, 'tuf', ALPINE, 'metadata');
    mkdirSync(cached, { recursive: true });
    for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
      writeFileSync(join(cached, `${role}.json`), alpine.file(role));
    }
    const rehearsed = await dark('--dry-run');
    expect([rehearsed.exitCode, rehearsed.stdout]).toEqual([1, expect.stringMatching(/alpine +failed\n/)]);
  });

  test('of a root that is not the given one, or not the one of before, are refused', async () => {
    const other = await adopt(person(), ...['--root-key', 'ab'.repeat(32), '--accept-expired', DAY_BEFORE, 'alpine']);
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain('unable to match any certificates to trust_pinning config');
    const [key] = alpine.signersOf('root');
    const right = await succeeds(
      adopt(
        person(),
        ...['--root-key', key === undefined ? '' : canonicalKeyId(key.key)],
        '--dry-run',
        '--accept-expired',
        DAY_BEFORE,
        'alpine',
      ),
    );
    expect(right).toContain('planned');
    const stranger = join(operator.home, 'stranger.copy');
    writeFileSync(stranger, formatCopies([await copyOf(await officialImage())]));
    const replaced = await operator.signet('trust', 'adopt', '--from', stranger, '--accept-expired', DAY_BEFORE);
    expect(replaced.exitCode).toBe(1);
    expect(replaced.stderr).toContain('could not rotate trust to a new trusted root');
  });

  test('--freeze: digests with an end, which a trust server has no say in, said each time', async () => {
    const reader = person();
    const list = join(reader.home, '.docker/frozen.json');
    const freeze = (...words: string[]) => adopt(reader, '--freeze', list, ...words);
    expect((await freeze('alpine')).stderr).toContain('--freeze FILE and --until YYYY-MM-DD belong together');
    const past = await freeze('--until', '2020-01-01', 'alpine');
    expect(past.stderr).toBe('--until 2020-01-01 is in the past: nothing would be frozen\n');
    const nowhere = await adopt(reader, '--freeze', 'none/frozen.json', '--until', '2099-12-31', 'alpine');
    expect(nowhere.stderr).toBe(`there is no folder ${join(reader.home, 'none')} to write frozen.json into\n`);
    expect((await freeze('--until', '2026-02-30', 'alpine')).stderr).toContain(
      '--until takes a day, such as 2027-06-30, not',
    );
    const refused = await freeze('--until', '2099-12-31', 'alpine');
    expect([refused.exitCode, readdirSync(dirname(list)).includes('frozen.json')]).toEqual([1, false]);
    await succeeds(freeze('--until', '2099-12-31', '--accept-expired', DAY_BEFORE, '--tag', '3.20', 'alpine'));
    await succeeds(freeze('--until', '2098-12-31', '--accept-expired', DAY_BEFORE, 'busybox'));
    const written = JSON.parse(readFileSync(list, 'utf8'));
    expect(written).toMatchObject({ format: 'signet-frozen-1', until: '2098-12-31T23:59:59Z' });
    expect(written.images[ALPINE].tags).toEqual({ '3.20': digestOfTarget(20) });
    expect(Object.keys(written.images[BUSYBOX].tags)).toEqual(['3.19', '3.20', 'latest']);
    writeFileSync(join(reader.home, '.docker/signet.json'), JSON.stringify({ frozen: 'frozen.json' }));
    const listed = await reader.run([
      '/usr/bin/env',
      'DOCKER_CONTENT_TRUST=1',
      ...signetCommand(),
      'pull',
      'alpine:3.20',
    ]);
    expect(listed.stderr).toContain(
      `alpine:3.20 is frozen until 2098-12-31T23:59:59Z: its digest comes from ${list}, not from signatures\n`,
    );
    expect(listed.stdout).toContain(`alpine:3.20@${digestOfTarget(20)}`);
  });

  test('from a file, when the old server is dark: new tags come, those that are gone stay, own ones are kept', async () => {
    await old.stop();
    const dark = await adopt(operator, '--accept-expired', DAY_BEFORE, 'alpine');
    expect(dark.exitCode).toBe(1);
    // Its owner has moved a tag, added one and taken one back, before all of it expired.
    alpine.now = Date.now() - 2 * DAY;
    await succeeds(operator.signet('trust', 'add', '--sha256', 'cd'.repeat(32), '--size', '5', 'alpine', 'mine'));
    const newer = await changed(alpine);
    const file = join(operator.home, 'alpine.copy');
    writeFileSync(file, formatCopies([newer]));
    const told = await succeeds(operator.signet('trust', 'adopt', '--from', file));
    expect(told).toMatch(/alpine +3 +1 +1 +1 +vouched\n/);
    expect(told).toContain('alpine: 3.20 have another digest than before');
    expect(told).toContain('alpine: 3.19 are gone from the old repository, and stay signed');
    const listed = await succeeds(person().signet('trust', 'list', 'alpine'));
    for (const tag of ['3.19', '3.20', '3.21', 'latest', 'mine']) expect(listed).toContain(`\n${tag} `);
    expect(listed).toContain(digestOfTarget(21));
  });
});

/** The collection a moment later, signed anew by its owner. */
async function changed(simulator: Simulator) {
  const source = {
    ...sourceOf(simulator, simulator.now, simulator.gun),
    cache: new MemoryCache(),
    purpose: 'publish',
  } as const;
  const { set, unusable } = await inspectExpired(source);
  const editor = Editor.of(set, unusable);
  editor.removeTarget(RELEASES, '3.19');
  editor.addTarget(RELEASES, '3.20', target(120));
  editor.addTarget(RELEASES, '3.21', target(21));
  editor.witness('targets');
  await simulator.publish(simulator.gun, await editor.sign(simulator.owner, simulator.now));
  return copyOf(simulator);
}
