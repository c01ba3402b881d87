import { beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseGun } from '../../src/core/names/gun.ts';
import { DAY } from '../../src/core/time.ts';
import { KeyFolder } from '../../src/store/key-folder.ts';
import { sealed } from '../cli/commands/trust/key/keeper.ts';
import { type DockerCli, trustingClis } from '../support/clis.ts';
import { Person, succeeds, type TrustService } from '../support/notary-client.ts';
import { type NotaryServer, startNotaryServer } from '../support/notary-server.ts';
import { published } from '../support/published.ts';
import { type Outcome, runInTerminal } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { Simulator, target } from '../support/simulator.ts';
import { startTcpRelay, type TcpRelay } from '../support/tcp-relay.ts';
import { temporaryFolder } from '../support/temp.ts';
import { notaryServerOf } from './copies/official-images.ts';

// Repositories that notary and docker have published on a notary-server move to `signet serve`; those who read them change
// nothing but the address, which here is one of a relay.

const LIMIT = 120_000;

let docker: readonly DockerCli[];
beforeAll(async () => {
  docker = await trustingClis();
});

interface World {
  readonly old: NotaryServer;
  readonly fresh: SignetServer;
  readonly relay: TcpRelay;
  /** The address that clients know, with the authorities of both servers. */
  readonly service: TrustService;
}

async function world(): Promise<World> {
  const relay = await startTcpRelay();
  const [old, fresh] = await Promise.all([
    startNotaryServer(),
    startSignet({ args: ['--auth', 'off', '--name', relay.host] }),
  ]);
  relay.switchTo(old.origin);
  const authority = join(temporaryFolder(), 'ca.crt');
  writeFileSync(authority, readFileSync(old.authority, 'utf8') + readFileSync(fresh.authority, 'utf8'));
  return { old, fresh, relay, service: { origin: relay.origin, host: relay.host, authority } };
}

/** Someone with an own home, whose clients trust both servers. */
function person({ old, fresh, service }: World): Person {
  const someone = new Person(service);
  for (const { host, authority } of [old, fresh, service]) {
    const tls = join(someone.home, '.docker/tls', host);
    mkdirSync(tls, { recursive: true });
    copyFileSync(authority, join(tls, 'ca.crt'));
  }
  return someone;
}

/** Runs a command of someone whose docker and signet ask the address that all know. */
function there(someone: Person, ...command: readonly string[]): Promise<Outcome> {
  return someone.run(['env', `DOCKER_CONTENT_TRUST_SERVER=${someone.service.origin}`, ...command]);
}

function signet(someone: Person, ...words: readonly string[]): Promise<Outcome> {
  return there(someone, ...signetCommand(), ...words);
}

function migrate(owner: Person, { old, fresh }: World, ...words: readonly string[]): Promise<Outcome> {
  return owner.signet(
    'trust',
    'migrate',
    '--from',
    old.origin,
    ...words.slice(0, -1),
    fresh.origin,
    ...words.slice(-1),
  );
}

/** The tags that docker, any of its versions, or signet shows as signed. */
async function tagsOf(someone: Person, cli: string, gun: string): Promise<readonly string[]> {
  const program = cli === 'signet' ? signetCommand() : [cli];
  const [image] = JSON.parse(await succeeds(there(someone, ...program, 'trust', 'inspect', gun)));
  return image.SignedTags.map(({ SignedTag }: { SignedTag: string }) => SignedTag).sort();
}

/** Pins the repository to the certificates of these root keys, and to nothing else. */
function pin(someone: Person, gun: string, ids: readonly string[]): void {
  const trustPinning = { tofu: 'off', certs: { [gun]: ids } };
  writeFileSync(join(someone.home, '.docker/signet.json'), JSON.stringify({ trustPinning }));
  mkdirSync(join(someone.home, '.notary'));
  const pinning = { certs: { [gun]: ids }, disable_tofu: true };
  writeFileSync(join(someone.home, '.notary/config.json'), JSON.stringify({ trust_pinning: pinning }));
}

/** The targets that notary lists. */
async function listed(someone: Person, gun: string): Promise<readonly string[]> {
  const lines = (await succeeds(someone.notary('list', gun))).split('\n');
  return lines.flatMap((line) => /^(\S+) +[0-9a-f]{64} /.exec(line)?.[1] ?? []).sort();
}

