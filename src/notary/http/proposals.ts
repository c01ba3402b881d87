import { Refusal } from '../publish/refusal.ts';
import { readWholeBody } from './request-body.ts';
import type { TrustCall, TrustServices } from './services.ts';

const CHECKSUM = /^"([0-9a-f]{64})"$/;

/** The GUN's proposal (docs/proposals.md). */
export async function getProposal({ proposals }: TrustServices, { name: gun }: TrustCall): Promise<Response> {
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

/** Replaces the proposal that the client knows, or puts the first. */
export async function putProposal({ proposals }: TrustServices, call: TrustCall): Promise<Response> {
  const { request, name: gun, gate } = call;
  const former = checksumIn(request);
  if (former === undefined && request.headers.get('if-none-match') !== '*') throw new Refusal('condition-missing');
  await proposals.put(gun, former, await readWholeBody(call), gate.subject);
  return new Response(null, { status: 204 });
}

/** Withdraws the proposal that the client knows. */
export async function deleteProposal(
  { proposals }: TrustServices,
  { request, name: gun, gate }: TrustCall,
): Promise<Response> {
  const former = checksumIn(request);
  if (former === undefined) throw new Refusal('condition-missing');
  await proposals.remove(gun, former, gate.subject);
  return new Response(null, { status: 204 });
}

/** The one checksum of `If-Match`; undefined if there is none, or anything else. */
function checksumIn(request: Request): string | undefined {
  return CHECKSUM.exec(request.headers.get('if-match') ?? '')?.[1];
}
