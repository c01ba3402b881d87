import { SignetError } from '../errors/index.ts';

/** The kinds of refusal that a Notary client distinguishes (protocol B.6.4), given in an error's `detail.name`. */
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

/**
 * Runs a check and turns its error into a refusal of this kind, except conflicts, which are the same for every kind.
 */
export function refuseAs<T>(name: RefusalName, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SignetError) || error.code === 'version-conflict') throw error;
    throw error.reworded(error.message, { detail: { ...error.detail, name } });
  }
}
