import type { Environment } from '../../core/variables.ts';
import { nameOfKey, type PassphraseSource, wrongPassphrase } from './source.ts';

/** Docker's variables for scripts (protocol C.3): one for root keys, one for all others. */
export const PASSPHRASE_VARIABLES = {
  root: 'DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE',
  others: 'DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE',
} as const;

/** Variables that name a file, for mounted secrets. */
const FILE_VARIABLES = { root: 'SIGNET_ROOT_PASSPHRASE_FILE', others: 'SIGNET_REPOSITORY_PASSPHRASE_FILE' } as const;

/** Variables of the notary command. All keys of delegations share one (protocol C.3). */
const NOTARY_VARIABLES: ReadonlyMap<string, string> = new Map([
  ['root', 'NOTARY_ROOT_PASSPHRASE'],
  ['targets', 'NOTARY_TARGETS_PASSPHRASE'],
  ['snapshot', 'NOTARY_SNAPSHOT_PASSPHRASE'],
]);
const NOTARY_DELEGATION = 'NOTARY_DELEGATION_PASSPHRASE';

/** The passphrase for keys of this alias from docker's variable, or else from notary's. Undefined if neither is set. */
export function variableSource(env: Environment, alias: string): PassphraseSource | undefined {
  const [name] = [of(PASSPHRASE_VARIABLES, alias), NOTARY_VARIABLES.get(alias) ?? NOTARY_DELEGATION].filter(
    (variable) => (env[variable] ?? '') !== '',
  );
  if (name === undefined) return undefined;
  return {
    find: async () => Buffer.from(env[name] ?? '', 'utf8'),
    refuse: (request) =>
      wrongPassphrase(
        request,
        `It came from ${name} and does not open ${nameOfKey(request)}: correct it there, or unset it to be asked.`,
      ),
  };
}

/** The file that a variable gives for the passphrase of this alias. Undefined if none does. */
export function fileFromVariable(env: Environment, alias: string): string | undefined {
  return env[of(FILE_VARIABLES, alias)] || undefined;
}

function of({ root, others }: { readonly root: string; readonly others: string }, alias: string): string {
  return alias === 'root' ? root : others;
}
