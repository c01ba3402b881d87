import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseDigest } from '../../src/core/names/digest.ts';
import { findProgram, trustingClis } from '../support/clis.ts';
import { startEngine } from '../support/dockerd.ts';
import { type Outcome, run } from '../support/run.ts';
import { freePort, type SignetServer, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';
import type { Certificate } from './odd-notary.ts';
import { PASSPHRASE, Person } from './person.ts';

/** The users of the server. Alice owns `alice/…`, Bob nothing of it. */
export const PASSWORDS = { alice: 'the password of alice', bob: 'the password of bob' } as const;
export type User = keyof typeof PASSWORDS;

/** An image in the registry. */
export interface PushedImage {
  readonly digest: Digest;
  /** Of its manifest, in bytes. */
  readonly size: number;
}

/** Where the scenarios play: a real engine, a real server with the registry, and people with homes. */
export interface Place {
  readonly server: SignetServer;
  /** For whoever stands in for the server. */
  readonly certificate: Certificate;
  /** `localhost:40123` */
  readonly host: string;
  readonly socket: string;
  /** An address at which nobody answers. */
  readonly nowhere: string;
  /** A person who is logged in; passphrases come from the environment. */
  person(user?: User): Person;
  /** The same without passphrases in the environment: they are asked for. */
  asked(user?: User): Person;
  stranger(): Person;
  /** The full name of a repository: `localhost:40123/alice/app`. */
  repository(name: string): string;
  /** Gives the engine an image under `alice/…:tag`, of one layer that no other image has. It prints `It worked!`. */
  image(reference: string): Promise<void>;
  /** `image`, and pushes it without trust; the engine keeps it. */
  pushed(reference: string): Promise<PushedImage>;
  /** Takes an image out of the engine. */
  forget(reference: string): Promise<void>;
  /** Runs Debian's docker CLI against the engine as alice, without trust. Throws where it fails. */
  engine(...args: readonly string[]): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Starts engine and server. */
export async function startPlace(): Promise<Place> {
  const [[debian], engine, server, port] = await Promise.all([
    trustingClis(),
    startEngine(),
    startSignet(),
    freePort(),
  ]);
  for (const [user, password] of Object.entries(PASSWORDS)) await server.addUser(user, password);
  const { host } = server;
  const env = { DOCKER_HOST: engine.host, XDG_CACHE_HOME: temporaryFolder() };
  const passphrases = {
    DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: PASSPHRASE,
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: PASSPHRASE,
  };
  const loginOf = (user: User) => ({ host, user, password: PASSWORDS[user] });
  const pusher = new Person(env, loginOf('alice'));
  const docker = async (args: readonly string[], stdin: string | Uint8Array = '') => {
    const outcome = await run([`${debian?.path}`, '--config', pusher.docker, '--host', engine.host, ...args], {
      stdin,
    });
    if (outcome.exitCode !== 0) throw new Error(`${outcome.command}\n${outcome.stdout}${outcome.stderr}`);
    return outcome;
  };
  const image: Place['image'] = async (reference) => {
    const change = ['--change', 'CMD ["/busybox", "echo", "It worked!"]'];
    await docker(['import', ...change, '-', `${host}/${reference}`], await rootFileSystem(reference));
  };

  return {
    server,
    certificate: { cert: Bun.file(server.certificate), key: Bun.file(server.key) },
    host,
    socket: engine.socket,
    nowhere: `https://localhost:${port}`,
    person: (user = 'alice') => new Person({ ...env, ...passphrases }, loginOf(user)),
    asked: (user = 'alice') => new Person(env, loginOf(user)),
    stranger: () => new Person({ ...env, ...passphrases }),
    repository: (name) => `${host}/${name}`,
    image,
    pushed: async (reference) => {
      await image(reference);
      const { stdout } = await docker(['push', `${host}/${reference}`]);
      const [, digest = '', size] = /digest: (\S+) size: (\d+)$/m.exec(stdout) ?? [];
      return { digest: parseDigest(digest), size: Number(size) };
    },
    forget: async (reference) => {
      await docker(['image', 'rm', `${host}/${reference}`]);
    },
    engine: (...args) => docker(args),
    stop: async () => {
      await engine.stop();
      await server.stop();
    },
  };
}

async function rootFileSystem(marker: string): Promise<Uint8Array> {
  const folder = temporaryFolder();
  await copyFile(findProgram('busybox'), join(folder, 'busybox'));
  await writeFile(join(folder, 'marker'), marker);
  const archive = await Bun.$`tar --create --owner=0 --group=0 --directory ${folder} busybox marker`.quiet();
  return archive.stdout;
}
