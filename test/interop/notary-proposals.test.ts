import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { parseGun } from '../../src/core/names/gun.ts';
import { AuthorizedClient } from '../../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../../src/remote/auth/token.ts';
import { HttpClient } from '../../src/remote/http/http.ts';
import { RemoteProposals } from '../../src/remote/notary/proposal-service.ts';
import { ProposalFolder } from '../../src/store/proposal-folder.ts';
import { Proposals } from '../../src/trust/publish/proposals.ts';
import { proposalOf } from '../core/edit/proposal-store.suite.ts';
import { failure } from '../support/failure.ts';
import { startNotaryServer } from '../support/notary-server.ts';
import { temporaryFolder } from '../support/temp.ts';

test('with notary-server a proposal is a file', async () => {
  const server = await startNotaryServer();
  const gun = parseGun(`${server.host}/team/app`);
  const [one, two] = [proposalOf(gun, 'one'), proposalOf(gun, 'two')];
  const authorities = [readFileSync(server.authority)];
  const connection = { authorities, identities: [], verify: true, address: undefined };
  const http = new HttpClient({ userAgent: 'test', connectionFor: async () => connection });
  const login = async () => undefined;
  const client = new AuthorizedClient({
    http,
    logins: [{ registry: 'localhost', find: login }],
    tokens: new MemoryTokens(),
  });
  const remote = new RemoteProposals(new URL(server.origin), client);
  expect(await remote.read(gun)).toBeUndefined();
  await failure(remote.replace(gun, undefined, one), 'proposals-unsupported');
  await failure(remote.replace(gun, one, undefined), 'proposals-unsupported');

  const folder = new ProposalFolder(temporaryFolder());
  const proposals = new Proposals(remote, folder);
  expect(await proposals.read(gun)).toBeUndefined();
  expect(await proposals.replace(gun, undefined, one)).toBe(true);
  expect(await proposals.place(gun)).toBe(folder.pathOf(gun));
  expect(await proposals.replace(gun, undefined, two)).toBe(false);
  expect(await proposals.replace(gun, one, two)).toBe(true);
  expect(readFileSync(folder.pathOf(gun)).equals(two)).toBe(true);
  expect(await proposals.replace(gun, two, undefined)).toBe(true);
  expect(await proposals.read(gun)).toBeUndefined();
}, 60_000);
