import { checkCustom } from '../../../core/edit/custom-data.ts';
import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { type JsonValue, parseJson } from '../../../core/json/parse.ts';
import { readSmallFile } from '../../../store/files.ts';

/** Size limit of the file of custom data, in bytes. */
const MAX_CUSTOM = 256 * 1024;

/**
 * Reads the JSON to be signed with a target, and puts it in canonical form whatever the file's format (protocol G-14).
 * Undefined if it is `null`, which Notary omits too. Throws `file-missing`, `too-large` or `change-invalid`.
 */
export async function readCustom(path: string): Promise<JsonValue | undefined> {
  const file = readSmallFile(path, MAX_CUSTOM, true);
  if (file === undefined) throw new SignetError('file-missing', `open ${path}: no such file or directory`);
  try {
    const value = parseJson(file);
    checkCustom(value);
    return value ?? undefined;
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('change-invalid', `cannot sign the custom data in ${path}: ${cause.message}`);
  }
}
