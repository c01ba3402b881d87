import { isSignetError, SignetError } from '../errors/index.ts';
import { isPbes2Supported, isSupportedDekInfo } from './encryption.ts';
import type { KeyFile } from './key-file.ts';

/** Ciphers of `DEK-Info` that OpenSSL 3 has outside its legacy provider. */
const CURRENT_CIPHERS = /^(DES-EDE3-CBC|(AES|ARIA|CAMELLIA)-\d+-CBC),/;

/**
 * Refuses a key whose encryption is not read here, before anyone is asked for its passphrase: of PEM files other than
 * AES-CBC, of PKCS#8 other than PBES2 with PBKDF2 and AES-CBC. The error says by which command OpenSSL converts the file,
 * which its `detail.command` has with `FILE` in the place of the file's name. Throws `key-unsupported`.
 */
export function checkEncryption({ encrypted, block }: KeyFile): void {
  if (!encrypted) return;
  const dekInfo = block.headers.get('DEK-Info');
  if (dekInfo !== undefined) {
    if (isSupportedDekInfo(dekInfo)) return;
    throw refusal(dekInfo.split(',')[0] ?? '', !CURRENT_CIPHERS.test(dekInfo));
  }
  try {
    const support = isPbes2Supported(block.bytes);
    if (support !== 'supported') throw refusal('PKCS#8', support === 'legacy');
  } catch (error) {
    // What is no PKCS#8 at all is damaged, which opening it says better.
    if (isSignetError(error, 'key-malformed')) return;
    throw error;
  }
}

function refusal(what: string, needsLegacy: boolean): SignetError {
  const providers = needsLegacy ? ' -provider legacy -provider default' : '';
  const command = `openssl pkcs8 -topk8 -v2 aes-256-cbc${providers} -in FILE -out NEW.pem`;
  return new SignetError('key-unsupported', `the key is encrypted in an old way (${what}), which is not read`, {
    detail: { command },
    next: `Convert it, and use the new file: ${command}`,
  });
}
