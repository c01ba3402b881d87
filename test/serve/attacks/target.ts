import { Database } from 'bun:sqlite';
import { expect } from 'bun:test';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../../../src/serve/data/data-folder.ts';
import { type ServeOptions, type SignetServer, startSignet } from '../../support/signet-server.ts';
import { Victim } from './victim.ts';

/** How much a server's memory may grow under an attack, in bytes: what it needs to work, and its garbage. */
export const LITTLE_MEMORY = 150 * 2 ** 20;
/** Rounds of work before memory is looked at: code that runs often is compiled. */
const WARM_UP = 20;
export const PASSWORDS = { alice: 'alice keeps her own counsel', mallory: 'mallory has a login too' } as const;
export type Name = keyof typeof PASSWORDS;

/** What the server keeps: by table, and by path of each blob, a digest of the content. */
export type Stored = Readonly<Record<string, string>>;

/** Tables that change without an attack: what somebody began, or logged in with or from, and what was logged. */
const PASSING = /^(?:sqlite_|registry_uploads$|.*refresh_tokens$|login_networks$|account_events$)/;

/** A `signet serve` under attack, with alice, who works on it all the time, and mallory, who has an account as well. */
export class Target {
  readonly server: SignetServer;
  readonly port: number;
  readonly ca: string;
  readonly victim: Victim;
  private readonly pid: number;

  private constructor(server: SignetServer) {
    this.server = server;
    this.port = Number(server.host.split(':')[1]);
    this.ca = readFileSync(server.authority, 'utf8');
    this.victim = new Victim(this);
    this.pid = holderOf(dataFolder(server.data).holder);
  }

  static async start(options: ServeOptions = {}): Promise<Target> {
    const server = await startSignet(options);
    for (const [name, password] of Object.entries(PASSWORDS)) await server.addUser(name, password);
    const target = new Target(server);
    await target.victim.settle();
    for (let round = 0; round < WARM_UP; round++) await target.victim.work(() => true);
    return target;
  }

  /** The GUN of a repository of this server. */
  gun(path: string): string {
    return `${this.server.host}/${path}`;
  }

  fetch(path: string, init: BunFetchRequestInit = {}): Promise<Response> {
    return fetch(`${this.server.origin}${path}`, { redirect: 'manual', ...init, tls: { ca: this.ca } });
  }

  /** An access token; `scopes` such as `repository:alice/app:pull`. */
  async token(name: Name, ...scopes: readonly string[]): Promise<string> {
    const query = new URLSearchParams({ service: 'signet' });
    for (const scope of scopes) query.append('scope', scope);
    const response = await this.fetch(`/auth/token?${query}`, { headers: basic(name, PASSWORDS[name]) });
    expect(response.status).toBe(200);
    return ((await response.json()) as { token: string }).token;
  }

  async bearer(name: Name, ...scopes: readonly string[]): Promise<{ Authorization: string }> {
    return { Authorization: `Bearer ${await this.token(name, ...scopes)}` };
  }

  /** Everything that the server keeps, but for the collection that alice publishes to while it is attacked. */
  stored(): Stored {
    const folder = dataFolder(this.server.data);
    return { ...storedRows(folder.database, this.victim.busyGun), ...storedFiles(join(folder.blobs, 'blobs')) };
  }

  /**
   * Attacks while alice pulls and publishes, again and again: all that she does works, and in the end the server
   * keeps what it kept before and has not grown.
   */
  async withstands(attack: () => Promise<void>, memory = LITTLE_MEMORY): Promise<void> {
    const before = this.stored();
    const grown = await this.growth(async () => {
      let over = false;
      const attacked = attack().finally(() => {
        over = true;
      });
      const worked = this.victim.work(() => over);
      await Promise.all([attacked, worked]);
    });
    expect(this.stored()).toEqual(before);
    expect(grown).toBeLessThan(memory);
    await this.victim.work(() => true);
  }

  /** By how much the server's memory grew at the most while `work` ran, in bytes. */
  private async growth(work: () => Promise<void>): Promise<number> {
    const resetPeak = '5';
    writeFileSync(`/proc/${this.pid}/clear_refs`, resetPeak);
    const before = this.memory('VmRSS');
    await work();
    return this.memory('VmHWM') - before;
  }

  private memory(field: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  }
}

export function basic(name: string, password: string): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

/** The process that serves from a data folder. */
export function holderOf(file: string): number {
  return Number.parseInt(readFileSync(file, 'latin1'), 10);
}

function storedRows(path: string, except: string): Stored {
  const database = new Database(path, { readonly: true });
  try {
    const names = database.query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    const kept = names.map(({ name }) => name).filter((name) => !PASSING.test(name));
    return Object.fromEntries(kept.map((name) => [name, digestOfRows(database, name, except)]));
  } finally {
    database.close();
  }
}

function digestOfRows(database: Database, table: string, except: string): string {
  const hash = createHash('sha256');
  for (const row of database.query<Record<string, unknown>, []>(`SELECT * FROM ${table}`).iterate()) {
    if (row.gun === except) continue;
    for (const value of Object.values(row)) hash.update(value instanceof Uint8Array ? value : `${value}\n`);
  }
  return hash.digest('hex');
}

function storedFiles(folder: string): Stored {
  const names = (readdirSync(folder, { recursive: true }) as string[]).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );
}
