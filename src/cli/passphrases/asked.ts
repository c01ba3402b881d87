import { isSignetError, type SignetError } from '../../core/errors/index.ts';
import { printable } from '../../core/printable.ts';
import type { PassphraseRequest, Passphrases } from '../../trust/keys/passphrases.ts';

import { PASSPHRASE_VARIABLES } from './variables.ts';

const MIN_LENGTH = 8;
const ROOT_WARNING = `You are about to create a new root signing key passphrase. This passphrase
will be used to protect the most sensitive key in your signing system. Please
choose a long, complex passphrase and be careful to keep the password and the
key file itself secure and backed up. It is highly recommended that you use a
password manager to generate the passphrase and keep it safe. There will be no
way to recover this key. You can find the key in your config directory.
`;

/** Where passphrases are asked for. */
export interface Person {
  print(text: string): void;
  /** Asks for a secret, which the caller wipes. */
  askHidden(prompt: string): Promise<Buffer>;
}

/** Passphrases typed by the user, asked for in docker's words (protocol C.3). */
export class AskedPassphrases implements Passphrases {
  private readonly person: Person;
  private hasWarned = false;

  constructor(person: Person) {
    this.person = person;
  }

  async existing({ id, alias }: PassphraseRequest, attempt: number): Promise<Buffer> {
    if (attempt > 0) this.person.print('Passphrase incorrect. Please retry.\n');
    return trimmed(await this.ask(`Enter passphrase for ${displayName(alias)} key${withId(id)}: `, { id, alias }));
  }

  private async ask(prompt: string, request: PassphraseRequest): Promise<Buffer> {
    try {
      return await this.person.askHidden(prompt);
    } catch (error) {
      throw isSignetError(error, 'input-ended') ? unanswered(error, request) : error;
    }
  }

  async fresh({ id, alias }: PassphraseRequest): Promise<Buffer> {
    if (alias === 'root' && !this.hasWarned) this.person.print(ROOT_WARNING);
    this.hasWarned ||= alias === 'root';
    for (;;) {
      const first = trimmed(
        await this.ask(`Enter passphrase for new ${displayName(alias)} key${withId(id)}: `, { id, alias }),
      );
      if (first.length < MIN_LENGTH) {
        first.fill(0);
        this.person.print(
          'Passphrase is too short. Please use a password manager to generate and store a good random passphrase.\n',
        );
        continue;
      }
      const second = trimmed(
        await this.ask(`Repeat passphrase for new ${displayName(alias)} key${withId(id)}: `, { id, alias }),
      );
      const isSame = first.equals(second);
      second.fill(0);
      if (isSame) return first;
      first.fill(0);
      this.person.print('Passphrases do not match. Please retry.\n');
    }
  }
}

/** Without a terminal no one can type. The alternatives depend on the key. */
function unanswered(cause: SignetError, { alias }: PassphraseRequest): SignetError {
  const variable = alias === 'root' ? PASSPHRASE_VARIABLES.root : PASSPHRASE_VARIABLES.others;
  const key = `the passphrase of the ${displayName(printable(alias))} key`;
  return cause.reworded(
    cause.detail.atTerminal === true
      ? `no one gave ${key}: the input has ended`
      : `there is no terminal to ask at for ${key}, and the input has ended`,
    { next: `Run the command at a terminal, or set ${variable} to the passphrase.` },
  );
}

/** Docker calls a repository's own keys `repository` (protocol C.3). */
function displayName(alias: string): string {
  return alias === 'targets' || alias === 'snapshot' || alias === 'default' ? 'repository' : alias;
}

function withId(id: string | undefined): string {
  return id === undefined ? '' : ` with ID ${id.slice(0, 7)}`;
}

/** Removes white space at both ends, as docker does. Wipes the given buffer. */
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
