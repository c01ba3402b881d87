import { deepStrictEqual, ok } from 'node:assert';
import { isAbsolute, normalize } from 'node:path';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { parseJson } from '../../../src/core/json/parse.ts';
import { readTar } from '../../../src/core/tar.ts';
import { readDocuments } from '../../../src/serve/storage/rethinkdb/documents.ts';
import { changeIn, fileIn, keyIn } from '../../../src/serve/storage/rethinkdb/rows.ts';
import { binary, fileRow, NO_TIME, tarOf, time } from '../../support/rethinkdb-dump.ts';
import type { Subject } from '../engine.ts';
import { anyOf, bytes, words } from '../mutate.ts';
import { json } from '../mutate-json.ts';

const AT = new Date('2019-03-04T05:06:07.891Z');
const GUN = 'dtr.example.com/team/app';
const FILE = fileRow(GUN, 'timestamp', 3, Buffer.from('{}'), AT);
const CHANGE = { id: '1', created_at: time(AT), gun: GUN, version: 3, sha256: 'ab'.repeat(32), category: 'update' };
const KEY = {
  ...{ key_id: 'ab'.repeat(32), encryption_alg: 'A256GCM', keywrap_alg: 'PBES2-HS256+A128KW', algorithm: 'ecdsa' },
  ...{ passphrase_alias: 'main', public: binary(Buffer.from('p')), private: binary(Buffer.from('a.b.c.d.e')) },
  ...{
    gun: GUN,
    role: 'timestamp',
    last_used: NO_TIME,
    created_at: time(AT),
    updated_at: time(AT),
    deleted_at: NO_TIME,
  },
};

/** The input in pieces of a size. */
async function* pieces(input: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < input.length; at += size) yield input.subarray(at, at + size);
}

/** What a reader makes of the input, or the code of its refusal: the same in whatever pieces it comes. */
async function inPieces<T>(input: Buffer, read: (chunks: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
  const small = await read(pieces(input, 61)).catch((error: unknown) => (isSignetError(error) ? error.code : error));
  try {
    const whole = await read(pieces(input, 2 ** 20));
    deepStrictEqual(small, whole);
    return whole;
  } catch (error) {
    if (isSignetError(error)) deepStrictEqual(small, error.code);
    throw error;
  }
}

/** No file of an archive has a name that leads out of the folder that it is unpacked in. */
function tar(): Subject {
  const files = [
    { name: 'd/a.json', content: '[]\n' },
    { name: 'd', type: '5' },
    { name: 'x', type: 'x', content: '12 path=b/c\n' },
    { name: 'd/b', content: 'x'.repeat(600) },
    { name: 'L', type: 'L', content: 'long/name\0' },
    { name: 'd/c' },
  ];
  return {
    seeds: [tarOf(files), tarOf([]), tarOf(files.slice(0, 1))],
    mutate: anyOf(bytes, words(['\0', '../', '/', 'path=', '0', '7', 'ustar\x0000', 'ustar  \0', '\x80'])),
    refusals: ['archive-invalid'],
    check: async (input) => {
      const files = await inPieces(input, async (chunks) => {
        const found: [string, Buffer][] = [];
        for await (const { path, size, content } of readTar(chunks)) {
          const parts = await Array.fromAsync(content);
          ok(Buffer.concat(parts).length === size);
          found.push([path, Buffer.concat(parts)]);
        }
        return found;
      });
      for (const [path] of files) ok(!isAbsolute(path) && normalize(path) === path && !path.startsWith('..'));
    },
  };
}

/** The documents of a table are those that a parser finds in the whole, and rows have nothing but what a table takes. */
function table(): Subject {
  const rows = [FILE, CHANGE, KEY];
  return {
    seeds: [
      Buffer.from('[]'),
      ...rows.map((row) => Buffer.from(`[\n${JSON.stringify(row)},\n${JSON.stringify(row)}\n]\n`)),
    ],
    mutate: anyOf(bytes, json(['-62135596800', '1e400', '2147483648', '"BINARY"', '"TIME"', '{"$reql_type$":"TIME"}'])),
    refusals: [
      ...(['json-malformed', 'json-duplicate-key', 'json-number-unsafe', 'json-too-deep', 'json-too-large'] as const),
      ...(['json-unexpected', 'name-invalid', 'role-invalid'] as const),
    ],
    check: async (input) => {
      const documents = await inPieces(input, (chunks) => Array.fromAsync(readDocuments(chunks)));
      deepStrictEqual(documents, parseJson(input, { numbers: 'any' }));
      for (const document of documents) {
        const read = document.has('data') ? fileIn : document.has('category') ? changeIn : keyIn;
        const { createdAt, ...row } = read(document) ?? { createdAt: undefined };
        ok(createdAt === undefined || (createdAt > 0 && createdAt < 2 ** 31 * 1000));
        for (const value of Object.values(row)) ok(typeof value !== 'string' || /^[\x20-\x7e]{0,255}$/.test(value));
      }
    },
  };
}

export const DUMP_SUBJECTS: Readonly<Record<string, () => Subject>> = { tar, 'rethinkdb-table': table };
