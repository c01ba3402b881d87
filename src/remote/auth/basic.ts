import type { Login } from '../../core/login.ts';

/** The value of an `Authorization` header for Basic authentication. */
export function basicAuthorization(login: Login): string {
  const pair = Buffer.concat([Buffer.from(`${login.username}:`), login.password]);
  const text = pair.toString('base64');
  pair.fill(0);
  return `Basic ${text}`;
}
