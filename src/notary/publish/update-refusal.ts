import { SignetError } from '../../core/errors/index.ts';
import { Refusal } from './refusal.ts';

/**
 * What a publisher is told when `acceptUpload` refuses a publish (protocol B.6.2, B.6.4). Everything that is not the
 * publisher's doing is returned as it is.
 */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof SignetError)) return error;
  const { name, missing, role } = error.detail;
  if (error.code === 'version-conflict') return new Refusal('update-version-exists', {}, error);
  if (name !== undefined) {
    const hierarchy = missing === undefined ? {} : { Missing: missing };
    return new Refusal('update-invalid', { Name: name, Error: { ...hierarchy, Msg: error.message } }, error);
  }
  if (error.code === 'role-invalid') return new Refusal('upload-role-invalid', String(role), error);
  if (error.code.startsWith('json-')) return new Refusal('upload-json-malformed', undefined, error);
  return error.httpStatus < 500 ? new Refusal('update-invalid', undefined, error) : error;
}
