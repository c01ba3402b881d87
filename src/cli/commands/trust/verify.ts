import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSignetError } from '../../../core/errors/index.ts';
import { FileCheck } from '../../../core/metadata/file-info.ts';
import type { Target } from '../../../core/metadata/targets.ts';
import { DraftFile } from '../../../store/draft-file.ts';
import { type CommandSpec, parseCommand } from '../../line/command.ts';
import type { Session } from '../../session.ts';
import { readPieces } from './file-pieces.ts';
import { trustedTarget } from './lookup.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';

export const VERIFY: CommandSpec = {
  program: 'signet',
  path: 'trust verify',
  usage: '[OPTIONS] REPOSITORY TARGET',
  summary: 'Pass content on only where it is what was signed as a target',
  flags: [
    { name: 'input', short: 'i', kind: 'value' },
    { name: 'output', short: 'o', kind: 'value' },
    { name: 'quiet', short: 'q', kind: 'switch' },
    ...PLACE_FLAGS,
  ],
  options: `  -i, --input string       Read the content from this file, not from standard
                           input
  -o, --output string      Write it to this file, not to standard output
  -q, --quiet              Write nothing to standard output
${PLACE_OPTIONS}`,
  minArguments: 2,
  maxArguments: 2,
};

/**
 * `signet trust verify [--input FILE] [--output FILE] [--quiet] REPOSITORY TARGET`: not a byte is passed on before all of
 * them are known to be right.
 */
export async function verify(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(VERIFY, words);
  const [name = '', targetName = ''] = parsed.args;
  const { repository } = (await placeOf(session, parsed)).collection(name, ['pull']);
  const { target } = await trustedTarget(repository, targetName);
  const input = parsed.value('input');
  const pieces = input === undefined ? session.input() : readPieces(input);
  const output = parsed.value('output');
  if (output !== undefined) await keepChecked(pieces, target, new DraftFile(output));
  else if (parsed.has('quiet')) await check(pieces, target);
  else await print(session, pieces, target);
  return 0;
}

/** Through a file of its own: content may be larger than the memory. */
async function print(session: Session, pieces: AsyncIterable<Uint8Array>, target: Target): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-verify-'));
  try {
    const path = join(folder, 'content');
    await keepChecked(pieces, target, new DraftFile(path));
    for await (const piece of createReadStream(path)) session.write(piece);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function keepChecked(pieces: AsyncIterable<Uint8Array>, target: Target, file: DraftFile): Promise<void> {
  try {
    await check(pieces, target, file);
  } catch (error) {
    file.discard();
    throw error;
  }
  file.keep();
}

async function check(pieces: AsyncIterable<Uint8Array>, target: Target, copy?: DraftFile): Promise<void> {
  try {
    const file = new FileCheck('the content', target);
    for await (const piece of pieces) {
      file.update(piece);
      copy?.write(piece);
    }
    file.finish();
  } catch (cause) {
    if (!isSignetError(cause, 'length-mismatch', 'checksum-mismatch')) throw cause;
    throw cause.reworded(`data not present in the trusted collection, ${cause.message}`);
  }
}
