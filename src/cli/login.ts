import { join } from 'node:path';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import { type Login, wipe } from '../core/login.ts';
import { DOCKER_HUB } from '../core/names/reference.ts';
import { checkHost } from '../trust/configuration.ts';
import { type CommandSpec, parseCommand } from './command.ts';
import type { Session } from './session.ts';

export const LOGIN: CommandSpec = {
  path: 'login',
  usage: '[OPTIONS] [SERVER]',
  summary: 'Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.',
  flags: [
    { name: 'password', short: 'p', kind: 'value' },
    { name: 'password-stdin', kind: 'switch' },
    { name: 'username', short: 'u', kind: 'value' },
  ],
  options: `  -p, --password string   Password or Personal Access Token (PAT)
      --password-stdin    Take the Password or Personal Access Token
                          (PAT) from stdin
  -u, --username string   Username`,
  minArguments: 0,
  maxArguments: 1,
};

export const LOGOUT: CommandSpec = {
  path: 'logout',
  usage: '[SERVER]',
  summary: 'Log out from a registry.\nIf no server is specified, the default is defined by the daemon.',
  flags: [],
  minArguments: 0,
  maxArguments: 1,
};

/** Docker's own words for its configuration file as the place of secrets. */
const unencrypted = (path: string) => `
WARNING! Your credentials are stored unencrypted in '${path}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

`;

/**
 * `docker login`: checks user name and password at the registry itself and stores them where docker does.
 * `undefined` for Docker Hub, whose login in a browser is docker's own business.
 */
export async function login(session: Session, words: readonly string[]): Promise<number | undefined> {
  const parsed = parseCommand(LOGIN, words);
  const registry = registryOf(session, parsed.args[0]);
  if (registry === DOCKER_HUB) return undefined;
  const given = { username: parsed.value('username'), password: parsed.value('password') };
  if (given.password !== undefined) {
    session.printError('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    if (parsed.has('password-stdin'))
      throw new SignetError('usage', '--password and --password-stdin are mutually exclusive');
  }
  if (parsed.has('password-stdin') && !given.username)
    throw new SignetError('usage', 'the --password-stdin option requires --username to be set');
  const isAsked = given.username === undefined && given.password === undefined;
  if (isAsked && (await loginAgain(session, registry))) return 0;
  const fresh = await askLogin(session, parsed.has('password-stdin'), given);
  try {
    await store(session, registry, fresh, await check(session, registry, fresh));
  } finally {
    wipe(fresh);
  }
  session.print('Login Succeeded\n');
  return 0;
}

/** `docker logout`. `undefined` for Docker Hub. */
export async function logout(session: Session, words: readonly string[]): Promise<number | undefined> {
  const parsed = parseCommand(LOGOUT, words);
  const registry = registryOf(session, parsed.args[0]);
  if (registry === DOCKER_HUB) return undefined;
  session.print(`Removing login credentials for ${registry}\n`);
  const isKnown = await session.credentials.erase(registry);
  if (!isKnown) session.printError(`not logged in to ${registry}\n`);
  return 0;
}

function registryOf(session: Session, typed: string | undefined): string {
  if (typed === undefined || typed === '') return session.configuration.defaultRegistry ?? DOCKER_HUB;
  const host = typed.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return host === DOCKER_HUB || host === 'index.docker.io' || host === 'registry-1.docker.io'
    ? DOCKER_HUB
    : checkHost(host);
}

async function check(session: Session, registry: string, login: Login): Promise<Buffer | undefined> {
  try {
    return await session.checkLogin(registry, login);
  } catch (cause) {
    if (!isSignetError(cause, 'unauthorized')) throw cause;
    throw new SignetError(cause.code, cause.message, { cause, next: 'Check the user name and the password.' });
  }
}

/** Tries the login that is stored, as docker does before it asks; false where there is none, or it is refused. */
async function loginAgain(session: Session, registry: string): Promise<boolean> {
  const known = await session.credentials.find(registry);
  if (known === undefined) return false;
  session.print(
    `Authenticating with existing credentials...${known.username === '' ? '' : ` [Username: ${known.username}]`}\n`,
  );
  try {
    const identityToken = await session.checkLogin(registry, known);
    await store(session, registry, known, identityToken ?? known.identityToken);
  } catch (error) {
    if (!isSignetError(error, 'unauthorized')) throw error;
    session.printError('Login did not succeed, error: the stored credentials were refused\n');
    return false;
  } finally {
    wipe(known);
  }
  session.print('Login Succeeded\n');
  return true;
}

async function askLogin(
  session: Session,
  fromStdin: boolean,
  given: { username: string | undefined; password: string | undefined },
): Promise<Login> {
  const username = given.username ?? (await session.askLine('Username: ')).trim();
  if (username === '') throw new SignetError('usage', 'username is required');
  const password = given.password === undefined ? await readPassword(session, fromStdin) : Buffer.from(given.password);
  if (password.length === 0) throw new SignetError('usage', 'password is required');
  return { username, password, identityToken: undefined };
}

function readPassword(session: Session, fromStdin: boolean): Promise<Buffer> {
  return fromStdin ? session.readSecret() : session.askHidden('Password: ');
}

async function store(
  session: Session,
  registry: string,
  login: Login,
  identityToken: Buffer | undefined,
): Promise<void> {
  const password = identityToken === undefined ? login.password : Buffer.alloc(0);
  const place = await session.credentials.store(registry, {
    ...login,
    password,
    identityToken,
    registryToken: undefined,
  });
  identityToken?.fill(0);
  if ('file' in place) session.printError(unencrypted(join(session.folder, place.file)));
}