test(
  'clients that cached or pinned any old root read at the first try, with the old server stopped',
  async () => {
    const it = await world();
    const gun = 'registry.example.com/alice/app';
    const owner = person(it);
    await succeeds(owner.notary('init', '-p', gun));
    await succeeds(owner.add(gun, 'v1'));
    // Those who have seen root 1: every docker, notary and signet.
    const dockers = docker.map(({ path }) => ({ path, early: person(it), fresh: person(it) }));
    for (const { path, early } of dockers) expect(await tagsOf(early, path, gun)).toEqual(['v1']);
    const [early, signetEarly] = [person(it), person(it)];
    expect(await listed(early, gun)).toEqual(['v1']);
    expect(await tagsOf(signetEarly, 'signet', gun)).toEqual(['v1']);
    // Root 2 gives the snapshot to the server, as docker does it; 3 and 4 have other root keys.
    await succeeds(owner.notary('key', 'rotate', gun, 'snapshot', '-r'));
    for (let count = 0; count < 2; count++) {
      await succeeds(owner.notaryReading('yes\n', 'key', 'rotate', gun, 'root'));
    }
    const delegate = person(it);
    await succeeds(delegate.signet('trust', 'key', 'generate', 'bob'));
    copyFileSync(join(delegate.home, 'bob.pub'), join(owner.home, 'bob.pub'));
    await succeeds(signet(owner, 'trust', 'signer', 'add', '--key', 'bob.pub', 'bob', gun));
    await succeeds(delegate.add(gun, 'v2', '-r', 'targets/releases'));
    const late = person(it);
    expect(await listed(late, gun)).toEqual(['v1', 'v2']);
    const before = await published(it.old, gun);
    const pinned = person(it);
    pin(pinned, gun, before?.keysOf('root') ?? []);
    const pinnedNotary = person(it);
    pin(pinnedNotary, gun, before?.keysOf('root') ?? []);
    const mispinned = person(it);
    pin(mispinned, gun, ['00'.repeat(32)]);

    const said = await succeeds(migrate(owner, it, gun));
    expect(said).toContain(`${gun}   moved     4 -> 5    timestamp ${(before?.versions.timestamp ?? 0) + 100}, `);
    await it.old.stop();
    it.relay.switchTo(it.fresh.origin);

    for (const { path, early: cached, fresh } of dockers) {
      expect(await tagsOf(cached, path, gun)).toEqual(['v1', 'v2']);
      expect(await tagsOf(fresh, path, gun)).toEqual(['v1', 'v2']);
    }
    for (const someone of [early, late, pinnedNotary, person(it)])
      expect(await listed(someone, gun)).toEqual(['v1', 'v2']);
    for (const someone of [signetEarly, pinned, person(it)]) {
      expect(await tagsOf(someone, 'signet', gun)).toEqual(['v1', 'v2']);
    }
    for (const words of [mispinned.notary('list', gun), signet(mispinned, 'trust', 'inspect', gun)]) {
      expect((await words).exitCode).toBe(1);
    }
    const after = await published(it.fresh, gun);
    expect(after?.versions).toEqual({
      ...before?.versions,
      root: 5,
      snapshot: (before?.versions.snapshot ?? 0) + 1,
      timestamp: (before?.versions.timestamp ?? 0) + 100,
    });

    await succeeds(owner.add(gun, 'by-owner'));
    await succeeds(delegate.add(gun, 'by-delegate', '-r', 'targets/releases'));
    const all = ['by-delegate', 'by-owner', 'v1', 'v2'];
    for (const { path, early: cached } of dockers) expect(await tagsOf(cached, path, gun)).toEqual(all);
    expect(await listed(late, gun)).toEqual(all);
    expect((await published(it.fresh, gun))?.versions.timestamp).toBe((after?.versions.timestamp ?? 0) + 2);
  },
  LIMIT,
);

