import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SQL } from 'bun';
import { atEnd } from './cleanup.ts';
import { endChild } from './end.ts';
import { run } from './run.ts';
import { temporaryFolder } from './temp.ts';

const READY_MS = 30_000;
/** Debian's user and group that own nothing: databases refuse to run as root. */
const NO_ONE = 65_534;

/** A running database server with data of its own. */
export interface DatabaseServer {
  readonly dialect: 'postgres' | 'mysql';
  readonly port: number;
  /** Makes an empty database and a user, both of this name, and returns the URL with which the user may do all in it. */
  makeDatabase(name?: string): Promise<string>;
  /** Makes a user who may do in the database of `url` what `rights` says, in all its present tables; returns its URL. */
  makeUser(url: string, rights: string): Promise<string>;
  /** Changes a setting of the whole server, whose value is written as in SQL, for connections that are made from now on. */
  setGlobal(name: string, value: string): Promise<void>;
  /** What the server has logged up to now. */
  log(): string;
  stop(): Promise<void>;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`, on the same port with the same data. */
  start(): Promise<void>;
}

/** The certificate and key, both PEM, with which a database server speaks TLS. */
export interface DatabaseServerOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** What differs between the two kinds of database server. */
export interface DatabaseProgram extends Pick<DatabaseServer, 'dialect' | 'port'> {
  /** Made by `databaseFolder`. */
  readonly folder: string;
  /** Starts the server. */
  readonly command: readonly string[];
  /** Shuts it down at once and cleanly, even if clients are connected. */
  readonly endSignal: 'SIGINT' | 'SIGTERM';
  /** The administrator's URL for a database; without one, for none or for the one that always exists. */
  administrator(database?: string): string;
  /** Statements that make a user and a database that is the user's. */
  creation(name: string, password: string): readonly string[];
  /** Statements that make a user with these rights in the tables of a database. */
  userCreation(name: string, password: string, database: string, rights: string): readonly string[];
  /** Statements that change a setting of the server. */
  globalSetting(name: string, value: string): readonly string[];
}

/** An empty folder that belongs to the user who runs databases. */
export function databaseFolder(): string {
  const folder = temporaryFolder();
  own(folder);
  return folder;
}

/** Gives a file or folder to the user who runs databases. */
export function own(path: string): void {
  if (isRoot()) chownSync(path, NO_ONE, NO_ONE);
}

/** Runs a command as the user who runs databases. Throws with what it said when it fails. */
export async function mustRun(command: readonly string[], folder: string): Promise<void> {
  const outcome = await run(unprivileged(command), { cwd: folder, env: environment(folder) });
  if (outcome.exitCode !== 0) throw new Error(`${outcome.command} failed:\n${outcome.stdout}${outcome.stderr}`);
}

/** Starts it and waits until it answers. It stops at the latest when the tests of this process have ended. */
export async function startDatabaseServer(program: DatabaseProgram): Promise<DatabaseServer> {
  const { dialect, port, folder } = program;
  const logFile = join(folder, 'log');
  const log = () => readFileSync(logFile, 'utf8');
  let child: Bun.Subprocess | undefined;

  const stop = async () => {
    const stopping = child;
    child = undefined;
    if (stopping !== undefined) await endChild(stopping, undefined, program.endSignal);
  };
  const kill = async () => {
    const killed = child;
    child = undefined;
    killed?.kill('SIGKILL');
    await killed?.exited;
  };
  const start = async () => {
    const output = openSync(logFile, 'a');
    const stdio = ['ignore', output, output] as const;
    child = Bun.spawn(unprivileged(program.command), { cwd: folder, env: environment(folder), stdio: [...stdio] });
    closeSync(output);
    const deadline = performance.now() + READY_MS;
    while (!(await answers(program.administrator()))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`the database server did not start (exit ${child.exitCode}):\n${log()}`);
      }
      await Bun.sleep(20);
    }
  };
  atEnd(stop);
  await start();

  const urlOf = (name: string, password: string, database: string) => {
    const url = new URL(program.administrator(database));
    Object.assign(url, { username: name, password });
    return url.href;
  };
  return {
    dialect,
    port,
    makeDatabase: async (name = uniqueName()) => {
      const password = randomBytes(8).toString('hex');
      await execute(program.administrator(), ...program.creation(name, password));
      return urlOf(name, password, name);
    },
    makeUser: async (url, rights) => {
      const [name, password, database] = [uniqueName(), randomBytes(8).toString('hex'), databaseOf(url)];
      await execute(program.administrator(database), ...program.userCreation(name, password, database, rights));
      return urlOf(name, password, database);
    },
    setGlobal: async (name, value) => {
      await execute(program.administrator(), ...program.globalSetting(name, value));
    },
    log,
    stop,
    kill,
    start,
  };
}

/** Runs statements, one after the other, and returns the rows of the last one. */
export async function execute(url: string, ...statements: readonly string[]): Promise<Record<string, unknown>[]> {
  const sql = new SQL(url, { max: 1 });
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = await sql.unsafe(statement);
    return [...rows];
  } finally {
    await sql.close();
  }
}

/** The name of the database of a URL. */
function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

function uniqueName(): string {
  return `t${randomBytes(6).toString('hex')}`;
}

function unprivileged(command: readonly string[]): string[] {
  if (!isRoot()) return [...command];
  return ['setpriv', `--reuid=${NO_ONE}`, `--regid=${NO_ONE}`, '--clear-groups', ...command];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function environment(folder: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', TMPDIR: folder, HOME: folder, LC_ALL: 'C.UTF-8' };
}

async function answers(url: string): Promise<boolean> {
  const sql = new SQL(url, { max: 1 });
  try {
    await sql.unsafe('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await sql.close();
  }
}
