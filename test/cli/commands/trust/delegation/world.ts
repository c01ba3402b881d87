import { DELEGATION_LIST } from '../../../../../src/cli/commands/trust/delegation/list.ts';
import { dockerTable } from '../../../../../src/cli/terminal/table.ts';
import { formatPublicKeyFile } from '../../../../../src/core/keys/public-key-file.ts';
import type { Signer } from '../../../../../src/core/keys/signer.ts';
import type { KeyId } from '../../../../../src/core/names/key-id.ts';
import { parseDelegation, RELEASES } from '../../../../../src/core/names/role.ts';
import { calling } from '../../../calling.ts';
import { type FakeSession, fakeImage, NAME } from '../../../fake-session.ts';
import { says, told } from '../transcript.ts';

const listDelegations = calling(DELEGATION_LIST);

export const PUBLISHED = says(`Published to ${NAME}.\n`);
export const STAGED = says(`Staged for the next publish of ${NAME}.\n`);
export const ALICE = parseDelegation('targets/alice');
export const BOB = parseDelegation('targets/bob');

export function publicKeyFile(session: FakeSession, { publicKey }: Pick<Signer, 'publicKey'>): string {
  return session.file('x.pub', formatPublicKeyFile(publicKey, 'x'));
}

/** The cells of `delegation list`, without the head. */
export async function rows(session: FakeSession): Promise<readonly (readonly string[])[]> {
  const lines = (await told(session, listDelegations, [NAME])).stdout.trimEnd().split('\n').slice(1);
  return lines.map((row) => row.split(/ {3,}/).map((cell) => cell.trim()));
}

/** The roles that clients rely on. */
export async function usable({ simulator }: FakeSession): Promise<readonly string[]> {
  return [...(await simulator.trusted()).set.targets.keys()];
}

/** The key of that role in the session's folder. */
export async function idOf({ keys }: FakeSession, role: string): Promise<KeyId> {
  const key = (await keys.list()).find((each) => each.role === role);
  if (key === undefined) throw new Error(`no key for ${role}`);
  return key.id;
}

/** What is shown of `v1` in a role of \`loaded\` that loses its signatures. */
export function listing(role: string, other: string = role === ALICE ? RELEASES : ALICE): string {
  const { digest, size } = fakeImage('v1');
  const table = dockerTable(
    ['NAME', 'DIGEST', 'SIGNED', 'ALSO IN'],
    [['v1', `${digest} ${size} bytes`, '2026-11-23', other]],
  );
  return `These lose their signatures in ${role}, and are signed again with other keys or dropped:

${table}
SIGNED is when the whole file was signed last, by its expiry: trust data has no date of a single tag.
`;
}