test(
  'one who reads in a loop never fails, before, during and after the move and the change of address',
  async () => {
    const it = await world();
    const gun = 'registry.example.com/alice/loop';
    const owner = person(it);
    await succeeds(owner.notary('init', '-p', gun));
    await succeeds(owner.add(gun, 'v1'));
    const [byNotary, byDocker] = [person(it), person(it)];
    const cli = docker.at(-1)?.path ?? '';
    let isOver = false;
    const rounds = { before: 0, after: 0 };
    let state: keyof typeof rounds = 'before';
    const loop = async () => {
      while (!isOver) {
        const during = state;
        expect(await listed(byNotary, gun)).toEqual(['v1']);
        expect(await tagsOf(byDocker, cli, gun)).toEqual(['v1']);
        expect(await listed(person(it), gun)).toEqual(['v1']);
        rounds[during]++;
      }
    };
    const until = async (isReached: () => boolean) => {
      while (!isReached()) await Promise.race([looping, Bun.sleep(20)]);
    };
    const looping = loop();
    await until(() => rounds.before >= 1);
    await succeeds(migrate(owner, it, gun));
    const moved = rounds.before;
    await until(() => rounds.before > moved + 1);
    it.relay.switchTo(it.fresh.origin);
    state = 'after';
    await until(() => rounds.after >= 2);
    await it.old.stop();
    await until(() => rounds.after >= 4);
    isOver = true;
    await looping;
  },
  LIMIT,
);

test(
  'a local snapshot key stays with its owner',
  async () => {
    const it = await world();
    const gun = 'registry.example.com/alice/own-snapshot';
    const owner = person(it);
    await succeeds(owner.notary('init', '-p', gun));
    await succeeds(owner.add(gun, 'v1'));
    const before = await published(it.old, gun);
    await succeeds(migrate(owner, it, gun));
    it.relay.switchTo(it.fresh.origin);
    const after = await published(it.fresh, gun);
    expect(after?.keysOf('snapshot')).toEqual(before?.keysOf('snapshot') ?? []);
    expect(after?.keysOf('timestamp')).not.toEqual(before?.keysOf('timestamp') ?? []);
    expect(await listed(person(it), gun)).toEqual(['v1']);
    await succeeds(owner.add(gun, 'v2'));
    expect(await listed(person(it), gun)).toEqual(['v1', 'v2']);
  },
  LIMIT,
);

test(
  'a root of two holders moves when both have run the command with one folder of drafts',
  async () => {
    const it = await world();
    const gun = 'registry.example.com/alice/two';
    const [one, two] = [person(it), person(it)];
    await succeeds(one.notary('init', '-p', gun));
    await succeeds(one.add(gun, 'v1'));
    await succeeds(one.notary('key', 'rotate', gun, 'snapshot', '-r'));
    await succeeds(signet(two, 'trust', 'key', 'certificate', '--new', '--output', 'two.crt', gun));
    copyFileSync(join(two.home, 'two.crt'), join(one.home, 'two.crt'));
    const proposed = await signet(one, 'trust', 'role', '--add-key', 'two.crt', '--threshold', '2', gun, 'root');
    expect(proposed.exitCode).toBe(1);
    const proposal = join(one.trust, 'tuf', gun, 'proposal.json');
    await succeeds(signet(two, 'trust', 'approve', '--yes', '--file', proposal, gun));
    const drafts = join(temporaryFolder(), 'drafts');

    const first = await migrate(one, it, '--drafts', drafts, gun);
    expect(first.exitCode).toBe(1);
    expect(first.stdout).toContain('1 of these must sign: ');
    expect(first.stdout).toContain('Pass the folder of drafts on to the holders of the other root keys');
    expect(first.stderr).toContain('1 of 1 repository did not move');
    expect(await published(it.fresh, gun)).toBeUndefined();
    expect(await succeeds(migrate(two, it, '--drafts', drafts, gun))).toContain('moved');
    it.relay.switchTo(it.fresh.origin);
    expect(await listed(person(it), gun)).toEqual(['v1']);
  },
  LIMIT,
);

