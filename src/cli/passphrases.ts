import { SignetError } from '../core/errors/index.ts';
import type { PassphraseRequest, Passphrases } from '../trust/passphrases.ts';

const MIN_LENGTH = 8;
const ROOT_WARNING = `You are about to create a new root signing key passphrase. This passphrase
will be used to protect the most sensitive key in your signing system. Please
choose a long, complex passphrase and be careful to keep the password and the
key file itself secure and backed up. It is highly recommended that you use a
password manager to generate the passphrase and keep it safe. There will be no
way to recover this key. You can find the key in your config directory.
`;

/** Docker's variables for scripts (protocol C.3): one for root keys, one for all others. */
export const PASSPHRASE_VARIABLES = {
  root: 'DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE',
  others: 'DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE',
} as const;

/** Whoever is asked for passphrases. */
export interface Person {
  print(text: string): void;
  /** Asks for a secret, which the caller wipes. */
  askHidden(prompt: string): Promise<Buffer>;
}

/**
 * Passphrases as docker gets them: from its environment variables where they are set, else from a prompt.
 * A wrong one in the environment is final; docker never falls back to asking (protocol G-31).
 */
export class DockerPassphrases implements Passphrases {
  private readonly env: Readonly<Record<string, string | undefined>>;
  private readonly person: Person;
  private hasWarned = false;

  constructor(env: Readonly<Record<string, string | undefined>>, person: Person) {
    this.env = env;
    this.person = person;
  }

  async existing({ id, alias }: PassphraseRequest, attempt: number): Promise<Buffer> {
    const given = this.fromEnvironment(alias);
    if (given !== undefined && attempt > 0) {
      given.fill(0);
      throw new SignetError('key-passphrase-wrong', 'password invalid, operation has failed.', {
        detail: { alias, ...(id === undefined ? {} : { id }) },
      });
    }
    if (given !== undefined) return given;
    if (attempt > 0) this.person.print('Passphrase incorrect. Please retry.\n');
    return trimmed(await this.person.askHidden(`Enter passphrase for ${displayName(alias)} key${withId(id)}: `));
  }

  async fresh({ id, alias }: PassphraseRequest): Promise<Buffer> {
    const given = this.fromEnvironment(alias);
    if (given !== undefined) return given;
    if (alias === 'root' && !this.hasWarned) this.person.print(ROOT_WARNING);
    this.hasWarned ||= alias === 'root';
    for (;;) {
      const first = trimmed(
        await this.person.askHidden(`Enter passphrase for new ${displayName(alias)} key${withId(id)}: `),
      );
      if (first.length < MIN_LENGTH) {
        first.fill(0);
        this.person.print(
          'Passphrase is too short. Please use a password manager to generate and store a good random passphrase.\n',
        );
        continue;
      }
      const second = trimmed(
        await this.person.askHidden(`Repeat passphrase for new ${displayName(alias)} key${withId(id)}: `),
      );
      const isSame = first.equals(second);
      second.fill(0);
      if (isSame) return first;
      first.fill(0);
      this.person.print('Passphrases do not match. Please retry.\n');
    }
  }

  private fromEnvironment(alias: string): Buffer | undefined {
    const value = this.env[alias === 'root' ? PASSPHRASE_VARIABLES.root : PASSPHRASE_VARIABLES.others];
    return value === undefined || value === '' ? undefined : Buffer.from(value, 'utf8');
  }
}

/** Docker shows a repository's own keys as `repository` (protocol C.3). */
function displayName(alias: string): string {
  return alias === 'targets' || alias === 'snapshot' || alias === 'default' ? 'repository' : alias;
}

function withId(id: string | undefined): string {
  return id === undefined ? '' : ` with ID ${id.slice(0, 7)}`;
}

/** Without white space at either end, as docker reads passphrases; the buffer given is wiped. */
function trimmed(passphrase: Buffer): Buffer {
  const isSpace = (byte: number | undefined) => byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
  let start = 0;
  let end = passphrase.length;
  while (start < end && isSpace(passphrase[start])) start++;
  while (end > start && isSpace(passphrase[end - 1])) end--;
  const result = Buffer.from(passphrase.subarray(start, end));
  passphrase.fill(0);
  return result;
}
