import type { TokenIssuer } from '../accounts/tokens/foreign-tokens.ts';
import { parseIssuerKeys } from '../accounts/tokens/issuer-keys.ts';
import { SignetError } from '../core/errors/index.ts';
import { LIMITS } from '../core/limits.ts';
import { readSmallFile } from '../store/files.ts';
import type { Settings } from './settings/settings.ts';

/** The issuer of tokens that the settings name beside the server's own; its keys are read. Throws `token-key-invalid`. */
export function readTokenIssuer({
  tokenIssuer: issuer,
  tokenIssuerService: service,
  tokenIssuerRealm: realm,
  tokenIssuerKeys: file,
}: Settings): TokenIssuer | undefined {
  if (issuer === undefined || service === undefined || realm === undefined || file === undefined) return undefined;
  const bytes = readSmallFile(file, LIMITS.keyFile, true);
  if (bytes === undefined) {
    throw new SignetError('token-key-invalid', `there is no file ${file}, which tokenIssuerKeys names`, {
      next: "Give the issuer's certificate or public key in PEM, or its JWKS: --token-issuer-keys FILE",
    });
  }
  return { issuer, service, realm, keys: parseIssuerKeys(bytes.toString('utf8')) };
}
