import { join } from 'node:path';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { type Login, wipe } from '../../core/login.ts';
import { DOCKER_HUB } from '../../core/names/reference.ts';
import { AUTH_VARIABLE } from '../../store/credentials.ts';
import { checkHost } from '../../trust/settings/configuration.ts';
import type { Command, ParsedCommand } from '../line/declaration.ts';
import type { Session } from '../session.ts';

type LoginCommand = Command<Session, number | undefined>;

export const LOGIN: LoginCommand = {
  path: 'login',
  summary: 'Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.',
  args: [{ name: 'SERVER', takes: 'registry', isOptional: true }],
  flags: [
    { name: 'password', short: 'p', type: 'value', about: 'Password or Personal Access Token (PAT)' },
    // Docker breaks the line at this point.
    { name: 'password-stdin', type: 'switch', about: 'Take the Password or Personal Access Token\n(PAT) from stdin' },
    { name: 'username', short: 'u', type: 'value', about: 'Username' },
  ],
  run: login,
};

export const LOGOUT: LoginCommand = {
  path: 'logout',
  summary: 'Log out from a registry.\nIf no server is specified, the default is defined by the daemon.',
  args: [{ name: 'SERVER', takes: 'registry', isOptional: true }],
  flags: [],
  run: logout,
};

/** Docker's warning about passwords in its configuration file. */
const unencrypted = (path: string) => `
WARNING! Your credentials are stored unencrypted in '${path}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

`;
const LOGGED_IN_ALREADY =
  "\n Info -> To login with a different account, run 'docker logout' followed by 'docker login'\n\n\n";

/**
 * `docker login`: checks user name and password with the registry itself and stores them where docker does. Returns
 * undefined for Docker Hub, whose browser login is left to docker.
 */
async function login(session: Session, parsed: ParsedCommand): Promise<number | undefined> {
  const registry = registryOf(session, parsed.args[0]);
  if (registry === DOCKER_HUB) return undefined;
  const given = { username: parsed.value('username')?.trim(), password: parsed.value('password') };
  checkGiven(given, parsed.has('password-stdin'));
  if (given.password !== undefined)
    session.printError('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
  warnOfVariable(session);
  const isAsked = given.username === undefined && given.password === undefined;
  const known = isAsked ? await loginAgain(session, registry) : undefined;
  if (known === 'accepted') return 0;
  const fresh = await askLogin(session, parsed.has('password-stdin'), given, known);
  try {
    await store(session, registry, fresh, await check(session, registry, fresh));
  } finally {
    wipe(fresh);
  }
  session.print('Login Succeeded\n');
  return 0;
}

/** `docker logout`. Returns undefined for Docker Hub. */
async function logout(session: Session, parsed: ParsedCommand): Promise<number | undefined> {
  const registry = registryOf(session, parsed.args[0]);
  if (registry === DOCKER_HUB) return undefined;
  warnOfVariable(session);
  session.print(`Removing login credentials for ${registry}\n`);
  await session.credentials.erase(registry);
  return 0;
}

/** Docker 29's warning about logins in the environment. */
function warnOfVariable(session: Session): void {
  if (!session.env[AUTH_VARIABLE]) return;
  const lines = [
    `${AUTH_VARIABLE} is set and takes precedence.`,
    `Unset ${AUTH_VARIABLE} to restore the CLI auth behaviour.`,
  ];
  session.printError(`\n Warn -> ${lines.join(`\n${' '.repeat(9)}`)}\n${' '.repeat(9)}\n`);
}

interface Given {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

function checkGiven({ username, password }: Given, fromStdin: boolean): void {
  const refuse = (message: string) => new SignetError('usage', message);
  if (password !== undefined && fromStdin)
    throw refuse('conflicting options: cannot specify both --password and --password-stdin');
  if (username === '') throw refuse('username is empty');
  if (fromStdin && username === undefined) throw refuse('the --password-stdin option requires --username to be set');
  if (password === '') throw refuse('password is empty');
}

function registryOf(session: Session, typed: string | undefined): string {
  if (typed === undefined || typed === '') return session.configuration.defaultRegistry ?? DOCKER_HUB;
  const host = typed.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return host === DOCKER_HUB || host === 'index.docker.io' || host === 'registry-1.docker.io'
    ? DOCKER_HUB
    : checkHost(host);
}

/** Tries a login. A refusal is worded the way registries word it, whichever part of the registry refused. */
async function check(session: Session, registry: string, login: Login): Promise<Buffer | undefined> {
  try {
    return await session.checkLogin(registry, login);
  } catch (cause) {
    if (!isSignetError(cause, 'unauthorized')) throw cause;
    const next = 'Check the user name and the password.';
    throw cause.reworded('unauthorized: incorrect username or password', { next });
  }
}

/** Tries the stored login, as docker does before it asks. Returns its user name if it is refused. */
async function loginAgain(session: Session, registry: string): Promise<'accepted' | { username: string } | undefined> {
  const known = await session.credentials.find(registry);
  if (known === undefined) return undefined;
  const { username } = known;
  session.printError(
    `Authenticating with existing credentials...${username === '' ? '' : ` [Username: ${username}]`}\n${LOGGED_IN_ALREADY}`,
  );
  try {
    const identityToken = await check(session, registry, known);
    await store(session, registry, known, identityToken ?? known.identityToken);
  } catch (error) {
    if (!isSignetError(error, 'unauthorized')) throw error;
    const origin = known.source === undefined ? '' : ` (they come from ${known.source})`;
    session.printError(`Stored credentials invalid or expired${origin}\n`);
    return { username };
  } finally {
    wipe(known);
  }
  session.print('Login Succeeded\n');
  return 'accepted';
}

async function askLogin(
  session: Session,
  fromStdin: boolean,
  given: Given,
  known: { readonly username: string } | undefined,
): Promise<Login> {
  const piped = fromStdin ? await session.readSecret() : Buffer.from(given.password ?? '');
  if (given.username !== undefined && piped.length > 0)
    return { username: given.username, password: piped, identityToken: undefined };
  const refuse = (message: string) => new SignetError('usage', `Error: ${message}`);
  if (!session.isInteractive) throw refuse('Cannot perform an interactive login from a non TTY device');
  const username = given.username ?? (await askUsername(session, known?.username ?? ''));
  if (username === '') throw refuse('Non-null Username Required');
  const password = piped.length > 0 ? piped : await session.askHidden('Password: ');
  if (password.length === 0) throw refuse('Password Required');
  return { username, password, identityToken: undefined };
}

async function askUsername(session: Session, known: string): Promise<string> {
  const typed = (await session.askLine(known === '' ? 'Username: ' : `Username (${known}): `)).trim();
  return typed || known;
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
  if ('file' in place && password.length > 0) session.printError(unencrypted(join(session.folder, place.file)));
}
