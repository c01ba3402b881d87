import { decodeBase64 } from '../../core/base64.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { decodeUtf8 } from '../../core/json/parse.ts';
import type { Credentials } from './logins.ts';

/** What an Authorization header says. */
type Authorization =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'malformed' }
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'basic'; readonly credentials: Credentials };

const MALFORMED: Authorization = { scheme: 'malformed' };
const MAX_BASIC = 4096;
const COLON = 0x3a;

/** Reads an Authorization header: a scheme in any case, one space, and its value (protocol B.4). Never throws. */
export function parseAuthorization(header: string | null): Authorization {
  if (header === null) return { scheme: 'none' };
  const [scheme = '', value = '', ...rest] = header.split(' ');
  if (value === '' || rest.length > 0) return MALFORMED;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value };
  return scheme.toLowerCase() === 'basic' ? parseBasic(value) : MALFORMED;
}

/** RFC 7617: the name ends at the first colon, everything after it is the password. */
function parseBasic(value: string): Authorization {
  const bytes = value.length <= MAX_BASIC ? decodeBase64(value) : undefined;
  const colon = bytes?.indexOf(COLON) ?? -1;
  const name = bytes === undefined || colon < 0 ? undefined : textOf(bytes.subarray(0, colon));
  if (bytes === undefined || name === undefined) return MALFORMED;
  const password = Buffer.from(bytes.subarray(colon + 1));
  bytes.fill(0);
  return { scheme: 'basic', credentials: { name, password } };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}
