import { beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { type FakeEngine, startFakeEngine, stream } from '../engine/fake-engine.ts';
import { trustingClis } from '../support/clis.ts';
import { random } from '../support/random.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { SigningPerson } from './crash/signing-person.ts';
import { someManifest } from './malicious/images.ts';

const NAME = 'alice';
const PASSWORD = 'whose commands never end well';
const ROUNDS = 7;
const TASKS = 9;

let server: SignetServer;
let engine: FakeEngine;
let docker: string;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(NAME, PASSWORD);
  docker = (await trustingClis()).at(-1)?.path ?? '';
  // An engine that has pushed everything that it is told to push.
  engine = startFakeEngine({
    answer: ({ path, query }) => {
      const aux = { Tag: query.get('tag') ?? '', Digest: someManifest('pushed').digest, Size: 100 };
      return path.endsWith('/push') ? stream({ status: 'Pushed' }, { progressDetail: {}, aux }) : undefined;
    },
  });
}, 60_000);

/** One command of many: words, input, and what must hold once it has been carried out in full. */
interface Task {
  readonly words: readonly string[];
  readonly stdin?: string;
  /** It cannot be done twice, as when its file is there already. */
  readonly isDone?: (person: SigningPerson) => Promise<boolean>;
}

/** All that changes something in the home of `person`; `round` tells one time from the other. */
function tasks(person: SigningPerson, round: number): readonly Task[] {
  const repository = `${server.host}/alice/round-${round}`;
  const [words, stdin] = person.logIn(NAME, PASSWORD);
  return [
    { words, stdin },
    {
      words: ['trust', 'key', 'generate', `key-${round}`],
      isDone: async () => Bun.file(join(person.home, `key-${round}.pub`)).exists(),
    },
    {
      words: ['trust', 'init', repository],
      isDone: async () => (await person.finish(['trust', 'inspect', repository])).exitCode === 0,
    },
    { words: ['push', `${repository}:pushed`] },
    { words: ['trust', 'sign', '--remote', `${repository}:signed`] },
    { words: ['trust', 'signer', 'add', '--key', `key-${round}.pub`, `signer-${round}`, repository] },
    { words: ['trust', 'inspect', repository] },
    { words: ['trust', 'sign', '--remote', `${repository}:signed-${round}`] },
    {
      words: ['trust', 'revoke', '--yes', `${repository}:signed`],
      isDone: async () => !(await signedTags(person, repository)).includes('signed'),
    },
  ];
}

async function signedTags(person: SigningPerson, repository: string): Promise<string[]> {
  const { stdout } = await person.finish(['trust', 'inspect', repository]);
  const [image] = JSON.parse(stdout) as { SignedTags: { SignedTag: string }[] }[];
  return (image?.SignedTags ?? []).map(({ SignedTag }) => SignedTag);
}

async function pushManifests(repository: string, ...tags: readonly string[]): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${NAME}:${PASSWORD}`).toString('base64')}`;
  const tls = { rejectUnauthorized: false };
  const scope = `repository:${repository}:pull,push`;
  const query = `service=signet&scope=${scope}`;
  const answer = await fetch(`${server.origin}/auth/token?${query}`, { headers: { authorization }, tls });
  const { token } = (await answer.json()) as { token: string };
  for (const tag of tags) {
    const { bytes, type } = someManifest(tag);
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    const url = `${server.origin}/v2/${repository}/manifests/${tag}`;
    const response = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes), tls });
    expect(response.status).toBe(201);
  }
}

for (const [signal, seed] of [
  ['SIGKILL', 6],
  ['SIGINT', 7],
] as const) {
  test(`${ROUNDS * TASKS} commands ended by ${signal} leave nothing half done (seed ${seed})`, async () => {
    const next = random(seed);
    const person = new SigningPerson(server, { DOCKER_HOST: engine.host, SIGNET_DOCKER: docker });
    // How long each task takes, learnt from the last time it went to its end.
    const durations: number[] = [];
    for (let round = seed * 100; round < seed * 100 + ROUNDS; round++) {
      await pushManifests(`alice/round-${round}`, 'signed', `signed-${round}`);
      for (const [at, { words, stdin, isDone }] of tasks(person, round).entries()) {
        const said = await person.breakOff(words, signal, next() * (durations[at] ?? 100), stdin);
        expect(person.faults()).toEqual([]);
        if ((await isDone?.(person)) === true) continue;
        const started = performance.now();
        const again = await person.finish(words, stdin);
        expect(again, said).toMatchObject({ exitCode: 0 });
        durations[at] = performance.now() - started;
        expect(person.faults()).toEqual([]);
      }
      const repository = `${server.host}/alice/round-${round}`;
      expect(await signedTags(person, repository)).toEqual(['pushed', `signed-${round}`]);
    }
    console.log(`${signal}: ${person.drafts().length} drafts left`);
  }, 170_000);
}
