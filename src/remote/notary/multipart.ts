/** A request body and its `Content-Type`. */
interface Upload {
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * The multipart body of a publish or an import, byte for byte as Go writes it (protocol B.6.1): one part per file in the
 * map's order, with the role, or the name of protocol I.2.1, as file name, including slashes.
 */
export function multipartUpload(files: ReadonlyMap<string, Uint8Array>, boundary = newBoundary()): Upload {
  const pieces: Uint8Array[] = [];
  for (const [role, bytes] of files) {
    const separator = pieces.length === 0 ? '' : '\r\n';
    const disposition = `Content-Disposition: form-data; name="files"; filename="${role}"`;
    const type = 'Content-Type: application/octet-stream';
    pieces.push(Buffer.from(`${separator}--${boundary}\r\n${disposition}\r\n${type}\r\n\r\n`), bytes);
  }
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat(pieces) };
}

function newBoundary(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(30))).toString('hex');
}
