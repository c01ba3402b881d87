import { SignetError } from './errors/index.ts';
import { quoted } from './printable.ts';

/** What a token allows on one resource. `*` allows everything (protocol B.4). */
export type Action = 'pull' | 'push' | 'delete' | '*';

/**
 * One resource and the actions asked for or granted on it, as in Docker's token protocol (protocol F.4):
 * `repository:team/app:pull,push`, `registry:catalog:*`.
 */
export interface Scope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const FORM = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:(.+):([a-z*]+(?:,[a-z*]+)*)?$/s;
const MAX_SCOPE = 1024;

/** Parses one scope: the type ends at the first colon, the actions begin after the last. Throws `name-invalid`. */
export function parseScope(text: string): Scope {
  const found = text.length <= MAX_SCOPE ? FORM.exec(text) : null;
  const [, type, name, actions] = found ?? [];
  if (type === undefined || name === undefined) {
    throw new SignetError('name-invalid', `invalid scope ${quoted(text, 200)}`);
  }
  return { type, name, actions: actions === undefined ? [] : actions.split(',') };
}

/** Formats a scope as in Docker's token protocol: `repository:team/app:pull,push`. */
export function formatScope(scope: Scope): string {
  return `${scope.type}:${scope.name}:${scope.actions.join(',')}`;
}

/** Whether `granted` covers every action of `wanted` on the same resource. */
export function covers(granted: readonly Scope[], wanted: Scope): boolean {
  const actions = granted
    .filter(({ type, name }) => type === wanted.type && name === wanted.name)
    .flatMap((scope) => scope.actions);
  return actions.includes('*') || wanted.actions.every((action) => actions.includes(action));
}
