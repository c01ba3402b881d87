export const BOUNDARY = '5eac7f9ce2c4c6214dafebe33d498a52';
const DISPOSITION = 'Content-Disposition: form-data; name="files"; filename=';

/** A request of which a test says every byte. */
export interface Form {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Record<string, string>;
}

/** A publish as Go's client writes it (protocol B.6.1). */
export function formOf(files: Iterable<readonly [string, string | Uint8Array]>): Form {
  return form(...[...files].flatMap(([role, content]) => part(role, content)), `--${BOUNDARY}--\r\n`);
}

/** One part with its boundary and headers. */
export function part(role: string, content: string | Uint8Array): readonly (string | Uint8Array)[] {
  const type = 'Content-Type: application/octet-stream';
  return [`--${BOUNDARY}\r\n${DISPOSITION}"${role}"\r\n${type}\r\n\r\n`, content, '\r\n'];
}

/** A form of these pieces, which need not be one at all. */
export function form(...pieces: readonly (string | Uint8Array)[]): Form {
  const body = Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
  return {
    body: new Uint8Array(body),
    headers: { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` },
  };
}
