import { CollectedBytes } from '../../../core/collected-bytes.ts';
import { SignetError } from '../../../core/errors/index.ts';
import { LIMITS } from '../../../core/limits.ts';
import { readSmallFile } from '../../../store/files.ts';
import type { Session } from '../../session.ts';

/**
 * Reads names from a file, or from standard input for `-`, one per line. Skips blank lines, and lines that begin with
 * `#`. Throws `file-missing`, `file-unreadable` or `too-large`.
 */
export async function repositoryNames(session: Pick<Session, 'input'>, path: string): Promise<readonly string[]> {
  const text = path === '-' ? await readInput(session) : readSmallFile(path, LIMITS.configFile, true);
  if (text === undefined) throw new SignetError('file-missing', `there is no file ${path}`);
  const lines = text.toString('utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
}

async function readInput(session: Pick<Session, 'input'>): Promise<Buffer> {
  const bytes = new CollectedBytes();
  for await (const piece of session.input()) {
    if (bytes.length + piece.length > LIMITS.configFile) {
      throw new SignetError('too-large', `standard input has more than ${LIMITS.configFile} bytes`);
    }
    bytes.add(piece);
  }
  return bytes.take();
}

/** Why a name is none, for a report that says the name itself. */
export function withReason(error: SignetError): SignetError {
  const { why } = error.detail;
  return error.code === 'name-invalid' && typeof why === 'string'
    ? error.reworded(`invalid repository name: ${why}`, {
        next: 'Signet can neither read nor move it: its owner has to publish it under another name.',
      })
    : error;
}
