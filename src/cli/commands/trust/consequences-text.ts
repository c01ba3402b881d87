import type { Consequences, LostRole } from '../../../trust/changes/consequences.ts';
import type { Signatory } from '../../../trust/keys/signatories.ts';
import { shown } from '../../../trust/report/describe.ts';
import { naturalCompare } from '../../../trust/report/natural-order.ts';

/** Names of targets listed at most; the rest are only counted. */
const MAX_NAMES = 10;

/** Describes the side effects of a change, one per line. Empty if there are none. */
export function consequencesText(gun: string, { resigned, lost, silenced }: Consequences): string {
  return [
    ...resigned.map(({ role, targets }) => resignedText(role, targets.size)),
    ...silenced.map(({ role, names }) => `${role} may no longer speak for: ${listed(names)}`),
    ...lost.map((role) => lostText(gun, role)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function resignedText(role: string, count: number): string {
  const what =
    count === 0
      ? 'with what it says now'
      : `with what you keep of its ${count === 1 ? 'one target' : `${count} targets`}`;
  return `${role} loses its signatures, and is signed again ${what}.`;
}

/** Whether a person should decide first. */
export function isGrave({ lost, silenced }: Consequences): boolean {
  return lost.length + silenced.length > 0;
}

function lostText(gun: string, { role, threshold, signatories }: LostRole): string {
  const lacking = threshold - signatories.length;
  if (lacking > 0) {
    const keys = lacking === 1 ? 'a key' : `${lacking} keys`;
    return `${role} becomes unusable: it lacks ${keys}. Add: signet trust delegation add ${gun} ${role} FILE`;
  }
  const all = signatories.map(nameOf).join(', ');
  const who = signatories.length === threshold ? all : `${threshold} of ${all}`;
  return `${role} becomes unusable until signed by ${who}: signet trust renew ${gun} ${role}`;
}

function nameOf({ name, id }: Signatory): string {
  return name === '' ? id.slice(0, 12) : `${name} (${id.slice(0, 7)})`;
}

function listed(names: readonly string[]): string {
  const first = names.toSorted(naturalCompare).slice(0, MAX_NAMES).map(shown).join(', ');
  return names.length > MAX_NAMES ? `${first} and ${names.length - MAX_NAMES} more` : first;
}
