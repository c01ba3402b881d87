import { Refusal } from '../publish/refusal.ts';
import { readBody } from './request-body.ts';
import type { NotaryCall, Route, Services } from './routes.ts';

const PATTERN = /^signet\/proposal$/;
const CHECKSUM = /^"([0-9a-f]{64})"$/;

/** The routes of a GUN's proposal (docs/proposals.md). It is nobody's business who may not publish. */
export const PROPOSAL_ROUTES: readonly Route[] = [
  {
    operation: 'GetProposal',
    method: 'GET',
    pattern: PATTERN,
    actions: ['push', 'pull'],
    outside: 'metadata-not-found',
    answer: getProposal,
  },
  {
    operation: 'PutProposal',
    method: 'PUT',
    pattern: PATTERN,
    actions: ['push', 'pull'],
    outside: 'gun-unsupported',
    answer: putProposal,
  },
  {
    operation: 'DeleteProposal',
    method: 'DELETE',
    pattern: PATTERN,
    actions: ['push', 'pull'],
    outside: 'metadata-not-found',
    answer: deleteProposal,
  },
];

async function getProposal({ proposals }: Services, { gun }: NotaryCall): Promise<Response> {
  const { bytes, sha256, putAt } = await proposals.get(gun);
  return new Response(new Uint8Array(bytes), {
    headers: {
      'Content-Type': 'application/json',
      ETag: `"${sha256}"`,
      'Last-Modified': new Date(putAt).toUTCString(),
      'Cache-Control': 'no-store',
    },
  });
}

async function putProposal({ proposals }: Services, { request, gun, gate }: NotaryCall): Promise<Response> {
  const former = checksumIn(request);
  if (former === undefined && request.headers.get('if-none-match') !== '*') throw new Refusal('condition-missing');
  await proposals.put(gun, former, await readBody(request), gate.subject);
  return new Response(null, { status: 204 });
}

async function deleteProposal({ proposals }: Services, { request, gun, gate }: NotaryCall): Promise<Response> {
  const former = checksumIn(request);
  if (former === undefined) throw new Refusal('condition-missing');
  await proposals.remove(gun, former, gate.subject);
  return new Response(null, { status: 204 });
}

/** The one checksum of `If-Match`; undefined where there is none, or anything else. */
function checksumIn(request: Request): string | undefined {
  return CHECKSUM.exec(request.headers.get('if-match') ?? '')?.[1];
}
