import type { Scope } from '../../core/scope.ts';

/** Whether an entry of a token's `access` claim is one (protocol F.4). */
export function isScope(value: unknown): value is Scope {
  if (typeof value !== 'object' || value === null) return false;
  const { type, name, actions } = value as Partial<Record<keyof Scope, unknown>>;
  return (
    typeof type === 'string' &&
    typeof name === 'string' &&
    Array.isArray(actions) &&
    actions.every((action) => typeof action === 'string')
  );
}
