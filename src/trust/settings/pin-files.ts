import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { checkCertificate } from '../../core/keys/certificate.ts';
import { parsePem } from '../../core/keys/pem.ts';
import { type Certificate, parseCertificate } from '../../core/keys/x509.ts';
import { LIMITS } from '../../core/limits.ts';
import { isKeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import type { Pinning, RootPin, TrustOnFirstUse } from '../../core/verify/pinning.ts';
import { readSmallFile } from '../../store/files.ts';
import { isCi } from './ci.ts';
import { type PinningSettings, parseTofu } from './pinning-settings.ts';

/**
 * Reads the pins of a configuration and the certificates it names. One unreadable pin makes every command fail,
 * whatever its repository. SIGNET_TOFU overrides the configuration; if neither decides, trust on first use is off in CI
 * jobs, which keep no state. Throws `configuration-invalid`.
 */
export function readPinning({ certs, ca, tofu }: PinningSettings, env: NodeJS.ProcessEnv, now: Instant): Pinning {
  return {
    certs: new Map([...certs].map(([pattern, pins]) => [pattern, pins.map((pin) => readPin(pattern, pin))])),
    ca: new Map([...ca].map(([pattern, path]) => [pattern, readFor(pattern, path, () => readAuthorities(path, now))])),
    tofu: env.SIGNET_TOFU ? parseTofu(env.SIGNET_TOFU, 'SIGNET_TOFU') : (tofu ?? undecided(env)),
  };
}

function undecided(env: NodeJS.ProcessEnv): TrustOnFirstUse {
  return isCi(env) ? 'off-in-ci' : 'on';
}

function readPin(pattern: string, pin: string): RootPin {
  return isKeyId(pin) ? pin : readFor(pattern, pin, () => readLeaf(pin));
}

/** The certificate of a root key, as in `notary init --rootcert`: authorities may follow it. */
function readLeaf(path: string): Certificate {
  const [leaf, ...others] = readCertificates(path);
  if (leaf === undefined || leaf.isAuthority)
    throw invalid('it is not the certificate of a root key; authorities belong below ca');
  if (!others.every(({ isAuthority }) => isAuthority)) throw invalid('it has more than one certificate');
  return leaf;
}

/** The usable authorities of a bundle. As in Notary, expired and weak ones are ignored. */
function readAuthorities(path: string, now: Instant): readonly Certificate[] {
  const authorities = readCertificates(path);
  if (!authorities.every(({ isAuthority }) => isAuthority))
    throw invalid('it has a certificate that is no authority; those of root keys belong below certs');
  const problems: unknown[] = [];
  const valid = authorities.filter((authority) => {
    try {
      checkCertificate(authority, now);
      return true;
    } catch (error) {
      problems.push(error);
      return false;
    }
  });
  if (valid.length === 0)
    throw invalid(problems[0] instanceof SignetError ? problems[0].message : 'it has no certificate');
  return valid;
}

function readCertificates(path: string): readonly Certificate[] {
  const bytes = readSmallFile(path, LIMITS.keyFile, true);
  if (bytes === undefined) throw invalid('it does not exist');
  return parsePem(bytes).map(({ type, bytes: der }) => {
    if (type !== 'CERTIFICATE') throw invalid(`it has a ${type}, and only certificates belong there`);
    return parseCertificate(der);
  });
}

function readFor<Value>(pattern: string, path: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('configuration-invalid', `cannot pin ${pattern} by ${path}: ${cause.message}`);
  }
}

function invalid(why: string): SignetError {
  return new SignetError('configuration-invalid', why);
}
