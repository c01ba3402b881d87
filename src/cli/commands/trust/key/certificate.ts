import { SignetError } from '../../../../core/errors/index.ts';
import { issueRootCertificate } from '../../../../core/keys/certificate.ts';
import type { Signer } from '../../../../core/keys/signer.ts';
import { writePrivateFile } from '../../../../store/files.ts';
import type { StoredKey } from '../../../../store/key-store.ts';
import type { KeyRing } from '../../../../trust/keys/key-ring.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { PLACE_FLAGS, placeOf } from '../place-flags.ts';
import { ambiguous, chosenKey, wrongRole } from './chosen-key.ts';
import { checkNew } from './new-file.ts';

export const KEY_CERTIFICATE: Command<Session> = {
  program: 'signet',
  path: 'trust key certificate',
  summary: 'Make the certificate by which a root key becomes one of a repository',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [
    { name: 'key', short: 'k', type: 'value', takes: 'key', about: 'ID of the root key, where there are several' },
    { name: 'new', type: 'switch', about: 'Make a new root key first' },
    { name: 'output', short: 'o', type: 'value', takes: 'file', about: 'File to write, in place of standard output' },
    ...PLACE_FLAGS,
  ],
  run: certificate,
};

/**
 * `signet trust key certificate [--key ID | --new] [-o FILE] REPOSITORY` (protocol A.13): the certificate of a root
 * key, to be added by a holder of the repository's root key.
 */
async function certificate(session: Session, parsed: ParsedCommand): Promise<number> {
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
