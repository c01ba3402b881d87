import { SignetError } from '../errors/index.ts';
import { canonicalText, escapeForFile } from '../json/canonical.ts';
import type { JsonValue } from '../json/parse.ts';

/**
 * Refuses custom data of a target that not every client can sign again. Notary's own clients sign `<`, `>`, `&` and line
 * separators in their escaped form, and verify them in the canonical one (protocol A.2): the next of them to publish the
 * role would invalidate it. Throws `change-invalid`.
 */
export function checkCustom(custom: JsonValue): void {
  const canonical = canonicalText(custom);
  if (canonical === escapeForFile(canonical)) return;
  throw new SignetError(
    'change-invalid',
    'custom data with <, >, & or a line separator cannot be signed by all clients',
  );
}
