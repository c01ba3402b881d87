import { SignetError } from '../../../../core/errors/index.ts';
import { issueRootCertificate } from '../../../../core/keys/certificate.ts';
import type { Signer } from '../../../../core/keys/signer.ts';
import { writePrivateFile } from '../../../../store/files.ts';
import type { StoredKey } from '../../../../store/key-store.ts';
import type { KeyRing } from '../../../../trust/keys/key-ring.ts';
import { type CommandSpec, parseCommand } from '../../../line/command.ts';
import type { Session } from '../../../session.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from '../place-flags.ts';
import { ambiguous, chosenKey, wrongRole } from './chosen-key.ts';
import { checkNew } from './new-file.ts';

export const KEY_CERTIFICATE: CommandSpec = {
  program: 'signet',
  path: 'trust key certificate',
  usage: '[OPTIONS] REPOSITORY',
  summary: 'Make the certificate by which a root key becomes one of a repository',
  flags: [
    { name: 'key', short: 'k', kind: 'value' },
    { name: 'new', kind: 'switch' },
    { name: 'output', short: 'o', kind: 'value' },
    ...PLACE_FLAGS,
  ],
  options: `  -k, --key string         ID of the root key, where there are several
      --new                Make a new root key first
  -o, --output string      File to write, in place of standard output
${PLACE_OPTIONS}`,
  minArguments: 1,
  maxArguments: 1,
};

/**
 * `signet trust key certificate [--key ID | --new] [-o FILE] REPOSITORY` (protocol A.13), for whoever has the repository's
 * root key to add.
 */
export async function certificate(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(KEY_CERTIFICATE, words);
  const [wanted, isNew, output] = [parsed.value('key'), parsed.has('new'), parsed.value('output')];
  if (wanted !== undefined && isNew) throw new SignetError('usage', '--key and --new cannot both be given');
  const place = await placeOf(session, parsed);
  const gun = place.gun(parsed.args[0] ?? '');
  if (output !== undefined) checkNew(output, 'Name another file.');
  const key = await place.keys.undoing(async () => {
    const root = isNew ? await place.keys.create('root') : await rootKey(place.keys, wanted, gun);
    const { bytes } = await issueRootCertificate(root, gun, session.now());
    if (output === undefined) session.write(bytes);
    else writePrivateFile(output, bytes);
    return root;
  });
  if (output === undefined) return 0;
  session.print(`Certificate of the root key ${key.id} for ${gun}: ${output}\n`);
  session.print(`Whoever has its root key adds it by: signet trust role --add-key FILE ${gun} root\n`);
  return 0;
}

async function rootKey(keys: KeyRing, wanted: string | undefined, gun: string): Promise<Signer> {
  const { id } = chosenRoot(await keys.list(), wanted, gun);
  const key = await keys.find(id, 'root');
  if (key === undefined) throw new SignetError('signing-key-missing', `signing key not found: ${id}`);
  return key;
}

function chosenRoot(keys: readonly StoredKey[], wanted: string | undefined, gun: string): StoredKey {
  if (wanted !== undefined) {
    const key = chosenKey(keys, wanted);
    if (key.role !== 'root') throw wrongRole(key, 'root');
    return key;
  }
  const roots = keys.filter(({ role }) => role === 'root');
  const [root] = roots;
  if (root === undefined) {
    throw new SignetError('signing-key-missing', 'there is no root key here', {
      next: `Make one: signet trust key certificate --new ${gun}`,
    });
  }
  if (roots.length > 1) throw ambiguous('the role root', roots);
  return root;
}
