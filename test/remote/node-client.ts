import { readFileSync } from 'node:fs';
import { isSignetError } from '../../src/core/errors/index.ts';
import { HttpClient } from '../../src/remote/http/http.ts';
import type { Connection } from '../../src/remote/transport/connection.ts';

/** One request for the runtime under test to make. */
export interface Errand {
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'HEAD';
  readonly body?: string;
  readonly redirects?: number;
  /** PEM texts. */
  readonly authorities?: readonly string[];
  readonly identity?: { readonly cert: string; readonly key: string };
  readonly verify?: boolean;
  readonly address?: string;
  /** Milliseconds for each wait; more than it takes where absent. */
  readonly patience?: number;
}

/** What came of it: `200 the body`, or an error's code. */
async function run(errand: Errand): Promise<string> {
  const { identity } = errand;
  const connection: Connection = {
    authorities: (errand.authorities ?? []).map((pem) => Buffer.from(pem)),
    identities:
      identity === undefined ? [] : [{ certificate: Buffer.from(identity.cert), key: Buffer.from(identity.key) }],
    verify: errand.verify ?? true,
    address: errand.address,
  };
  const { patience = 30_000 } = errand;
  const timeouts = { answer: patience, idle: patience, total: 8 * patience };
  const http = new HttpClient({
    userAgent: 'test',
    connectionFor: async () => connection,
    timeouts,
    sleep: async () => {},
  });
  try {
    const request = {
      method: errand.method ?? 'GET',
      url: new URL(errand.url),
      limit: 1000,
      redirects: errand.redirects ?? 0,
      ...(errand.body === undefined ? {} : { body: Buffer.from(errand.body) }),
    };
    await http.send(request);
    const { status, body } = await http.send(request);
    return `${status} ${body.toString()}`;
  } catch (error) {
    return isSignetError(error) ? error.code : String(error);
  }
}

const outcomes: string[] = [];
for (const errand of JSON.parse(readFileSync(0, 'utf8')) as Errand[]) outcomes.push(await run(errand));
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
