import { existsSync } from 'node:fs';
import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { type KeyFile, parseKeyFile } from '../../../../core/keys/key-file.ts';
import { LIMITS } from '../../../../core/limits.ts';
import type { Gun } from '../../../../core/names/gun.ts';
import type { KeyId } from '../../../../core/names/key-id.ts';
import { type BaseRole, isBaseRole } from '../../../../core/names/role.ts';
import { printable } from '../../../../core/printable.ts';
import {
  checkRotation,
  openRotationKeys,
  planRotation,
  type Rotated,
  type Rotation,
  rotateKeys,
} from '../../../../trust/changes/rotate.ts';
import type { KeyRing } from '../../../../trust/keys/key-ring.ts';
import { YES } from '../../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { declined } from '../../../terminal/answer.ts';
import { PENDING_EXIT } from '../../../wording/pending.ts';
import { reportPublication } from '../approve.ts';
import { decideKept, KEEPING } from '../keeping.ts';
import { existingPlaceOf, PLACE_FLAGS } from '../place-flags.ts';
import { chosenKey, wrongRole } from './chosen-key.ts';
import { checkPrivate, explainingOldForms, readPrivateFile } from './private-file.ts';

export const KEY_ROTATE: Command<Session> = {
  program: 'signet',
  path: 'trust key rotate',
  summary: 'Replace the keys of root, targets, snapshot or timestamp',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'ROLE', takes: 'role' },
  ],
  flags: [
    {
      name: 'key',
      short: 'k',
      type: 'list',
      takes: 'key',
      about: 'ID of a key that is here, or the file of one, to use in place of a new one',
    },
    ...KEEPING,
    ...PLACE_FLAGS,
    {
      name: 'server-managed',
      short: 'r',
      type: 'switch',
      about: 'Let the server make and keep the key (snapshot and timestamp)',
    },
    YES,
  ],
  exitCodes: PENDING_EXIT,
  run: rotate,
};

/** The text of Notary's question (protocol E.3). */
const ROOT_WARNING = `Warning: you are about to rotate your root key.

You must use your old key to sign this root rotation.
`;

/** `signet trust key rotate [--server-managed] [--key ID|FILE]… [--yes] REPOSITORY ROLE` (protocol C.13). */
async function rotate(session: Session, parsed: ParsedCommand): Promise<number> {
  const [name = '', role = ''] = parsed.args;
  if (!isBaseRole(role)) {
    throw new SignetError(
      'rotation-unsupported',
      `notary does not currently permit rotating the ${printable(role)} key`,
      { next: 'The keys of a delegation are changed by: signet trust role REPOSITORY ROLE' },
    );
  }
  const serverManaged = parsed.has('server-managed');
  const chosen = parsed.values('key');
  checkRotation({ role, serverManaged, choosesKeys: chosen.length > 0 });
  const place = await existingPlaceOf(session, parsed);
  const { repository, gun } = place.collection(name, serverManaged ? ['*'] : ['pull', 'push']);
  if (!parsed.has('yes') && !(await isConfirmed(session, gun, role))) return declined(session);
  const resigned = await planRotation(repository, role);
  const kept = await decideKept(session, parsed, resigned);
  const uses: (() => Promise<KeyId>)[] = [];
  for (const text of chosen) uses.push(await keyToUse(place.keys, text, role, gun));
  // Open these before importing a key from a file, so that nothing is left behind if the change cannot be signed.
  if (chosen.length > 0) await openRotationKeys(repository, role, chosen.length);
  const keyIds = new Set<KeyId>();
  for (const use of uses) keyIds.add(await use());
  const rotation: Rotation = { role, serverManaged, keyIds: [...keyIds] };
  const rotated = await rotateKeys(repository, rotation, resigned, kept);
  const exitCode = reportPublication(session, repository, rotated.publication);
  session.print(rotatedText(rotation, rotated));
  return exitCode;
}

async function isConfirmed(session: Session, gun: Gun, role: BaseRole): Promise<boolean> {
  if (!session.isInteractive) {
    throw new SignetError('confirmation-missing', `no one can be asked whether to rotate the ${role} key`, {
      next: 'Say it on the command line: --yes',
    });
  }
  if (role !== 'root') return session.confirm(`Rotate the ${role} key of ${gun}?`);
  session.print(ROOT_WARNING);
  return session.confirm('Are you sure you want to proceed?');
}

/** A key that is already stored, or one from a file, which is imported for the role when it is used. */
async function keyToUse(keys: KeyRing, text: string, role: BaseRole, gun: Gun): Promise<() => Promise<KeyId>> {
  try {
    const stored = chosenKey(await keys.list(), text);
    if (stored.role !== '' && stored.role !== role) throw wrongRole(stored, role);
    return async () => stored.id;
  } catch (error) {
    if (!isSignetError(error, 'signing-key-missing') || !existsSync(text)) throw error;
    const own = { ...readKey(text), role, gun: role === 'root' ? undefined : gun };
    const options = { name: role, alias: role, passphrase: 'its own' } as const;
    return async () => (await explainingOldForms(text, () => keys.import({ file: own, id: undefined }, options))).id;
  }
}

function readKey(path: string): KeyFile {
  const file = readPrivateFile(path, LIMITS.keyFile);
  const [key, another] = parseKeyFile(file.bytes);
  file.bytes.fill(0);
  if (key === undefined || another !== undefined) {
    throw new SignetError('key-ambiguous', `${path} has more than one key in it`, {
      next: `Import them first, then give the ID of one: signet trust key import ${path}`,
    });
  }
  if (!key.encrypted) checkPrivate(file);
  return key;
}

function rotatedText({ role, serverManaged }: Rotation, { publication, keys, kept, removed }: Rotated): string {
  if (publication.kind === 'unchanged') return '';
  const isInForce = publication.kind === 'published';
  const whose = serverManaged ? `${role} key of the server` : `${role} key`;
  return [
    ...keys.map((id) => `New ${whose}: ${id}\n`),
    ...removed.map((id) => `Removed the former ${role} key, which is of no more use: ${id}\n`),
    ...kept.map((id) =>
      isInForce
        ? `The former ${role} key stays here, as other repositories may need it: ${id}\n`
        : `The former ${role} key must stay until then; remove it afterwards: ${id}\n`,
    ),
  ].join('');
}