describe('many repositories', () => {
  test(
    'come from a file, are shown in a dry run, and are reported as a table and as JSON',
    async () => {
      const it = await world();
      const owner = person(it);
      const guns = ['one', 'two', 'three'].map((name) => `registry.example.com/alice/${name}`);
      for (const gun of guns) {
        await succeeds(owner.notary('init', '-p', gun));
        await succeeds(owner.add(gun, 'v1'));
      }
      const names = `# What we have\n\n${guns.join('\n')}\nregistry.example.com/alice/none\n`;
      writeFileSync(join(owner.home, 'names'), names);
      const words = ['--from', it.old.origin, it.fresh.origin];
      const dry = await owner.signet('trust', 'migrate', '--dry-run', '--file', 'names', ...words);
      expect(dry).toMatchObject({ exitCode: 0 });
      expect(dry.stdout).toContain('4 repositories: 3 ready to move, 1 without trust data.');
      for (const gun of guns) expect(await published(it.fresh, gun)).toBeUndefined();
      const done = await owner.run([...signetCommand(), 'trust', 'migrate', '--json', '-f', '-', ...words], names);
      expect(done).toMatchObject({ exitCode: 0 });
      expect(
        JSON.parse(done.stdout).map(({ repository, state, root }: Record<string, unknown>) => [
          repository,
          state,
          root,
        ]),
      ).toEqual([...guns.map((gun) => [gun, 'moved', 1]), ['registry.example.com/alice/none', 'unsigned', undefined]]);
      expect(done.stderr.trim().split('\n')).toHaveLength(4);
      // The owner's notary has them in its cache.
      const again = await owner.signet('trust', 'migrate', '--cached', ...words);
      expect(again.stdout).toContain('3 repositories: 3 there already.');
    },
    LIMIT,
  );

  test(
    'that were named and are not on the old server fail, and are not taken for done',
    async () => {
      const it = await world();
      const owner = person(it);
      const gun = 'registry.example.com/alice/named';
      await succeeds(owner.notary('init', '-p', gun));
      await succeeds(owner.add(gun, 'v1'));
      const move = (from: string, to: string, ...words: string[]) =>
        owner.signet('trust', 'migrate', '--from', from, ...words, to);
      const nothing = (host: string, what: string) => expect.stringContaining(`${host} has no trust data of ${what}\n`);
      const mistyped = await owner.signet('trust', 'migrate', '--from', it.old.origin, it.fresh.origin, gun, `${gun}x`);
      expect(mistyped).toMatchObject({ exitCode: 1, stderr: nothing(it.old.host, `${gun}x`) });
      expect(mistyped.stdout).toContain('2 repositories: 1 moved, 1 failed.');
      expect(mistyped.stdout).toContain(
        '\nCheck the spelling, and that --from names the old server and SERVER the new one.\n',
      );
      expect(mistyped.stdout).not.toContain('Now point clients');
      // All that are cached, from an address with its /v2/, and from a server that never had them.
      const withPath = await move(`${it.old.origin}/v2/`, it.fresh.origin, '--cached');
      expect(withPath).toMatchObject({ exitCode: 1, stderr: nothing(it.old.host, gun) });
      const empty = await startSignet({ args: ['--auth', 'off'] });
      const tls = join(owner.home, '.docker/tls', empty.host);
      mkdirSync(tls, { recursive: true });
      copyFileSync(empty.authority, join(tls, 'ca.crt'));
      const swapped = await move(empty.origin, it.old.origin, '--cached');
      expect(swapped).toMatchObject({ exitCode: 1, stderr: nothing(empty.host, gun) });
      expect(swapped.stdout).not.toContain('Now point clients');
    },
    LIMIT,
  );

  test(
    'ask for the passphrase of their root key once',
    async () => {
      const it = await world();
      const owner = person(it);
      const guns = ['one', 'two', 'three'].map((name) => `registry.example.com/alice/asked-${name}`);
      for (const gun of guns) {
        await succeeds(owner.notary('init', '-p', gun));
        await succeeds(owner.notary('key', 'rotate', gun, 'snapshot', '-r'));
      }
      const words = ['trust', 'migrate', '--from', it.old.origin, it.fresh.origin, ...guns];
      const env = { PATH: process.env.PATH ?? '', HOME: owner.home };
      const answer = {
        expect: /passphrase for root key.*: $/i,
        send: 'the root of what is signed here',
        isSecret: true,
      };
      const { exitCode, stdout } = await runInTerminal([...signetCommand(), ...words], [answer], { env });
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining('3 repositories: 3 moved.')]);
      expect(stdout.match(/passphrase/gi)).toHaveLength(1);
    },
    LIMIT,
  );

  test(
    'end all with Ctrl-C at the passphrase of the first one',
    async () => {
      const it = await world();
      const owner = person(it);
      const guns = ['one', 'two', 'three'].map((name) => `registry.example.com/alice/ended-${name}`);
      for (const gun of guns) await succeeds(owner.notary('init', '-p', gun));
      const words = ['trust', 'migrate', '--from', it.old.origin, it.fresh.origin, ...guns];
      const env = { PATH: process.env.PATH ?? '', HOME: owner.home };
      const answer = { expect: /passphrase for root key.*: $/i, send: '\x03', isSecret: true };
      const { exitCode, stdout } = await runInTerminal([...signetCommand(), ...words], [answer], { env });
      expect([exitCode, stdout]).toEqual([130, expect.stringContaining('3 repositories: 3 not begun.')]);
      expect(stdout.match(/passphrase/gi)).toHaveLength(1);
      expect(stdout).toContain('interrupted: run the command again to go on\n');
      for (const gun of guns) expect(await published(it.fresh, gun)).toBeUndefined();
    },
    LIMIT,
  );

  test(
    'of a server without the route stay where they are, and the owner learns which servers can',
    async () => {
      const [it, other] = [await world(), await startNotaryServer()];
      const owner = person(it);
      const tls = join(owner.home, '.docker/tls', other.host);
      mkdirSync(tls, { recursive: true });
      copyFileSync(other.authority, join(tls, 'ca.crt'));
      const gun = 'registry.example.com/alice/stock';
      await succeeds(owner.notary('init', '-p', gun));
      await succeeds(owner.add(gun, 'v1'));
      const refused = await owner.signet('trust', 'migrate', '--from', it.old.origin, other.origin, gun);
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain(`the trust server ${other.host} does not take repositories from other servers`);
      expect(refused.stderr).toContain('to a server of Signet only');
      expect(await published(other, gun)).toBeUndefined();
    },
    LIMIT,
  );
});

