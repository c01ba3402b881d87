import { SignetError } from '../../core/errors/index.ts';

/** Size limit in bytes, more than any password or token has. */
const MAX_SECRET = 16 * 1024;

/** Reads a secret from a stream to its end, and removes the line end. The caller wipes it. Throws `too-large`. */
export async function readSecret(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    chunk.fill(0);
    length += chunk.length;
    if (length > MAX_SECRET) throw new SignetError('too-large', `the secret is longer than ${MAX_SECRET} bytes`);
  }
  const all = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  let end = all.length;
  while (end > 0 && (all[end - 1] === 0x0a || all[end - 1] === 0x0d)) end--;
  return all.subarray(0, end);
}
