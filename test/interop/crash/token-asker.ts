/** Somebody who logs in, and asks for tokens with what they got in exchange for the password. */
export class TokenAsker {
  /** Acknowledged refresh tokens. */
  readonly refreshTokens: string[] = [];
  private readonly origin: string;
  private readonly basic: string;

  constructor(origin: string, name: string, password: string) {
    this.origin = origin;
    this.basic = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  }

  async step(): Promise<void> {
    const last = this.refreshTokens.at(-1);
    if (last === undefined || this.refreshTokens.length % 5 === 0) await this.logIn();
    else await this.exchange(last);
  }

  /** Every refresh token that was given out is taken. */
  async check(): Promise<void> {
    for (const token of this.refreshTokens.splice(0)) await this.exchange(token);
  }

  private async logIn(): Promise<void> {
    const query = 'service=signet&scope=repository:alice/app:pull&offline_token=true&client_id=docker&account=alice';
    const answer = await this.send(`${this.origin}/auth/token?${query}`, { headers: { authorization: this.basic } });
    this.refreshTokens.push(answer.refresh_token ?? '');
  }

  private async exchange(token: string): Promise<void> {
    const form = { grant_type: 'refresh_token', service: 'signet', client_id: 'docker', refresh_token: token };
    const body = new URLSearchParams({ ...form, scope: 'repository:alice/app:pull' });
    const { access_token } = await this.send(`${this.origin}/auth/token`, { method: 'POST', body });
    if (access_token === undefined) throw new Error('no access token was given');
  }

  private async send(url: string, init: RequestInit): Promise<Record<string, string>> {
    const response = await fetch(url, { ...init, tls: { rejectUnauthorized: false }, keepalive: false });
    if (response.status !== 200) throw new Error(`a token was refused: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, string>;
  }
}
