import { isSignetError, SignetError } from '../errors/index.ts';
import { canonicalize, compareUtf8 } from '../json/canonical.ts';
import { Fields } from '../json/fields.ts';
import { type JsonObject, type JsonValue, parseJson } from '../json/parse.ts';
import { LIMITS } from '../limits.ts';
import { digestHex, digestOf } from '../names/digest.ts';
import { type Gun, parseGun } from '../names/gun.ts';
import { isDelegation, parseDelegation, parseRole } from '../names/role.ts';
import { printable } from '../printable.ts';
import { formatTime, parseTime } from '../time.ts';
import type { CollectionCopy, CopiedRole, ExpiredFile, RootFile, RootTrust } from './collection-copy.ts';

/** The first line of a file of copies (docs/export-format.md). */
const MAGIC = Buffer.from('Signet trust copy 1\n');
const END = /^end ([0-9a-f]{64})\n$/;
const END_LENGTH = 'end '.length + 64 + 1;
const LINE_FEED = 0x0a;
const ROOT_NAME = /^([1-9]\d{0,9})\.root$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** At most as many roots and delegations as a client follows, plus the three other files. */
const MAX_FILES = LIMITS.rootChain + LIMITS.delegations + 3;
const MAX_TEXT = 512;
const FIRST: readonly CopiedRole[] = ['timestamp', 'snapshot', 'targets'];
const MEMBERS = ['gun', 'server', 'read', 'root', 'expired', 'unsigned', 'files'];
/** The key of a pin: a GUN, or a GUN prefix with a `*` at the end. */
const PATTERN = /^[!-~]{1,256}$/;

/** A file of a collection, as listed in the header line. */
interface Part {
  /** `2.root` for a root, the role's name for any other file. */
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
}

/**
 * Writes copies as one file (docs/export-format.md). The same copies always give the same bytes. Throws `too-large`,
 * and `copy-malformed` for two copies of one GUN or a copy that the format cannot express.
 */
export function formatCopies(copies: readonly CollectionCopy[]): Buffer {
  const pieces: Uint8Array[] = [MAGIC];
  const sorted = [...copies].sort((a, b) => compareUtf8(a.gun, b.gun));
  for (const [at, copy] of sorted.entries()) {
    if (copy.gun === sorted[at - 1]?.gun) throw malformed(`${copy.gun} is in it twice`);
    const files = namedFiles(copy);
    pieces.push(canonicalize(headOf(copy, files)), Buffer.of(LINE_FEED));
    for (const [, bytes] of files) pieces.push(bytes, Buffer.of(LINE_FEED));
  }
  const length = pieces.reduce((sum, piece) => sum + piece.length, END_LENGTH);
  if (length > LIMITS.copyFile) {
    throw new SignetError('too-large', `the copies are larger than ${LIMITS.copyFile} bytes together`, {
      next: 'Write fewer repositories into one file.',
    });
  }
  const body = Buffer.concat(pieces);
  return Buffer.concat([body, Buffer.from(`end ${digestHex(digestOf(body))}\n`)]);
}

/**
 * Parses exactly what `formatCopies` writes: every byte is accounted for, and every file has the length and checksum
 * given in the header line. Does not verify the collections (`verifyCopy`). Throws `copy-malformed`.
 */
export function parseCopies(file: Buffer): readonly CollectionCopy[] {
  try {
    return new Reader(file).copies();
  } catch (cause) {
    if (!isSignetError(cause) || cause.code === 'copy-malformed') throw cause;
    throw malformed(cause.message, cause);
  }
}

class Reader {
  private readonly file: Buffer;
  private readonly end: number;
  private at = MAGIC.length;

  /** Checks magic and checksum first, so that a truncated or damaged file is not parsed any further. */
  constructor(file: Buffer) {
    if (file.length > LIMITS.copyFile) throw malformed(`it is larger than ${LIMITS.copyFile} bytes`);
    if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed('it does not begin as one');
    this.file = file;
    this.end = file.length - END_LENGTH;
    const [, sha256] = END.exec(file.toString('latin1', Math.max(this.end, MAGIC.length))) ?? [];
    if (sha256 === undefined) throw malformed('it has no end; a part of it is missing');
    if (digestHex(digestOf(file.subarray(0, this.end))) !== sha256) throw malformed('it was changed or damaged');
  }

  copies(): readonly CollectionCopy[] {
    const copies: CollectionCopy[] = [];
    while (this.at < this.end) {
      const copy = this.copy();
      const before = copies.at(-1)?.gun;
      if (before !== undefined && compareUtf8(before, copy.gun) >= 0) throw malformed(`${copy.gun} is out of order`);
      copies.push(copy);
    }
    return copies;
  }

  private copy(): CollectionCopy {
    const line = this.line();
    const head = parseJson(line);
    const fields = new Fields(head, 'a copy', MEMBERS, 'refuse');
    const gun = parseGun(fields.string('gun'));
    const parts = fields.array('files').map((entry) => readPart(gun, entry));
    if (parts.length > MAX_FILES) throw malformed(`${gun} has more than ${MAX_FILES} files`);
    const roots: RootFile[] = [];
    const files = new Map<CopiedRole, Buffer>();
    for (const part of parts) {
      const bytes = this.content(gun, part);
      const [, version] = ROOT_NAME.exec(part.name) ?? [];
      if (version === undefined) files.set(readRole(part.name), bytes);
      else roots.push({ version: Number(version), bytes });
    }
    const copy = { gun, ...readAbout(fields), roots, files };
    // Any difference in order, content or spelling shows up as a different header line.
    if (!canonicalize(headOf(copy, namedFiles(copy))).equals(line)) {
      throw malformed(`what it says of ${gun} is not in the one form that there is`);
    }
    return copy;
  }

