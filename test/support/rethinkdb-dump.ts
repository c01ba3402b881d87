import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from './temp.ts';

/** An entry of a tar archive. */
export interface TarEntry {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** `0`, a file, if absent. */
  readonly type?: string;
}

/** Documents by `DATABASE.TABLE`. */
export type DumpTables = Readonly<Record<string, readonly object[]>>;

/** What Go writes for no time. */
export const NO_TIME = { $reql_type$: 'TIME', epoch_time: -62_135_596_800, timezone: '+00:00' };

export function binary(bytes: Uint8Array): object {
  return { $reql_type$: 'BINARY', data: Buffer.from(bytes).toString('base64') };
}

export function time(at: Date | null): object {
  return at === null ? NO_TIME : { $reql_type$: 'TIME', epoch_time: at.getTime() / 1000, timezone: '+00:00' };
}

/** A row of `tuf_files` as notary-server writes it to RethinkDB. */
export function fileRow(gun: string, role: string, version: number, data: Uint8Array, at: Date): object {
  return {
    gun_role_version: [gun, role, version],
    gun,
    role,
    version,
    sha256: createHash('sha256').update(data).digest('hex'),
    data: binary(data),
    timestamp_checksum: '',
    created_at: time(at),
    updated_at: time(at),
    deleted_at: NO_TIME,
  };
}

/** The files of a dump, in the folder that `rethinkdb dump` names after the time. */
export function dumpEntries(tables: DumpTables): TarEntry[] {
  return Object.entries(tables).flatMap(([name, documents]) => {
    const path = `rethinkdb_dump_2019-03-04T05:06:07/${name.replace('.', '/')}`;
    const rows = documents.map((document) => `\n${JSON.stringify(document)}`).join(',');
    return [
      { name: `${path}.json`, content: `[${rows}\n]\n` },
      { name: `${path}.info`, content: '{"primary_key": "id", "indexes": []}\n' },
    ];
  });
}

/** A tar archive, without any check of what is in it. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ name, content = '', type = '0' }) => {
    const bytes = Buffer.from(content);
    return [header(name, bytes.length, type), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Writes a gzipped archive to a new file, and returns its path. */
export function dumpFile(archive: Uint8Array): string {
  const path = join(temporaryFolder(), 'dump.tar.gz');
  writeFileSync(path, gzipSync(archive));
  return path;
}

function header(name: string, size: number, type: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write('0000644\x000000000\x000000000\0', 100);
  block.write(`${size.toString(8).padStart(11, '0')}\x0000000000000\0`, 124);
  block.write(' '.repeat(8), 148);
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
