import type { X509Certificate } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import { parseCertificate } from '../../core/keys/x509.ts';
import { LIMITS } from '../../core/limits.ts';
import { readSmallFile, removeFile, writePrivateFile } from '../../store/files.ts';
import { AUTHORITY_NAME } from './authority.ts';
import { findSystemStore, type SystemStore } from './system-stores.ts';

/** The machine that is to trust an authority. */
export interface Machine {
  /** Where its files begin: `/`. */
  readonly root: string;
  /** Runs a program to its end. Throws if it cannot, or if it fails. */
  run(command: readonly string[]): Promise<void>;
}

/** One thing to do. */
export type Step =
  | { readonly kind: 'write' | 'remove'; readonly path: string }
  | { readonly kind: 'run'; readonly command: readonly string[] };

const DOCKER_CERTIFICATES = '/etc/docker/certs.d';
/** The name that docker documents; and that of a file beside it, if that one is someone else's. */
const [USUAL, BESIDE] = ['ca.crt', 'signet.crt'];
/** More than all authorities of a system. */
const MAX_BUNDLE = 16 * 1024 * 1024;

/**
 * What is still to do until this machine trusts an authority: the system's store, for BuildKit and everything else, and
 * the docker engine's folder for each of `hosts`, `HOST:PORT`. Empty if all is done.
 */
export function stepsToTrust(authority: X509Certificate, hosts: readonly string[], { root }: Machine): readonly Step[] {
  const store = findSystemStore(root);
  const anchor = store === undefined ? undefined : anchorOf(store, authority);
  const steps: Step[] = [];
  if (store !== undefined && anchor !== undefined) {
    const isThere = holds(join(root, anchor), authority);
    if (!isThere) steps.push({ kind: 'write', path: anchor });
    if (!isThere || !isInBundle(store, authority, root)) steps.push({ kind: 'run', command: store.update });
  }
  for (const host of hosts) {
    const path = fileForDocker(host, authority, root);
    if (!holds(join(root, path), authority)) steps.push({ kind: 'write', path });
  }
  return steps;
}

/** What undoes that: every file with this authority goes, under whatever names the server was known. */
export function stepsToForget(authority: X509Certificate, { root }: Machine): readonly Step[] {
  const store = findSystemStore(root);
  const steps: Step[] = [];
  if (store !== undefined) {
    const path = anchorOf(store, authority);
    const isThere = holds(join(root, path), authority);
    if (isThere) steps.push({ kind: 'remove', path });
    if (isThere || isInBundle(store, authority, root)) steps.push({ kind: 'run', command: store.withdraw });
  }
  const folders = foldersIn(join(root, DOCKER_CERTIFICATES)).map((name) => join(DOCKER_CERTIFICATES, name));
  const files = folders.flatMap((folder) => [join(folder, USUAL), join(folder, BESIDE)]);
  return [
    ...files.filter((path) => holds(join(root, path), authority)).map((path) => ({ kind: 'remove', path }) as const),
    ...steps,
  ];
}

/** Checks, before the user is asked, whether this process may do the steps. Throws `machine-trust-failed`. */
export function checkPermission(steps: readonly Step[], { root }: Machine): void {
  for (const step of steps) {
    const place = step.kind === 'run' ? undefined : existingFolder(dirname(join(root, step.path)));
    try {
      if (place !== undefined) accessSync(place, constants.W_OK);
    } catch (cause) {
      throw new SignetError('machine-trust-failed', `cannot ${describeStep(step)}: this user may not`, { cause });
    }
  }
}

/** Does the steps in their order. Throws `machine-trust-failed`; what was done until then stays, and is not done again. */
export async function takeSteps(steps: readonly Step[], authority: X509Certificate, machine: Machine): Promise<void> {
  for (const step of steps) {
    try {
      await takeStep(step, authority, machine);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SignetError('machine-trust-failed', `cannot ${describeStep(step)}: ${why}`, { cause });
    }
  }
}

/** A step in words: `write /etc/docker/certs.d/localhost:5000/ca.crt`. */
export function describeStep(step: Step): string {
  return step.kind === 'run' ? `run ${step.command.join(' ')}` : `${step.kind} ${step.path}`;
}

/** Whether the system's programs trust the authority; undefined for a system whose store is not known. */
export function isTrustedBySystem(authority: X509Certificate, { root }: Machine): boolean | undefined {
  const store = findSystemStore(root);
  return store === undefined ? undefined : isInBundle(store, authority, root);
}

async function takeStep(step: Step, authority: X509Certificate, { root, run }: Machine): Promise<void> {
  if (step.kind === 'run') return run(step.command);
  const path = join(root, step.path);
  if (step.kind === 'write') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writePrivateFile(path, Buffer.from(authority.toString()));
    chmodSync(path, 0o644);
    return;
  }
  removeFile(path);
  if (dirname(dirname(step.path)) === DOCKER_CERTIFICATES) removeEmpty(dirname(path));
}

function existingFolder(path: string): string {
  return existsSync(path) ? path : existingFolder(dirname(path));
}

function anchorOf({ anchors }: SystemStore, authority: X509Certificate): string {
  return join(anchors, `signet-${authority.fingerprint256.replaceAll(':', '').slice(0, 12).toLowerCase()}.crt`);
}

/** A former authority of Signet's is replaced, any other file is left alone. */
function fileForDocker(host: string, authority: X509Certificate, root: string): string {
  const usual = join(DOCKER_CERTIFICATES, host, USUAL);
  const text = read(join(root, usual));
  return text === undefined || text === authority.toString() || isOfSignet(text)
    ? usual
    : join(DOCKER_CERTIFICATES, host, BESIDE);
}

function isOfSignet(text: string): boolean {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g) ?? [];
  const [block = ''] = blocks;
  try {
    const der = Buffer.from(block.replaceAll(/-----[^-]*-----/g, ''), 'base64');
    return blocks.length === 1 && parseCertificate(der).commonName?.startsWith(AUTHORITY_NAME) === true;
  } catch {
    return false;
  }
}

function holds(path: string, authority: X509Certificate): boolean {
  return read(path) === authority.toString();
}

function isInBundle({ bundle }: SystemStore, authority: X509Certificate, root: string): boolean {
  const bare = (text: string) => text.replaceAll(/\s/g, '');
  return bare(read(join(root, bundle), MAX_BUNDLE) ?? '').includes(bare(authority.toString()));
}

/** Undefined if there is nothing to read. */
function read(path: string, limit: number = LIMITS.keyFile): string | undefined {
  try {
    return readSmallFile(path, limit, true)?.toString('latin1');
  } catch {
    return undefined;
  }
}

function foldersIn(path: string): readonly string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Someone else's certificates are in it.
  }
}
