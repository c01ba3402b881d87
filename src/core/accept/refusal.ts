import { SignetError } from '../errors/index.ts';

/** The classes of refusal that a Notary client can tell apart (protocol B.6.4); they stand in an error's `detail.name`. */
export type RefusalName = 'ErrValidation' | 'ErrBadHierarchy' | 'ErrBadRoot' | 'ErrBadTargets' | 'ErrBadSnapshot';

/** Refuses an update. `missing` is the role whose file or key is missing. */
export function refuse(
  name: RefusalName,
  code: 'upload-incomplete' | 'online-key-missing',
  message: string,
  missing?: string,
): never {
  throw new SignetError(code, message, { detail: missing === undefined ? { name } : { name, missing } });
}

/** Runs a check; what it throws is a refusal of this class, except for conflicts, which every class reports alike. */
export function refuseAs<T>(name: RefusalName, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SignetError) || error.code === 'version-conflict') throw error;
    throw error.reworded(error.message, { detail: { ...error.detail, name } });
  }
}
