import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SQL } from 'bun';
import { atEnd } from './cleanup.ts';
import { endChild } from './end.ts';
import { run } from './run.ts';
import { temporaryFolder } from './temp.ts';

const READY_MS = 30_000;
/** Debian's user and group without any files. Database servers refuse to run as root. */
const NO_ONE = 65_534;

/** A running database server with its own data. */
export interface DatabaseServer {
  readonly dialect: 'postgres' | 'mysql';
  readonly port: number;
  /**
   * Creates an empty database and a user, both with this name. Returns the URL with which the user has all rights in
   * it.
   */
  makeDatabase(name?: string): Promise<string>;
  /** Creates a user with these rights on all present tables of the database at `url`. Returns its URL. */
  makeUser(url: string, rights: string): Promise<string>;
  /** Changes a setting of the whole server, with the value written as in SQL, for new connections. */
  setGlobal(name: string, value: string): Promise<void>;
  /** Returns what the server has logged so far. */
  log(): string;
  stop(): Promise<void>;
  /** Ends it like `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`, on the same port with the same data. */
  start(): Promise<void>;
}

/** The certificate and key of a database server with TLS, both in PEM format. */
export interface DatabaseServerOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** What differs between the two kinds of database server. */
export interface DatabaseProgram extends Pick<DatabaseServer, 'dialect' | 'port'> {
  /** Made by `databaseFolder`. */
  readonly folder: string;
  /** The command that starts the server. */
  readonly command: readonly string[];
  /** The signal that shuts it down at once and cleanly, even if clients are connected. */
  readonly endSignal: 'SIGINT' | 'SIGTERM';
  /** The administrator's URL for a database. Without one, for no database or for the one that always exists. */
  administrator(database?: string): string;
  /** Statements that create a user and a database owned by it. */
  creation(name: string, password: string): readonly string[];
  /** Statements that create a user with these rights on the tables of a database. */
  userCreation(name: string, password: string, database: string, rights: string): readonly string[];
  /** Statements that change a setting of the server. */
  globalSetting(name: string, value: string): readonly string[];
}

/** Creates an empty folder owned by the user who runs databases. */
export function databaseFolder(): string {
  const folder = temporaryFolder();
  own(folder);
  return folder;
}

/** Makes the user who runs databases the owner of a file or folder. */
export function own(path: string): void {
  if (isRoot()) chownSync(path, NO_ONE, NO_ONE);
}

/** Runs a command as the user who runs databases. Throws with its output if it fails. */
export async function mustRun(command: readonly string[], folder: string): Promise<void> {
  const outcome = await run(unprivileged(command), { cwd: folder, env: environment(folder) });
  if (outcome.exitCode !== 0) throw new Error(`${outcome.command} failed:\n${outcome.stdout}${outcome.stderr}`);
}

/**
 * Starts the server and waits until it answers. It is stopped at the latest when the tests of this process have ended.
 */
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

/** Runs statements one after the other, and returns the rows of the last one. */
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

/** The name of the database in a URL. */
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