describe('a server with accounts', () => {
  const ALICE = { name: 'alice', password: 'what alice has chosen' };
  const BOB = { name: 'bob', password: 'what bob has chosen' };

  test(
    'takes a repository from those who may publish it, and records who it was',
    async () => {
      const [old, fresh] = await Promise.all([startNotaryServer(), startSignet()]);
      for (const { name, password } of [ALICE, BOB]) await fresh.addUser(name, password);
      await fresh.grant('bob', 'alice/*', 'pull');
      const gun = `${fresh.host}/alice/app`;
      const publisher = new Person(old);
      await succeeds(publisher.notary('init', '-p', gun));
      await succeeds(publisher.add(gun, 'v1'));
      const [alice, bob, stranger] = await Promise.all(
        [ALICE, BOB, undefined].map(async (login) => {
          const someone = new Person(fresh, login === undefined ? {} : { login }).takeKeysOf(publisher);
          for (const { host, authority } of [old, fresh]) {
            const tls = join(someone.home, '.docker/tls', host);
            mkdirSync(tls, { recursive: true });
            copyFileSync(authority, join(tls, 'ca.crt'));
          }
          return login === undefined ? someone : someone.loggedIn();
        }),
      );
      const words = ['trust', 'migrate', '--from', old.origin, fresh.origin, gun];
      for (const someone of [bob, stranger]) {
        const { exitCode, stdout } = (await someone?.signet(...words)) ?? {};
        expect(exitCode).toBe(1);
        expect(stdout).toContain('you are not authorized to perform this operation: server returned 401.');
        expect(await published(fresh, gun, ALICE)).toBeUndefined();
      }
      expect(await succeeds(alice?.signet(...words) as Promise<Outcome>)).toContain('1 repository: 1 moved.');
      const versions = (await published(fresh, gun, ALICE))?.versions;
      expect(versions?.root).toBe(2);
      const log = await alice?.run([...signetCommand(), 'user', 'log', '--json', '--data', fresh.data]);
      const events = JSON.parse(log?.stdout ?? '[]') as Record<string, string>[];
      expect(events.at(-1)).toMatchObject({
        ...{
          by: 'alice',
          user: 'alice',
          action: 'trust imported',
          address: expect.stringMatching(/^(?:127\.0\.0\.1|::1)$/),
        },
        detail: `${gun}: roots 1 to 2, timestamp version ${versions?.timestamp}`,
      });
      expect(fresh.log()).toContain(`imported ${gun} from another server`);
    },
    LIMIT,
  );
});

