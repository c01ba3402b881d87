import { LIMITS } from '../../core/limits.ts';
import { emptyAnswer } from './answers.ts';
import type { NotaryCall, Route, Services } from './routes.ts';
import { readUpload } from './upload-request.ts';

/** The route by which a collection moves here from another server (protocol I.2). */
export const IMPORT_ROUTE: Route = {
  operation: 'ImportTUF',
  method: 'POST',
  pattern: /^signet\/import$/,
  actions: ['push', 'pull'],
  outside: 'gun-unsupported',
  answer: importCollection,
};

async function importCollection({ repositories }: Services, { request, gun, gate }: NotaryCall): Promise<Response> {
  // Asked before the body is read: whoever comes again with all of it learns that it is here already.
  await repositories.refuseTaken(gun);
  await repositories.import(gun, await readUpload(request, LIMITS.importParts), gate.subject);
  return emptyAnswer();
}
