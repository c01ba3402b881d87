import { Client, credentials, status } from '@grpc/grpc-js';

/** Who calls a gRPC server, and whom they trust; PEM. */
export interface Caller {
  readonly authority: string;
  readonly cert: string;
  readonly key: string;
}

/** Calls `localhost:PORT` with these bytes, whatever they are; returns the state, and the answer in hex or the error's text. */
export function rawCall(
  port: number,
  { authority, cert, key }: Caller,
  path: string,
  bytes: Buffer,
): Promise<readonly [code: number, text: string]> {
  const tls = credentials.createSsl(Buffer.from(authority), Buffer.from(key), Buffer.from(cert));
  const client = new Client(`localhost:${port}`, tls, {});
  const same = (value: Buffer) => value;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, bytes, {}, (error, answer) => {
      client.close();
      resolve(error === null ? [status.OK, answer?.toString('hex') ?? ''] : [error.code, error.details]);
    });
  });
}
