import { SignetError } from '../../core/errors/index.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { Action } from '../../core/scope.ts';
import type { AuthorizedAnswer, AuthorizedClient } from '../auth/authorized.ts';
import { parseErrorBody } from '../http/error-body.ts';
import { multipartUpload } from './multipart.ts';
import { isUnknownPath, sendTrustRequest } from './trust-request.ts';
import { rejection, translateStatus } from './trust-status.ts';

const PATH = 'signet/import';
const ACTIONS: readonly Action[] = ['pull', 'push'];

/** The place of Signet's trust server that takes collections from other servers (protocol I.2). */
export class ImportService {
  private readonly address: URL;
  private readonly client: AuthorizedClient;

  /** `address` as `serverFor` gives it. */
  constructor(address: URL, client: AuthorizedClient) {
    this.address = address;
    this.client = client;
  }

  /**
   * Whether the server could take the collection: not if it has one of that name already. Nothing changes. Throws
   * `import-unsupported` for a server that takes none, and as `translateStatus`.
   */
  async isFree(gun: Gun): Promise<boolean> {
    const answer = await this.send(gun, new Map());
    // An import without files is none, which is found out after all that could stop another one.
    if (answer.status === 400) return true;
    return this.wasStored(answer, gun);
  }

  /**
   * Imports the files, by the names of protocol I.2.1, all or none. Returns false if the server has trust data of that name
   * by now. Throws `import-unsupported`, `publish-rejected` and as `translateStatus`.
   */
  async import(gun: Gun, files: ReadonlyMap<string, Buffer>): Promise<boolean> {
    const answer = await this.send(gun, files);
    if (answer.status === 400) throw rejection(parseErrorBody(answer.body));
    return this.wasStored(answer, gun);
  }

  private wasStored(answer: AuthorizedAnswer, gun: Gun): boolean {
    if (answer.status === 409) return false;
    if (answer.status === 413) {
      throw new SignetError('too-large', `the trust data of ${gun} is more than ${this.address.host} takes at once`);
    }
    if (isUnknownPath(answer)) {
      throw new SignetError(
        'import-unsupported',
        `the trust server ${this.address.host} does not take repositories from other servers`,
      );
    }
    translateStatus(answer, gun, 'import');
    return true;
  }

  private send(gun: Gun, files: ReadonlyMap<string, Buffer>): Promise<AuthorizedAnswer> {
    const { contentType, body } = multipartUpload(files);
    const request = { method: 'POST', headers: { 'Content-Type': contentType }, body } as const;
    return sendTrustRequest(this.client, this.address, { ...request, gun, path: PATH, actions: ACTIONS });
  }
}
