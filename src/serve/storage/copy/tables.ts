/** How a column is stored, in SQLite and in a database server. */
export type ColumnKind =
  | 'text'
  | 'integer'
  | 'bytes'
  /** Bytes in SQLite, hexadecimal digits in a database server. */
  | 'hash'
  /** Milliseconds since 1970 in SQLite, a time column of Notary's in a database server, in MySQL with whole seconds. */
  | 'time'
  /** Text that Notary pads with blanks, or leaves null. */
  | 'padded';

interface Column {
  readonly kind: ColumnKind;
  /** Its names in SQLite and in a database server. */
  readonly names: readonly [sqlite: string, sql: string];
}

/** A table that exists in both kinds of database. */
export interface CopiedTable {
  /** Its content, described for people. */
  readonly what: string;
  readonly names: readonly [sqlite: string, sql: string];
  readonly columns: readonly Column[];
  /** Columns that order the rows and identify each row. */
  readonly key: readonly Column[];
  /** Whether the database generates its `id`, and must never reuse one. */
  readonly hasGeneratedId: boolean;
  /** Whether the table is Notary's in a database server. */
  readonly isNotarys: boolean;
  /** Columns that only database servers have. */
  readonly derived: readonly DerivedColumn[];
}

type CopiedValue = string | number | Buffer | null;

interface DerivedColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** The SQLite column that it is derived from, and how. */
  readonly from: string;
  derive(value: CopiedValue): CopiedValue;
}

/** Everything that a server keeps in its database. A table comes after the tables that it refers to. */
export const COPIED_TABLES: readonly CopiedTable[] = [
  table('trust data', 'tuf_files', 'id created_at:time gun role version:integer sha256:padded data:bytes', 'id', {
    isNotarys: true,
    derived: [{ name: 'updated_at', kind: 'time', from: 'created_at', derive: (time) => time }],
  }),
  table('changes of trust data', 'changefeed', 'id created_at:time gun version:integer sha256:padded category', 'id', {
    isNotarys: true,
  }),
  table(
    'online keys',
    'online_keys',
    'key_id created_at:integer last_used:integer gun role algorithm public=public_key:bytes private=private_key:bytes',
    'key_id',
    {
      derived: [{ name: 'pending', kind: 'integer', from: 'last_used', derive: (time) => (time === null ? 1 : null) }],
    },
  ),
  table('proposals', 'proposals', 'gun put_at:integer put_by sha256 data:bytes', 'gun'),
  table(
    'users',
    'users',
    'name password_hash admin:integer disabled:integer stamp created:integer updated:integer',
    'name',
  ),
  table('grants', 'grants', 'user=user_name pattern level', 'user pattern'),
  table('logins', 'refresh_tokens', 'id hash:hash user=user_name expires:integer', 'id'),
  table('networks of logins', 'login_networks', 'user=user_name network:hash used:integer', 'user network'),
  table(
    'changes of accounts',
    'account_events',
    'id at:integer actor address action user=user_name detail logged:integer',
    'id',
  ),
  table('repositories', 'registry_repositories', 'id name', 'id'),
  table('blobs', 'registry_blobs', 'id digest size:integer announced:integer', 'id'),
  table(
    'blobs of repositories',
    'registry_links',
    'repository:integer blob=blob_id:integer seen:integer',
    'repository blob',
  ),
  table(
    'manifests',
    'registry_manifests',
    'id repository:integer digest media_type bytes:bytes seen:integer subject artifact_type descriptor',
    'id',
  ),
  table('references', 'registry_references', 'manifest:integer repository:integer digest', 'manifest digest'),
  table('tags', 'registry_tags', 'repository:integer name manifest:integer', 'repository name'),
  table('uploads', 'registry_uploads', 'uuid repository started:integer', 'uuid'),
  table('times of jobs', 'jobs', 'name ended:integer', 'name'),
];

/**
 * Columns are written `name`, `name=name-in-a-server` or `name:kind`. Without a kind, `id` is a number and any other
 * column is text.
 */
function table(
  what: string,
  name: string,
  columns: string,
  key: string,
  more: Partial<Pick<CopiedTable, 'isNotarys' | 'derived'>> = {},
): CopiedTable {
  const all = columns.split(' ').map(column);
  const isNotarys = more.isNotarys ?? false;
  return {
    what,
    names: [name, isNotarys ? name : `signet_${name}`],
    columns: all,
    key: key.split(' ').map((wanted) => {
      const found = all.find(({ names }) => names[0] === wanted);
      if (found === undefined) throw new Error(`${name} has no column ${wanted}`);
      return found;
    }),
    hasGeneratedId: all.some(({ names }) => names[0] === 'id'),
    derived: more.derived ?? [],
    isNotarys,
  };
}

function column(text: string): Column {
  const [, sqlite = '', sql, kind] = /^(\w+)(?:=(\w+))?(?::(\w+))?$/.exec(text) ?? [];
  return { names: [sqlite, sql ?? sqlite], kind: (kind ?? (sqlite === 'id' ? 'integer' : 'text')) as ColumnKind };
}