test(
  'Ctrl-C finishes what has begun, reports it, and the next run goes on',
  async () => {
    const it = await world();
    const owner = person(it);
    const guns = Array.from({ length: 30 }, (_, index) => `registry.example.com/alice/many${index}`);
    for (const gun of guns) await succeeds(owner.notary('init', '-p', gun));
    writeFileSync(join(owner.home, 'names'), guns.join('\n'));
    const words = ['trust', 'migrate', '--json', '--file', 'names', '--from', it.relay.origin, it.fresh.origin];
    const connections = it.relay.connections();
    // The shell gives the signal as soon as the first one has moved.
    const script = `"$@" 2> progress & child=$!; tail -f --pid=$child progress | sed -n '/moved/{p;q}' > first; kill -INT $child; wait $child`;
    const line = ['/bin/bash', '-c', `touch progress; set -m; ${script}`, 'migrate', ...signetCommand(), ...words];
    const first = await owner.run(line);
    const states = (text: string) => JSON.parse(text).map(({ state }: { state: string }) => state) as string[];
    expect(first.exitCode).toBe(130);
    const moved = states(first.stdout).filter((state) => state === 'moved').length;
    expect(moved).toBeGreaterThan(0);
    expect(states(first.stdout)).toHaveLength(30);
    for (const [index, state] of states(first.stdout).entries()) {
      expect([index, (await published(it.fresh, guns[index] ?? '')) !== undefined]).toEqual([index, state === 'moved']);
    }
    const second = await owner.signet(...words);
    expect(second.exitCode).toBe(0);
    const count = (state: string) => states(second.stdout).filter((each) => each === state).length;
    // Each run has as many connections as repositories at one time, however many those are in all.
    expect(it.relay.connections() - connections).toBeLessThanOrEqual(2 * 2 * 8);
    expect([count('present'), count('moved')]).toEqual([moved, 30 - moved]);
  },
  LIMIT,
);

test(
  'a root whose certificate has expired gets one that lasts: new clients and signet follow',
  async () => {
    const gun = 'registry.example.com/alice/expired';
    const now = Date.now();
    const simulator = await Simulator.start({ gun: parseGun(gun), now: now - 3651 * DAY });
    const firstRoot = simulator.file('root');
    // Signed again every two years, two days ago for the last time; the certificate ended yesterday.
    for (const days of [3651 - 730, 3651 - 1460, 3651 - 2190, 3651 - 2920, 2]) {
      simulator.now = now - days * DAY;
      await simulator.refresh();
      await simulator.edit((editor) => {
        editor.witnessRoot();
        editor.witness('targets');
        if (days === 2) editor.addTarget('targets', 'v1', target(1));
      });
    }
    const [old, fresh] = await Promise.all([notaryServerOf(simulator), startSignet({ args: ['--auth', 'off'] })]);
    const [root] = simulator.signersOf('root');
    const reader = (service: TrustService) => {
      const someone = new Person(service);
      for (const { host, authority } of [old, fresh]) {
        const tls = join(someone.home, '.docker/tls', host);
        mkdirSync(tls, { recursive: true });
        copyFileSync(authority, join(tls, 'ca.crt'));
      }
      return someone;
    };
    const refused = await reader(old).notary('list', gun);
    expect([refused.exitCode, refused.stdout]).toEqual([1, expect.stringContaining('valid leaf certificates')]);
    const owner = reader(fresh);
    const folder = new KeyFolder(owner.trust);
    if (root !== undefined)
      await folder.add(root.private.id, sealed(root.private, 'root', 'the root of what is signed here'));
    const words = ['trust', 'migrate', '--from', old.origin];
    const planned = await succeeds(owner.signet(...words, '--dry-run', fresh.origin, gun));
    expect(planned).toContain('ready     6 -> 7    2 targets, new root certificate');
    expect(await succeeds(owner.signet(...words, fresh.origin, gun))).toContain('1 repository: 1 moved.');
    await old.stop();
    expect(await listed(reader(fresh), gun)).toEqual(['latest', 'v1']);
    for (const { path } of docker) expect(await tagsOf(reader(fresh), path, gun)).toEqual(['latest', 'v1']);
    for (const known of [firstRoot, simulator.file('root')]) {
      const cached = reader(fresh);
      const place = join(cached.trust, 'tuf', gun, 'metadata');
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'root.json'), known);
      // Notary's and docker's clients stop at an expired certificate that they have cached, wherever the server is.
      const stopped = await cached.notary('list', gun);
      expect([stopped.exitCode, stopped.stdout]).toEqual([1, expect.stringContaining('valid leaf certificates')]);
      expect(await tagsOf(cached, 'signet', gun)).toEqual(['latest', 'v1']);
      expect(await listed(cached, gun)).toEqual(['latest', 'v1']);
    }
  },
  LIMIT,
);
