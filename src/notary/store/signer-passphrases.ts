import { SignetError } from '../../core/errors/index.ts';
import { quoted } from '../../core/printable.ts';
import type { Environment } from '../../core/variables.ts';

/** The passphrases that notary-signer takes from its environment, by the aliases that its keys name. */
export interface SignerPassphrases {
  /** The alias of new keys, as far as it is set. */
  readonly defaultAlias: string | undefined;
  /** Undefined if none is given for the alias, or an empty one. */
  of(alias: string): Buffer | undefined;
}

const PREFIX = 'NOTARY_SIGNER_';
const DEFAULT_ALIAS = `${PREFIX}DEFAULT_ALIAS`;
/** The settings of notary-signer name the default alias like this, which its environment may override. */
const STORAGE_DEFAULT_ALIAS = `${PREFIX}STORAGE_DEFAULT_ALIAS`;

/** The variable in which notary-signer looks for the passphrase of an alias (protocol B.14.3). */
export function passphraseVariable(alias: string): string {
  return PREFIX + alias.toUpperCase().replaceAll('.', '_');
}

/** Passphrases of variables; those of `environment` come before those of `file`, as with docker's `--env-file`. */
export function signerPassphrases(environment: Environment, file: Environment = {}): SignerPassphrases {
  const value = (name: string): string | undefined => environment[name] || file[name] || undefined;
  return {
    defaultAlias: value(STORAGE_DEFAULT_ALIAS) ?? value(DEFAULT_ALIAS),
    of: (alias) => {
      const passphrase = value(passphraseVariable(alias));
      return passphrase === undefined ? undefined : Buffer.from(passphrase, 'utf8');
    },
  };
}

/**
 * Reads a file of variables as docker's `--env-file` does, which is how the environment of a notary-signer is usually kept:
 * `NAME=VALUE` in each line, the value as it stands, comments with `#` at the beginning of a line. Other variables may stand
 * there, too. Throws `setting-invalid`, which quotes no value.
 */
export function parsePassphraseFile(text: string, path: string): Environment {
  const variables: Record<string, string> = {};
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value] = /^([^\s=]+)=(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new SignetError('setting-invalid', `line ${index + 1} of ${quoted(path, 200)} is not NAME=VALUE`, {
        next: 'Write NOTARY_SIGNER_ALIAS=PASSPHRASE in each line, as in the environment of notary-signer.',
      });
    }
    if (name.startsWith(PREFIX)) variables[name] = value;
  }
  return variables;
}
