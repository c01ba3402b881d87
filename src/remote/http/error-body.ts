import { type JsonObject, type JsonValue, parseJson } from '../../core/json/parse.ts';
import { printable } from '../../core/printable.ts';

/** How many characters of a server's message are shown. */
export const MAX_TEXT = 512;

/** One entry of the error bodies of registries, trust servers and token services (protocol B.3, F.5). */
export interface RemoteError {
  /** Such as `MANIFEST_UNKNOWN`. */
  readonly code: string;
  /** One line. */
  readonly message: string;
  readonly detail: JsonValue | undefined;
}

const MAX_ERRORS = 16;

/** Parses `{"errors":[{"code","message","detail"}]}`; any other body contains no errors. */
export function parseErrorBody(body: Uint8Array): readonly RemoteError[] {
  const document = parseOrUndefined(body);
  if (!(document instanceof Map)) return [];
  const errors = document.get('errors');
  if (!Array.isArray(errors) || errors.length > MAX_ERRORS) return [];
  return errors.filter((entry: JsonValue): entry is JsonObject => entry instanceof Map).map(readError);
}

/** The server's error message, in one line; undefined if there is none. */
export function describeFailure(body: Uint8Array): string | undefined {
  const [first] = parseErrorBody(body);
  if (first !== undefined) return first.message || first.code || undefined;
  const document = parseOrUndefined(body);
  const members =
    document instanceof Map
      ? ['details', 'message', 'error_description', 'error'].map((name) => document.get(name))
      : [];
  const text = members.find((member) => typeof member === 'string' && member !== '');
  return typeof text === 'string' ? printable(text, MAX_TEXT) : undefined;
}

function readError(entry: JsonObject): RemoteError {
  const text = (name: string) => {
    const value = entry.get(name);
    return typeof value === 'string' ? printable(value, MAX_TEXT) : '';
  };
  return { code: text('code'), message: text('message'), detail: entry.get('detail') };
}

function parseOrUndefined(body: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(body, { numbers: 'any' });
  } catch {
    return undefined;
  }
}
