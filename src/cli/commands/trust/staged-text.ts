import type { Change } from '../../../store/change.ts';
import type { StagedChange } from '../../../store/changelist.ts';
import { shown } from '../../../trust/report/describe.ts';
import { dockerTable } from '../../terminal/table.ts';

/** The staged changes of a collection, numbered as `trust reset` takes them, in Notary's terms (protocol E.2). */
export function stagedText(gun: string, staged: readonly StagedChange[]): string {
  if (staged.length === 0) return `No unpublished changes for ${gun}\n`;
  const rows = staged.map(({ change }, index) => [`${index}`, ...termsOf(change)]);
  return `Unpublished changes for ${gun}:\n\n${dockerTable(['#', 'ACTION', 'SCOPE', 'TYPE', 'PATH'], rows)}`;
}

function termsOf(change: Change): readonly string[] {
  switch (change.kind) {
    case 'add-target':
      return ['create', change.role, 'target', shown(change.name)];
    case 'remove-target':
      return ['delete', change.role, 'target', shown(change.name)];
    case 'create-delegation':
      return ['create', change.role, 'delegation', ''];
    case 'update-delegation':
      return ['update', change.role, 'delegation', ''];
    case 'remove-delegation':
      return ['delete', change.role, 'delegation', ''];
    case 'purge-keys':
      return ['update', `${change.below}/*`, 'delegation', ''];
    case 'witness':
      return ['update', change.role, 'witness', ''];
  }
}
