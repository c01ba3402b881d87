import { isSignetError } from '../../core/errors/index.ts';
import type { Environment } from '../../core/variables.ts';
import type { PassphraseOwner, PassphraseRequest, Passphrases } from '../../trust/keys/passphrases.ts';
import { type PassphrasePlace, type PassphrasePlaces, placeFor } from '../../trust/settings/passphrase-places.ts';
import { AskedPassphrases, type Person } from './asked.ts';
import { commandSource } from './command.ts';
import { fileSource } from './file.ts';
import { Keychain, keychainSource } from './keychain.ts';
import type { PassphraseSource } from './source.ts';
import { fileFromVariable, variableSource } from './variables.ts';

interface PassphraseOptions {
  readonly env: Environment;
  /** Reads the settings, when the first passphrase is needed and the environment has none. */
  readonly places: () => Promise<PassphrasePlaces>;
  readonly person: Person;
}

/**
 * The passphrases of a signer: from the first source configured for a key's alias (the variables of docker and notary,
 * a file named by a variable, the settings), otherwise from the prompt. A wrong passphrase from a source is final, as
 * it is from docker's variables (protocol G-31). Only a keychain without an entry falls back to the prompt.
 */
export class SignersPassphrases implements Passphrases {
  private readonly options: PassphraseOptions;
  private readonly asked: AskedPassphrases;
  /** Buffers with passphrases that the user typed, by identity. */
  private readonly typed = new WeakSet<Buffer>();
  /** The source of the passphrase that is being tried. */
  private tried: PassphraseSource | undefined;

  constructor(options: PassphraseOptions) {
    this.options = options;
    this.asked = new AskedPassphrases(options.person);
  }

  async existing(request: PassphraseRequest, attempt: number): Promise<Buffer> {
    if (attempt > 0 && this.tried !== undefined) throw this.tried.refuse(request);
    const source = attempt === 0 ? await this.sourceFor(request.alias) : undefined;
    const found = await source?.find(request);
    this.tried = found === undefined ? undefined : source;
    return found ?? this.remembering(await this.asked.existing(request, attempt));
  }

  async fresh(request: PassphraseRequest): Promise<Buffer> {
    const source = await this.sourceFor(request.alias);
    const given = source?.keep === undefined ? await source?.find(request) : undefined;
    return given ?? this.remembering(await this.asked.fresh(request));
  }

  /** A failure to store it in the keychain is not fatal: the user knows the passphrase. */
  async approve(owner: PassphraseOwner, passphrase: Buffer): Promise<void> {
    if (!this.typed.has(passphrase) || passphrase.length === 0) return;
    const source = await this.sourceFor(owner.alias);
    if (source?.keep === undefined) return;
    try {
      await source.keep(owner, passphrase);
      this.options.person.print('The keychain keeps this passphrase from now on.\n');
    } catch (error) {
      if (!isSignetError(error)) throw error;
      this.options.person.print(`The keychain does not keep this passphrase: ${error.message}\n`);
    }
  }

  private remembering(passphrase: Buffer): Buffer {
    this.typed.add(passphrase);
    return passphrase;
  }

  private async sourceFor(alias: string): Promise<PassphraseSource | undefined> {
    const { env, places } = this.options;
    const variable = variableSource(env, alias);
    if (variable !== undefined) return variable;
    const file = fileFromVariable(env, alias);
    if (file !== undefined) return fileSource(file);
    const place = placeFor(await places(), alias);
    return place === undefined ? undefined : sourceAt(place, env);
  }
}

function sourceAt(place: PassphrasePlace, env: Environment): PassphraseSource {
  if (place.kind === 'file') return fileSource(place.path);
  if (place.kind === 'command') return commandSource(place, env);
  return keychainSource(new Keychain(place.helper, env));
}
