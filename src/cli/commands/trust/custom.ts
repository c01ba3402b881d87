import { checkCustom } from '../../../core/edit/custom-data.ts';
import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { type JsonValue, parseJson } from '../../../core/json/parse.ts';
import { readSmallFile } from '../../../store/files.ts';

/** Of the file of custom data, in bytes. */
const MAX_CUSTOM = 256 * 1024;

/**
 * Reads the JSON that is to be signed along with a target, in canonical form whatever form the file has (protocol G-14);
 * undefined where it is `null`, which Notary leaves out too. Throws `file-missing`, `too-large`, `change-invalid`.
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
