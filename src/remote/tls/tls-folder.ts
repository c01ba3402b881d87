import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import type { ClientIdentity } from '../transport/connection.ts';
import { checkCertificateFile, checkIdentityFiles } from './certificate-files.ts';

export interface TlsFolder {
  readonly authorities: readonly Buffer[];
  readonly identities: readonly ClientIdentity[];
}

const MAX_FILES = 256;

/**
 * Reads one of docker's certificate folders (protocol C.5.1): every `*.crt` is an authority to trust, every `*.cert` a
 * client certificate with its key in the `*.key` of the same name. A folder that does not exist is empty. Throws
 * `tls-files-invalid` if half of a pair is missing, or if a file cannot be read or is none of these.
 */
export function readTlsFolder(folder: string): TlsFolder {
  const names = namesIn(folder);
  const read = (name: string) => readSmallFile(join(folder, name));
  const stems = (suffix: string) =>
    names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  for (const stem of stems('.cert').filter((stem) => !names.includes(`${stem}.key`))) {
    fail(
      `missing key ${stem}.key for client certificate ${stem}.cert. CA certificates must use the extension .crt`,
      folder,
    );
  }
  for (const stem of stems('.key').filter((stem) => !names.includes(`${stem}.cert`))) {
    fail(`missing client certificate ${stem}.cert for key ${stem}.key`, folder);
  }
  const authority = (name: string) => {
    const pem = read(name);
    checkCertificateFile(join(folder, name), pem);
    return pem;
  };
  const identity = (stem: string) => {
    const files = { certificate: `${stem}.cert`, key: `${stem}.key` };
    const pair = { certificate: read(files.certificate), key: read(files.key) };
    checkIdentityFiles(pair, { certificate: join(folder, files.certificate), key: join(folder, files.key) });
    return pair;
  };
  return {
    authorities: stems('.crt').map((stem) => authority(`${stem}.crt`)),
    identities: stems('.cert').map(identity),
  };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort().slice(0, MAX_FILES);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR')
      return fail(`a file stands where the folder of certificates ${folder} should be`, folder, cause);
    return fail(`cannot read the folder of certificates ${folder}: ${code}`, folder, cause);
  }
}

function readSmallFile(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > LIMITS.keyFile) fail(`the certificate file ${path} is too large`, path);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof SignetError) throw cause;
    return fail(`cannot read the certificate file ${path}`, path, cause);
  }
}

function fail(message: string, path: string, cause?: unknown): never {
  throw new SignetError('tls-files-invalid', message, { cause, detail: { path }, next: `Fix what stands at ${path}.` });
}
