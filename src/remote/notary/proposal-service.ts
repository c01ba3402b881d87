import type { ProposalStore } from '../../core/edit/proposal-store.ts';
import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { Action } from '../../core/scope.ts';
import type { AuthorizedAnswer, AuthorizedClient } from '../auth/authorized.ts';
import { isUnknownPath, sendTrustRequest, type TrustRequest } from './trust-request.ts';
import { translateStatus } from './trust-status.ts';

const PATH = 'signet/proposal';
const ACTIONS: readonly Action[] = ['pull', 'push'];

/** Proposals on Signet's trust server (docs/proposals.md). Other trust servers do not support them. */
export class RemoteProposals implements ProposalStore {
  private readonly address: URL;
  private readonly client: AuthorizedClient;

  /** `address` comes from `serverFor`. */
  constructor(address: URL, client: AuthorizedClient) {
    this.address = address;
    this.client = client;
  }

  /**
   * Also undefined if the server does not support proposals. Throws what `translateStatus` and the connection throw.
   */
  async read(gun: Gun): Promise<Buffer | undefined> {
    const answer = await this.send(gun, { method: 'GET', limit: LIMITS.upload });
    if (isUnknownPath(answer)) return undefined;
    translateStatus(answer, gun, 'proposal');
    return answer.body;
  }

  async replace(gun: Gun, former: Buffer | undefined, proposal: Buffer | undefined): Promise<boolean> {
    if (former === undefined && proposal === undefined) return (await this.read(gun)) === undefined;
    const condition =
      former === undefined ? { 'If-None-Match': '*' } : { 'If-Match': `"${digestHex(digestOf(former))}"` };
    const answer = await this.send(
      gun,
      proposal === undefined
        ? { method: 'DELETE', headers: condition }
        : { method: 'PUT', headers: { ...condition, 'Content-Type': 'application/json' }, body: proposal },
    );
    if (answer.status === 204) return true;
    if (answer.status === 412) return false;
    if (isUnknownPath(answer)) {
      throw new SignetError('proposals-unsupported', `the trust server ${this.address.host} keeps no proposals`);
    }
    translateStatus(answer, gun, 'proposal');
    throw new SignetError('response-invalid', 'the trust server does not say what became of the proposal');
  }

  private send(gun: Gun, request: Omit<TrustRequest, 'gun' | 'path' | 'actions'>): Promise<AuthorizedAnswer> {
    return sendTrustRequest(this.client, this.address, { ...request, gun, path: PATH, actions: ACTIONS });
  }
}