  private line(): Buffer {
    const length = this.file.subarray(this.at, Math.min(this.at + LIMITS.copyHead, this.end)).indexOf(LINE_FEED);
    if (length < 0) throw malformed('a line is too long, or has no end');
    const line = this.file.subarray(this.at, this.at + length);
    this.at += length + 1;
    return line;
  }

  private content(gun: Gun, { name, length, sha256 }: Part): Buffer {
    const end = this.at + length;
    if (end >= this.end || this.file[end] !== LINE_FEED) throw malformed(`${name} of ${gun} is cut off`);
    const bytes = this.file.subarray(this.at, end);
    if (digestHex(digestOf(bytes)) !== sha256) throw malformed(`${name} of ${gun} does not have its checksum`);
    this.at = end + 1;
    return bytes;
  }
}

function headOf(copy: CollectionCopy, files: readonly (readonly [string, Buffer])[]): JsonObject {
  const { gun, server, readAt, verification } = copy;
  const { root, expired, unsigned } = verification;
  if (server !== undefined && server.href.length > MAX_TEXT) throw malformed('the address of its server is too long');
  return new Map<string, JsonValue>([
    ['gun', gun],
    ...(server === undefined ? [] : ([['server', server.href]] as const)),
    ['read', formatTime(readAt)],
    [
      'root',
      new Map(
        root.how === 'pinned'
          ? [
              ['trusted', root.how],
              ['pin', root.pattern],
            ]
          : [['trusted', root.how]],
      ),
    ],
    [
      'expired',
      expired.map(
        ({ role, expired: at }) =>
          new Map([
            ['role', role as string],
            ['expired', formatTime(at)],
          ]),
      ),
    ],
    ['unsigned', [...unsigned]],
    [
      'files',
      files.map(
        ([name, bytes]) =>
          new Map<string, JsonValue>([
            ['name', name],
            ['length', bytes.length],
            ['sha256', digestHex(digestOf(bytes))],
          ]),
      ),
    ],
  ]);
}

/** Names the files in their order: roots by version, the others as a client reads them, delegations by name. */
function namedFiles({ gun, roots, files }: CollectionCopy): readonly (readonly [string, Buffer])[] {
  const [oldest] = roots;
  if (oldest === undefined) throw malformed(`${gun} has no root`);
  const wrong = roots.find(({ version }, at) => version !== oldest.version + at);
  if (wrong !== undefined) throw malformed(`root ${wrong.version} of ${gun} does not follow the one before it`);
  const first = FIRST.map((role) => {
    if (!files.has(role)) throw malformed(`${gun} has no ${role}`);
    return role;
  });
  const roles = [...first, ...[...files.keys()].filter(isDelegation).sort(compareUtf8)];
  return [
    ...roots.map(({ version, bytes }) => [`${version}.root`, bytes] as const),
    ...roles.map((role) => [role, files.get(role) ?? Buffer.of()] as const),
  ];
}

function readPart(gun: Gun, entry: JsonValue): Part {
  const fields = new Fields(entry, `a file of ${gun}`, ['name', 'length', 'sha256'], 'refuse');
  const part = { name: fields.string('name'), length: fields.integer('length'), sha256: fields.string('sha256') };
  const limit = part.name === 'timestamp' ? LIMITS.timestamp : LIMITS.metadata;
  if (part.length < 0 || part.length > limit)
    throw malformed(`${printable(part.name)} of ${gun} has no possible length`);
  if (!SHA256.test(part.sha256)) throw malformed(`${printable(part.name)} of ${gun} has no possible checksum`);
  return part;
}

function readRole(name: string): CopiedRole {
  const role = parseRole(name);
  if (role === 'root') throw malformed('a root has no version');
  return role;
}

function readAbout(fields: Fields): Pick<CollectionCopy, 'server' | 'readAt' | 'verification'> {
  const server = fields.optionalString('server');
  return {
    server: server === undefined ? undefined : readServer(server),
    readAt: parseTime(fields.string('read')),
    verification: {
      root: readTrust(fields.raw('root')),
      expired: fields.array('expired').map(readExpired),
      unsigned: fields.strings('unsigned').map(parseDelegation),
    },
  };
}

function readServer(text: string): URL {
  const url = text.length <= MAX_TEXT && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) throw malformed('its server has no address');
  return url;
}

function readTrust(value: JsonValue | undefined): RootTrust {
  const fields = new Fields(value, 'the trust in a root', ['trusted', 'pin'], 'refuse');
  const how = fields.string('trusted');
  const pattern = fields.optionalString('pin');
  if (how === 'pinned' && pattern !== undefined && PATTERN.test(pattern)) return { how, pattern };
  if ((how === 'known' || how === 'first-use') && pattern === undefined) return { how };
  throw malformed(`it does not say how its root came to be trusted`);
}

function readExpired(value: JsonValue): ExpiredFile {
  const fields = new Fields(value, 'an expired file', ['role', 'expired'], 'refuse');
  return { role: parseRole(fields.string('role')), expired: parseTime(fields.string('expired')) };
}

function malformed(why: string, cause?: unknown): SignetError {
  return new SignetError('copy-malformed', `this is not a valid copy of trust data: ${why}`, { cause });
}
