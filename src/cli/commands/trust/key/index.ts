import type { CommandGroup } from '../../../line/command.ts';
import type { Session } from '../../../session.ts';
import { KEY_HELP } from '../specs.ts';
import { certificate } from './certificate.ts';
import { exportKeys } from './export.ts';
import { generateKey } from './generate.ts';
import { importKeys } from './import.ts';
import { listKeys } from './list.ts';
import { loadKey } from './load.ts';
import { changePassphrase } from './passwd.ts';
import { removeKey } from './remove.ts';
import { rotate } from './rotate.ts';

type Command = (session: Session, words: readonly string[]) => Promise<number>;

/** `docker trust key …`, and Signet's own commands beside docker's two. `run` gives a command its session. */
export function keyGroup(run: (command: Command) => (words: readonly string[]) => Promise<number>): CommandGroup {
  return {
    path: 'trust key',
    help: KEY_HELP,
    commands: new Map([
      ['generate', run(generateKey)],
      ['load', run(loadKey)],
      ['list', run(listKeys)],
      ['import', run(importKeys)],
      ['export', run(exportKeys)],
      ['passwd', run(changePassphrase)],
      ['remove', run(removeKey)],
      ['rotate', run(rotate)],
      ['certificate', run(certificate)],
    ]),
  };
}
