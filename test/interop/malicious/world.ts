import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gun } from '../../../src/core/names/gun.ts';
import { type DelegationName, parseDelegation, RELEASES } from '../../../src/core/names/role.ts';
import { type FakeEngine, startFakeEngine, stream } from '../../engine/fake-engine.ts';
import { trustingClis } from '../../support/clis.ts';
import { type LyingServer, startLyingServer } from '../../support/lying-server.ts';
import type { Simulator, State } from '../../support/simulator.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { GOOD, OLD, targetOf } from './images.ts';
import { Victim } from './victim.ts';

export const ALICE: DelegationName = parseDelegation('targets/alice');

/** A repository as docker's users make them, its server under the attacker's control, and two victims. */
export interface World {
  readonly server: LyingServer;
  readonly simulator: Simulator;
  /** What the server rightly said first, and last: `latest` is OLD, then GOOD. The files are of the same lengths. */
  readonly old: State;
  honest: State;
  /** One who was here before, and one who was not. */
  readonly warm: Victim;
  readonly cold: Victim;
  /** What docker and the engine behind the victims' Signet were told to do. */
  started(): readonly string[];
}

export interface Circumstances {
  /** How long ago the warm victim was here and the repository was signed, in milliseconds. */
  readonly age?: number;
  /** Which state the warm victim has seen; the newest where nothing is said. */
  readonly knows?: 'old' | 'honest';
  /** What both victims have set as `trustPinning` since then. */
  readonly pinned?: (gun: Gun) => object;
  /** What else happened honestly before the warm victim came. */
  readonly before?: (world: World) => Promise<void>;
}

export async function makeWorld({ age = 0, knows = 'honest', pinned, before }: Circumstances): Promise<World> {
  const server = await startLyingServer({ now: Date.now() - age });
  const { simulator } = server;
  const alice = simulator.owner.make();
  await simulator.edit((editor) => {
    editor.removeTarget('targets', 'latest');
    for (const role of [RELEASES, ALICE]) {
      editor.addDelegation(role, [alice], ['']);
      editor.addTarget(role, 'latest', targetOf(OLD));
    }
    editor.addTarget('targets', 'other', targetOf(GOOD));
  });
  const old = simulator.state;
  await simulator.edit((editor) => {
    for (const role of [RELEASES, ALICE]) editor.addTarget(role, 'latest', targetOf(GOOD));
    editor.addTarget('targets', 'other', targetOf(OLD));
  });
  server.held.set('next', GOOD);

  const engine = startFakeEngine({ answer: ({ method, path }) => obey(method, path) });
  const record = join(temporaryFolder(), 'record');
  writeFileSync(record, '');
  const environment = { DOCKER_HOST: engine.host, SIGNET_DOCKER: await recordingDocker(), RECORD: record };
  const [warm, cold] = [new Victim(server, environment), new Victim(server, environment)];
  for (const victim of [warm, cold]) await victim.addKey(simulator.owner.private(alice));
  const started = () => [...startsIn(record), ...ordersTo(engine)];
  const world: World = { server, simulator, old, honest: simulator.state, warm, cold, started };
  await before?.(world);
  world.honest = simulator.state;
  if (knows === 'old') simulator.serve(old);
  await warm.visit();
  const trustPinning = pinned?.(server.gun);
  for (const victim of [warm, cold]) if (trustPinning !== undefined) victim.configure('signet.json', { trustPinning });
  simulator.serve(world.honest);
  simulator.now = Date.now();
  return world;
}

let script: Promise<string> | undefined;

/** A docker command that can do nothing but tell its version and its help; what else it is told, it writes down. */
function recordingDocker(): Promise<string> {
  script ??= writeScript();
  return script;
}

async function writeScript(): Promise<string> {
  const docker = (await trustingClis()).at(-1);
  if (docker === undefined) throw new Error('there is no docker command');
  const path = join(temporaryFolder(), 'docker');
  const lines = [
    '#!/bin/sh',
    'case "$*" in',
    `  *--help|*--version) exec '${docker.path}' "$@" ;;`,
    'esac',
    'printf "docker %s\\n" "$*" >> "$RECORD"',
    // Of a build, what the Dockerfile says by then.
    'for word in "$@"; do [ ! -f "$word" ] || cat "$word" >> "$RECORD"; done',
  ];
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o755 });
  return path;
}

function startsIn(record: string): string[] {
  return readFileSync(record, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** An engine that says it has every image, and does what it is told. */
function obey(method: string, path: string): Response | undefined {
  if (method === 'GET') return Response.json({ Id: 'sha256:0', RepoTags: [], RepoDigests: [] });
  return path === '/images/create' ? stream({ status: 'done' }) : new Response(null, { status: 201 });
}

function ordersTo({ requests }: FakeEngine): string[] {
  const orders = requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  return orders.map(({ method, path, query }) => `engine ${method} ${path} ${query}`);
}
