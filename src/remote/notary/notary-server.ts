import { CHAIN_HEADER, CHAIN_TYPE, formatKnown, type KnownFiles, parseChain } from '../../core/chain.ts';
import { SignetError } from '../../core/errors/index.ts';
import { parseJson } from '../../core/json/parse.ts';
import { type PublicKey, parsePublicKey } from '../../core/keys/public-key.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { Action } from '../../core/scope.ts';
import type { AuthorizedAnswer, AuthorizedClient } from '../auth/authorized.ts';
import { multipartUpload } from './multipart.ts';
import { badResponse, sendTrustRequest, type TrustRequest } from './trust-request.ts';
import { type Latest, type RemoteFile, remoteName, type ServerRole, type TrustServer } from './trust-server.ts';
import { translatePublish, translateStatus } from './trust-status.ts';

type NotaryRequest = Omit<TrustRequest, 'gun' | 'path' | 'actions'>;

/** A trust server reached over HTTP (protocol C.5). */
export class NotaryServer implements TrustServer {
  private readonly address: URL;
  private readonly client: AuthorizedClient;
  private readonly actions: readonly Action[];

  /**
   * `address` comes from `serverFor`. `actions` are the scope of reads: `pull`, or what the command needs later anyway,
   * so that it needs only one token.
   */
  constructor(address: URL, client: AuthorizedClient, actions: readonly Action[] = ['pull']) {
    this.address = address;
    this.client = client;
    this.actions = actions;
  }

  async read(gun: Gun, file: RemoteFile, limit: number): Promise<Buffer> {
    const name = remoteName(file);
    const answer = await this.send(gun, `${name}.json`, { method: 'GET', limit }, this.actions);
    translateStatus(answer, gun, name);
    return answer.body;
  }

  async latest(gun: Gun, known: KnownFiles): Promise<Latest> {
    const headers = { [CHAIN_HEADER]: formatKnown(known) };
    const answer = await this.send(
      gun,
      'timestamp.json',
      { method: 'GET', headers, limit: LIMITS.chain },
      this.actions,
    );
    translateStatus(answer, gun, 'timestamp');
    const isChain = answer.headers.get('content-type') === CHAIN_TYPE;
    const chain = isChain ? parseChain(answer.body) : undefined;
    const timestamp = isChain ? chain?.get('timestamp') : answer.body;
    if (timestamp === undefined) {
      throw new SignetError('response-invalid', "the trust server's chain of files has no timestamp");
    }
    if (timestamp.length > LIMITS.timestamp) throw badResponse({ limit: LIMITS.timestamp });
    return { timestamp, chain };
  }

  async publicKey(gun: Gun, role: ServerRole): Promise<PublicKey> {
    return this.key(gun, role, 'GET', ['pull', 'push']);
  }

  async rotateKey(gun: Gun, role: ServerRole): Promise<PublicKey> {
    return this.key(gun, role, 'POST', ['*']);
  }

  async publish(gun: Gun, files: ReadonlyMap<RoleName, Buffer>): Promise<void> {
    const { contentType, body } = multipartUpload(files);
    const headers = { 'Content-Type': contentType };
    translatePublish(await this.send(gun, '', { method: 'POST', headers, body }, ['pull', 'push']), gun);
  }

  async remove(gun: Gun): Promise<void> {
    translateStatus(await this.send(gun, '', { method: 'DELETE' }, ['*']), gun, 'DELETE metadata for GUN endpoint');
  }

  private async key(
    gun: Gun,
    role: ServerRole,
    method: 'GET' | 'POST',
    actions: readonly Action[],
  ): Promise<PublicKey> {
    const answer = await this.send(gun, `${role}.key`, { method, limit: LIMITS.keyResponse }, actions);
    translateStatus(answer, gun, `${role} key`);
    return parsePublicKey(parseJson(answer.body), `${role} key of the trust server`);
  }

  private async send(
    gun: Gun,
    path: string,
    request: NotaryRequest,
    actions: readonly Action[],
  ): Promise<AuthorizedAnswer> {
    return sendTrustRequest(this.client, this.address, { ...request, gun, path: `tuf/${path}`, actions });
  }
}
