import type { Login } from '../../core/login.ts';

/** A login for one registry, which the engine forwards to it. */
export interface RegistryAuth extends Login {
  readonly serverAddress: string;
}

/** The value of `X-Registry-Auth`: URL-safe base64 of a JSON object without empty members (protocol D.2). */
export function encodeAuth(auth: RegistryAuth | undefined): string {
  const members = {
    username: auth?.username || undefined,
    password: auth?.password.toString('utf8') || undefined,
    serveraddress: auth?.serverAddress || undefined,
    identitytoken: auth?.identityToken?.toString('utf8') || undefined,
  };
  const json = Buffer.from(JSON.stringify(members));
  const text = json.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  json.fill(0);
  return text;
}
