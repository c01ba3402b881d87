import { createHash } from 'node:crypto';
import { SignetError } from '../../../core/errors/index.ts';
import type { FileInfo } from '../../../core/metadata/file-info.ts';
import { checkTargetName, type Target } from '../../../core/metadata/targets.ts';
import type { Change } from '../../../store/change.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { PENDING_EXIT } from '../../wording/pending.ts';
import { makeChanges, rolesFlag, rolesOf, STAGE } from './change.ts';
import { readCustom } from './custom.ts';
import { readPieces } from './file-pieces.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';

export const ADD: Command<Session> = {
  program: 'signet',
  path: 'trust add',
  summary: 'Sign a file, or what has a digest, as a target',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'TARGET', takes: 'target' },
    { name: 'FILE', takes: 'file', isOptional: true },
  ],
  flags: [
    { name: 'custom', type: 'value', takes: 'file', about: 'File of JSON to be signed along with the target' },
    rolesFlag('Sign as these roles'),
    { name: 'sha256', type: 'value', about: 'SHA-256 of what is signed, in place of FILE' },
    { name: 'sha512', type: 'value', about: 'SHA-512 of what is signed, in place of FILE' },
    { name: 'size', type: 'number', about: 'Size in bytes of what is signed, in place of FILE' },
    STAGE,
    ...PLACE_FLAGS,
  ],
  exitCodes: PENDING_EXIT,
  run: add,
};

const HASHES: readonly (readonly [algorithm: 'sha256' | 'sha512', form: RegExp])[] = [
  ['sha256', /^[0-9a-f]{64}$/i],
  ['sha512', /^[0-9a-f]{128}$/i],
];

/** `signet trust add [--role ROLE]… [--custom FILE] [--stage] REPOSITORY TARGET FILE|--sha256 HEX --size N`. */
async function add(session: Session, parsed: ParsedCommand): Promise<number> {
  const [repository = '', name = '', path] = parsed.args;
  const roles = rolesOf(parsed);
  for (const role of roles) checkTargetName(role, name);
  const collection = (await placeOf(session, parsed)).collection(repository, ['pull', 'push']);
  const target = await targetOf(parsed, path);
  const changes = roles.map((role): Change => ({ kind: 'add-target', role, name, target }));
  return makeChanges(session, parsed, collection, changes);
}

async function targetOf(parsed: ParsedCommand, path: string | undefined): Promise<Target> {
  const told = toldInfo(parsed);
  if ((told === undefined) === (path === undefined)) {
    throw new SignetError('usage', 'say what is signed: either FILE, or its --size with --sha256 or --sha512');
  }
  const custom = parsed.value('custom');
  const info = told ?? (await infoOf(path ?? ''));
  const value = custom === undefined ? undefined : await readCustom(custom);
  return value === undefined ? info : { ...info, custom: value };
}

/**
 * The content's length and digests as given by flags. Undefined if no flag gives them. Throws `usage` or
 * `digest-invalid`.
 */
function toldInfo(parsed: ParsedCommand): FileInfo | undefined {
  const size = parsed.value('size');
  const hashes = new Map<string, Buffer>();
  for (const [algorithm, form] of HASHES) {
    const hex = parsed.value(algorithm);
    if (hex === undefined) continue;
    if (!form.test(hex)) throw new SignetError('digest-invalid', `invalid ${algorithm} hex contents provided`);
    hashes.set(algorithm, Buffer.from(hex, 'hex'));
  }
  if (size === undefined && hashes.size === 0) return undefined;
  if (size === undefined || hashes.size === 0) {
    throw new SignetError('usage', 'a digest and --size go together: neither says enough by itself');
  }
  const length = Number(size);
  if (/^\d+$/.test(size) && Number.isSafeInteger(length)) return { length, hashes };
  throw new SignetError('usage', `--size is a number of bytes, not ${JSON.stringify(size.slice(0, 40))}`);
}

/** The length and both digests of a file, the ones that Notary records. Throws `file-missing`. */
async function infoOf(path: string): Promise<FileInfo> {
  const hashes = HASHES.map(([algorithm]) => [algorithm, createHash(algorithm)] as const);
  let length = 0;
  for await (const piece of readPieces(path)) {
    length += piece.length;
    for (const [, hash] of hashes) hash.update(piece);
  }
  return { length, hashes: new Map(hashes.map(([algorithm, hash]) => [algorithm, hash.digest()])) };
}
