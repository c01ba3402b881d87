/** Where logins are reported. Fields never hold a secret. */
export interface LoginLog {
  info(message: string, fields: Readonly<Record<string, string | undefined>>): void;
  warn(message: string, fields: Readonly<Record<string, string | undefined>>): void;
}
