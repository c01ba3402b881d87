import { createHash } from 'node:crypto';
import { acceptUpload, refreshOnline } from '../../src/core/accept/upload.ts';
import { Editor } from '../../src/core/edit/editor.ts';
import { generatePrivateKey } from '../../src/core/keys/private-key.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import type { RoleName } from '../../src/core/names/role.ts';
import { atEnd } from '../support/cleanup.ts';
import { certified } from '../support/private-keys.ts';
import { TestKeys } from '../support/test-keys.ts';

/** The current files of a collection. */
export type Files = ReadonlyMap<RoleName, Buffer>;

/** When each part of a collection was signed, in milliseconds since 1970. */
export interface Times {
  /** The root, the targets, and all that the server signs on receiving them. */
  readonly founded: number;
  /** When the server last renewed what had expired of its own; never where absent. */
  readonly renewed?: number;
}

/** Makes collections as no living server would serve them: with all keys at hand, at any time. */
export async function makeCollection(
  gun: string,
  { founded, renewed }: Times,
  edit: (editor: Editor) => void,
): Promise<Files> {
  const [root, targets, snapshot, timestamp] = Array.from({ length: 4 }, () => generatePrivateKey('ecdsa'));
  if (root === undefined || targets === undefined || snapshot === undefined || timestamp === undefined)
    throw new Error('there are four keys');
  const name = parseGun(gun);
  const editor = Editor.create({
    root: [certified(root, name, founded)],
    targets: targets.publicKey,
    snapshot: snapshot.publicKey,
    timestamp: timestamp.publicKey,
  });
  edit(editor);
  const signed = await editor.sign(TestKeys.of(root, targets), founded);
  const signer = {
    sign: async (id: string, message: Uint8Array) => {
      const key = [snapshot, timestamp].find((each) => each.id === id);
      return key === undefined ? undefined : { ...key.sign(message), keyId: key.id };
    },
  };
  const parts = [...signed].map(([role, bytes]) => ({ role, bytes }));
  const stored = await acceptUpload({ gun: name, parts, current: new Map(), signer, now: founded });
  const files = new Map(stored.map(({ role, bytes }) => [role, bytes]));
  const fresh = renewed === undefined ? [] : await refreshOnline({ gun: name, current: files, signer, now: renewed });
  return new Map([...files, ...fresh.map(({ role, bytes }) => [role, bytes] as const)]);
}

/** What a server gives for one of its files, such as `timestamp` or `targets.<sha256>`. */
export type Give = (name: string) => Response;

/** A server's certificate and its key, in PEM or as files. */
export interface Certificate {
  readonly cert: string | Bun.BunFile;
  readonly key: string | Bun.BunFile;
}

/** A trust server on this machine without any login, which answers reads as `give` says. Returns its address. */
export function startOddNotary(tls: Certificate, give: Give): string {
  const listener = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls,
    fetch: ({ url }) => {
      const [, name] = /\/_trust\/tuf\/(.+)\.json$/.exec(new URL(url).pathname) ?? [];
      return name === undefined ? Response.json({}) : give(name);
    },
  });
  atEnd(() => listener.stop(true));
  return `https://localhost:${listener.port}`;
}

/** Gives the files of a collection under all names that clients ask for. */
export function giving(files: Files): Give {
  const named = new Map(
    [...files].flatMap(([role, bytes]) => [
      [role as string, bytes] as const,
      [`${role}.${createHash('sha256').update(bytes).digest('hex')}`, bytes] as const,
      [`1.${role}`, bytes] as const,
    ]),
  );
  return (name) => {
    const bytes = named.get(name);
    return bytes === undefined ? new Response('{}', { status: 404 }) : new Response(bytes);
  };
}
