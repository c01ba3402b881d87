import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** Files in which distributions keep all authorities; the first that exists counts. */
const FILES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Gentoo
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // openSUSE, SLES
  '/etc/pki/tls/cacert.pem', // OpenELEC
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', // RHEL 7 and later
  '/etc/ssl/cert.pem', // Alpine
];
/** Folders of single authorities, all of which count. */
const FOLDERS = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
/** In bytes; the bundles of distributions are about 250 KB. */
const MAX_FILE = 16 * 1024 * 1024;
const MAX_FILES = 16 * 1024;
const CERTIFICATE = /^-----BEGIN CERTIFICATE-----[ \t]*\r?\n([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----/gm;

/**
 * The authorities that Linux trusts, each as PEM, found as Go and so docker find them: in the first bundle that exists,
 * and in all files of the folders. `SSL_CERT_FILE` names another bundle, `SSL_CERT_DIR` other folders, separated by
 * colons. Skips what cannot be read or is no certificate. Undefined on other systems, where the runtime knows.
 */
export function systemRoots(env: NodeJS.ProcessEnv = process.env): readonly string[] | undefined {
  if (process.platform !== 'linux') return undefined;
  const { files, folders } = rootLocations(env);
  const bundle = first(files, readSmall) ?? '';
  const found = [bundle, ...folders.flatMap(filesIn).map((path) => readSmall(path) ?? '')];
  const bodies = new Set(found.flatMap((text) => [...text.matchAll(CERTIFICATE)].map(([, body]) => packed(body))));
  return [...bodies].map(pem).filter(isCertificate);
}

/** Where authorities are looked for, for a message. */
export function rootLocations(env: NodeJS.ProcessEnv = process.env): {
  readonly files: readonly string[];
  readonly folders: readonly string[];
} {
  return {
    files: env.SSL_CERT_FILE ? [env.SSL_CERT_FILE] : FILES,
    folders: env.SSL_CERT_DIR ? env.SSL_CERT_DIR.split(':') : FOLDERS,
  };
}

function first<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Links to a file in the same folder are skipped: they only give it another name. */
function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .slice(0, MAX_FILES)
      .filter((entry) => !(entry.isSymbolicLink() && !readlinkSync(`${folder}/${entry.name}`).includes('/')))
      .map(({ name }) => `${folder}/${name}`);
  } catch {
    return [];
  }
}

function readSmall(path: string): string | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= MAX_FILE ? readFileSync(path, 'latin1') : undefined;
  } catch {
    return undefined;
  }
}

function packed(body = ''): string {
  return body.replace(/\s+/g, '');
}

function pem(body: string): string {
  return `-----BEGIN CERTIFICATE-----\n${body.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

/** One unreadable certificate would make the whole list fail. */
function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
