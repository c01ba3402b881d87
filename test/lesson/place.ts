import type { DockerCli } from '../support/clis.ts';
import { type Engine, importBusybox, startEngine } from '../support/dockerd.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { Shell } from './shell.ts';
import { engineDigest, succeed } from './state.ts';
import type { Place } from './steps.ts';

const PASSWORDS = {
  alice: 'what alice types at docker login',
  library: 'the password of who makes base images',
};
const BASE_PASSPHRASE = 'whoever makes base images signs them';

/** A real engine and a real server with the signed base image `library/busybox:latest`. */
export interface World {
  readonly engine: Engine;
  readonly server: SignetServer;
  /** A person new to the machine, for whom the word docker stands for `docker`. */
  person(docker: readonly string[], environment?: Readonly<Record<string, string>>): Shell;
  /** The person after `docker login` as alice. */
  loggedIn(person: Shell): Promise<Shell>;
  /** The lesson with every name written out. */
  lessonFor(alice: Shell): Place;
  stop(): Promise<void>;
}

/** Starts engine and server; `docker` pushes and signs the base image. */
export async function startWorld({ path }: DockerCli): Promise<World> {
  const [engine, server] = await Promise.all([startEngine(), startSignet()]);
  for (const name of ['alice', 'library'] as const) await server.addUser(name, PASSWORDS[name]);
  await server.grant('alice', 'library/*', 'pull');

  const person: World['person'] = (docker, environment = {}) =>
    new Shell(docker, { DOCKER_HOST: engine.host, DOCKER_BUILDKIT: '0', ...environment });
  const logIn = async (shell: Shell, name: keyof typeof PASSWORDS) => {
    await succeed(shell, `echo '${PASSWORDS[name]}' | docker login --username ${name} --password-stdin ${server.host}`);
    return shell;
  };

  const base = `${server.host}/library/busybox:latest`;
  const publisher = await logIn(person([path]), 'library');
  await importBusybox(engine, path, base);
  const passphrases = ['ROOT', 'REPOSITORY'].map(
    (key) => `DOCKER_CONTENT_TRUST_${key}_PASSPHRASE='${BASE_PASSPHRASE}'`,
  );
  await succeed(publisher, `DOCKER_CONTENT_TRUST=1 ${passphrases.join(' ')} docker push ${base}`);
  const baseDigest = await engineDigest(publisher, base);

  return {
    engine,
    server,
    person,
    loggedIn: (shell) => logIn(shell, 'alice'),
    lessonFor: (alice) => ({
      alice,
      password: PASSWORDS.alice,
      registry: server.host,
      repository: `${server.host}/alice/dct-test`,
      base,
      baseDigest,
    }),
    stop: async () => {
      await engine.stop();
      await server.stop();
    },
  };
}
