import { type Engine, importBusybox, startEngine } from '../support/dockerd.ts';
import { type ServeOptions, type SignetServer, startSignet } from '../support/signet-server.ts';
import type { Frontend } from './frontend.ts';
import { Shell } from './shell.ts';
import { engineDigest, succeed } from './state.ts';
import type { Place } from './steps.ts';

const PASSWORDS = {
  alice: 'what alice types at docker login',
  bob: 'who works for alice now and then',
  library: 'the password of who makes base images',
};
const BASE_PASSPHRASE = 'whoever makes base images signs them';

/** A real engine and a real server with the signed base image `library/busybox:latest`. */
export interface World {
  readonly face: Frontend;
  readonly engine: Engine;
  readonly server: SignetServer;
  /** Of everybody's terminal. */
  readonly environment: Readonly<Record<string, string>>;
  /** Somebody new to the machine. */
  person(name: string): Shell;
  /** The person after `docker login`, as alice or as bob, who may push to her repositories. */
  loggedIn(person: Shell, name?: 'alice' | 'bob'): Promise<Shell>;
  /** The lesson, with the names as they are written at her terminal. */
  lessonFor(alice: Shell): Place;
  stop(): Promise<void>;
}

/** Starts engine and server; somebody with that face pushes and signs the base image. */
export async function startWorld(face: Frontend, options: ServeOptions = {}): Promise<World> {
  const [engine, server] = await Promise.all([startEngine(), startSignet(options)]);
  for (const [name, password] of Object.entries(PASSWORDS)) await server.addUser(name, password);
  await server.grant('alice', 'library/*', 'pull');
  await server.grant('bob', 'alice/*', 'push');

  const written = (path: string) => (face.hasShortNames ? path : `${server.host}/${path}`);
  const registry = face.hasShortNames ? '' : server.host;
  const environment = { DOCKER_HOST: engine.host, DOCKER_BUILDKIT: '0', ...face.environment(server.host) };
  const person = (name: string) => new Shell(name, face.docker, environment);
  const logIn = async (shell: Shell, name: keyof typeof PASSWORDS) => {
    await succeed(shell, `echo '${PASSWORDS[name]}' | docker login --username ${name} --password-stdin ${registry}`);
    return shell;
  };

  const publisher = await logIn(person('library'), 'library');
  const base = written('library/busybox:latest');
  await importBusybox(engine, face.cli.path, 'imported:base');
  const passphrases = ['ROOT', 'REPOSITORY'].map(
    (key) => `DOCKER_CONTENT_TRUST_${key}_PASSPHRASE='${BASE_PASSPHRASE}'`,
  );
  await succeed(
    publisher,
    `docker tag imported:base ${base} && ${passphrases.join(' ')} docker trust sign ${base}`,
    [],
  );
  const baseDigest = await engineDigest(publisher, base);

  return {
    face,
    engine,
    server,
    environment,
    person,
    loggedIn: (shell, name = 'alice') => logIn(shell, name),
    lessonFor: (alice) => ({
      alice,
      password: PASSWORDS.alice,
      registry,
      repository: written('alice/dct-test'),
      base: face.hasShortNames ? 'busybox:latest' : base,
      baseDigest,
    }),
    stop: async () => {
      await engine.stop();
      await server.stop();
    },
  };
}
