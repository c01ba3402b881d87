import { createHash } from 'node:crypto';
import { form } from '../notary/fixture.ts';
import type { Login, TrustService } from './notary-client.ts';

/** The members of a trust file's payload that tests look at. */
interface Payload {
  readonly version: number;
  readonly keys: Readonly<Record<string, { readonly keytype: string; readonly keyval: { readonly public: string } }>>;
  readonly roles: Readonly<Record<string, { readonly keyids: readonly string[]; readonly threshold: number }>>;
  readonly targets: Readonly<Record<string, TargetEntry>>;
  readonly delegations: { readonly roles: readonly Delegation[] | null };
  readonly meta: Readonly<Record<string, FileEntry>>;
}

interface FileEntry {
  readonly length: number;
  readonly hashes: Readonly<Record<string, string>>;
}

interface TargetEntry extends FileEntry {
  readonly custom?: unknown;
}

interface Delegation {
  readonly name: string;
  readonly keyids: readonly string[];
  readonly threshold: number;
  readonly paths: readonly string[] | null;
}

interface TrustFile {
  readonly signed: Payload;
  readonly signatures: readonly { readonly keyid: string; readonly method: string }[];
}

/**
 * A collection on a trust server at one time, read as clients do: the timestamp, and then by checksum. Every file has
 * the listed length and checksums.
 */
export class Published {
  private readonly files: ReadonlyMap<string, TrustFile>;

  constructor(files: ReadonlyMap<string, TrustFile>) {
    this.files = files;
  }

  /** The version of every file. */
  get versions(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.files].map(([role, { signed }]) => [role, signed.version]));
  }

  payload(role: string): Payload {
    return this.file(role).signed;
  }

  /** The targets of a role: sizes by name. */
  sizes(role = 'targets'): Readonly<Record<string, number>> {
    const entries = Object.entries(this.payload(role).targets);
    return Object.fromEntries(entries.map(([name, { length }]) => [name, length]));
  }

  /** The IDs of the keys of a base role, according to the root. */
  keysOf(role: string): readonly string[] {
    return this.payload('root').roles[role]?.keyids ?? [];
  }

  /** The IDs of the keys that signed a file. */
  signersOf(role: string): readonly string[] {
    return this.file(role).signatures.map(({ keyid }) => keyid);
  }

  /** The delegations of a role: keys, threshold and paths by name. */
  delegationsOf(role = 'targets'): Readonly<Record<string, Omit<Delegation, 'name'>>> {
    const roles = this.payload(role).delegations.roles ?? [];
    return Object.fromEntries(roles.map(({ name, ...rest }) => [name, rest]));
  }

  private file(role: string): TrustFile {
    const found = this.files.get(role);
    if (found === undefined) throw new Error(`the server has no ${role}`);
    return found;
  }
}

/** A trust server's data for a GUN; undefined if there is none. Throws if its files do not belong together. */
export async function published(service: TrustService, gun: string, login?: Login): Promise<Published | undefined> {
  const headers = login === undefined ? {} : await accessHeaders(service, gun, login, 'pull');
  return readPublished(service, gun, headers);
}

/** The same for a caller with the headers of `accessHeaders`. */
export async function readPublished(
  service: TrustService,
  gun: string,
  headers: Readonly<Record<string, string>>,
): Promise<Published | undefined> {
  const get = (name: string) => readTrustFile(service, gun, name, headers);
  const timestamp = await get('timestamp.json');
  if (timestamp === undefined) return undefined;
  const files = new Map([['timestamp', parsed(timestamp)]]);
  const follow = async (role: string, entry: FileEntry | undefined) => {
    const sha256 = Buffer.from(entry?.hashes.sha256 ?? '', 'base64').toString('hex');
    const bytes = await get(`${role}.${sha256}.json`);
    if (entry === undefined || bytes === undefined) throw new Error(`${role} ${sha256} of ${gun} is not there`);
    checkFile(role, bytes, entry);
    files.set(role, parsed(bytes));
  };
  await follow('snapshot', files.get('timestamp')?.signed.meta.snapshot);
  const listed = Object.entries(files.get('snapshot')?.signed.meta ?? {});
  await Promise.all(listed.map(([role, entry]) => follow(role, entry)));
  return new Published(files);
}

/** One file by its name on the server (`timestamp.json`, `2.root.json`); undefined if it does not exist. */
export async function readTrustFile(
  service: TrustService,
  gun: string,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Buffer | undefined> {
  const tls = { ca: Bun.file(service.authority) };
  const response = await fetch(`${service.origin}/v2/${gun}/_trust/tuf/${name}`, { headers, tls });
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw new Error(`${name} of ${gun}: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Publishes files as Go's client does, in one request. */
export async function postTrustFiles(
  service: TrustService,
  gun: string,
  files: readonly (readonly [role: string, content: Uint8Array])[],
  access: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const { body, headers } = form(files);
  const tls = { ca: Bun.file(service.authority) };
  const url = `${service.origin}/v2/${gun}/_trust/tuf/`;
  const response = await fetch(url, { method: 'POST', body, headers: { ...access, ...headers }, tls });
  return { status: response.status, text: await response.text() };
}

/** Headers with an access token of Signet's own token service; `actions` are separated by commas. */
export async function accessHeaders(
  service: TrustService,
  name: string,
  login: Login,
  actions: string,
): Promise<Record<string, string>> {
  const query = new URLSearchParams({ service: 'signet', scope: `repository:${name}:${actions}` });
  const headers = { authorization: `Basic ${Buffer.from(`${login.name}:${login.password}`).toString('base64')}` };
  const tls = { ca: Bun.file(service.authority) };
  const response = await fetch(`${service.origin}/auth/token?${query}`, { headers, tls });
  const { token } = (await response.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}

function parsed(bytes: Buffer): TrustFile {
  return JSON.parse(bytes.toString()) as TrustFile;
}

function checkFile(role: string, bytes: Buffer, { length, hashes }: FileEntry): void {
  const wrong = Object.entries(hashes).find(
    ([algorithm, expected]) => createHash(algorithm).update(bytes).digest('base64') !== expected,
  );
  if (wrong !== undefined || bytes.length !== length) throw new Error(`${role} is not the promised file`);
}
