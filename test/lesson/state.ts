import { deepEqual, equal, match } from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Outcome } from '../support/run.ts';
import type { Shell } from './shell.ts';

/** What `docker trust inspect` tells of a repository. */
export interface Inspection {
  readonly tags: readonly { readonly tag: string; readonly digest: string; readonly signers: readonly string[] }[];
  /** By name. */
  readonly signers: readonly string[];
}

interface InspectedImage {
  readonly SignedTags: readonly { readonly SignedTag: string; readonly Digest: string; readonly Signers: string[] }[];
  readonly Signers: readonly { readonly Name: string }[];
}

/** Docker keeps the password, or what it got in exchange for it: the identity token. */
interface StoredCredential {
  readonly auth: string;
  readonly identitytoken?: string;
}

/** Asks the trust server what is signed, and by whom. */
export async function inspect(shell: Shell, reference: string): Promise<Inspection> {
  const { stdout } = await succeed(shell, `docker trust inspect ${reference}`);
  const [image] = JSON.parse(stdout) as [InspectedImage];
  return {
    tags: image.SignedTags.map(({ SignedTag, Digest, Signers }) => ({
      tag: SignedTag,
      digest: `sha256:${Digest}`,
      signers: Signers,
    })),
    signers: image.Signers.map(({ Name }) => Name).sort(),
  };
}

/** The signed tags of a repository, in docker's order. */
export async function signedTags(shell: Shell, repository: string): Promise<string[]> {
  return (await inspect(shell, repository)).tags.map(({ tag }) => tag);
}

/** The digest under which the engine knows `repository:tag`. Throws unless it is exactly one. */
export async function engineDigest(shell: Shell, image: string): Promise<string> {
  const { stdout } = await succeed(shell, `docker image inspect --format '{{json .RepoDigests}}' ${image}`);
  const prefix = `${nameInEngine(shell, image.slice(0, image.lastIndexOf(':')))}@`;
  const digests = (JSON.parse(stdout) as string[]).filter((name) => name.startsWith(prefix));
  equal(digests.length, 1, `the engine knows ${image} as ${stdout}`);
  return `${digests[0]}`.slice(prefix.length);
}

/** Throws unless the newest container was made from exactly the digest that `tag` is signed with. */
export async function ranSignedDigest(shell: Shell, repository: string, tag: string): Promise<void> {
  const { tags } = await inspect(shell, `${repository}:${tag}`);
  const { stdout } = await succeed(shell, "docker ps --latest --no-trunc --format '{{.Image}}'");
  equal(stdout.trim(), `${nameInEngine(shell, repository)}@${tags[0]?.digest}`);
}

/** What the engine calls a repository that is typed as `repository`. */
export function nameInEngine({ defaultRegistry }: Shell, repository: string): string {
  return defaultRegistry === undefined ? repository : `${defaultRegistry}/${repository}`;
}

/** Runs a line that must exit with 0. */
export async function succeed(shell: Shell, line: string, answers?: readonly Answer[]): Promise<Outcome> {
  const outcome = await shell.run(line, answers);
  equal(outcome.exitCode, 0, `${line}\n${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

/** Throws unless the private keys of the home have exactly these roles, and each is encrypted and its owner's alone. */
export function hasEncryptedKeys({ home }: Shell, ...roles: readonly string[]): void {
  const folder = join(home, '.docker/trust/private');
  const found = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    equal(statSync(path).mode & 0o777, 0o600, path);
    const text = readFileSync(path, 'utf8');
    match(text, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    return /^role: (.*)$/m.exec(text)?.[1];
  });
  deepEqual(found.sort(), roles);
}

/** Throws unless `file` in the home is a public key with a role, as `docker trust key generate` writes it. */
export function hasPublicKey({ home }: Shell, file: string, role: string): void {
  match(readFileSync(join(home, file), 'utf8'), new RegExp(`^-----BEGIN PUBLIC KEY-----\nrole: ${role}\n\n`));
}

/** Throws unless docker has stored exactly one credential in its configuration: that of `user`. */
export function hasCredential(shell: Shell, user: string, password: string): void {
  const [stored, ...others] = storedCredentials(shell);
  deepEqual(others, []);
  const isToken = (stored?.identitytoken ?? '') !== '';
  equal(atob(stored?.auth ?? ''), `${user}:${isToken ? '' : password}`);
}

/** Throws if docker has stored a credential in its configuration. */
export function hasNoCredential(shell: Shell): void {
  deepEqual(storedCredentials(shell), []);
}

function storedCredentials({ home }: Shell): StoredCredential[] {
  const path = join(home, '.docker/config.json');
  if (!existsSync(path)) return [];
  const { auths } = JSON.parse(readFileSync(path, 'utf8')) as { auths?: Record<string, StoredCredential> };
  return Object.values(auths ?? {});
}
