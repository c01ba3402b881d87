import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSignetError } from '../../../core/errors/index.ts';
import { FileCheck } from '../../../core/metadata/file-info.ts';
import type { Target } from '../../../core/metadata/targets.ts';
import { DraftFile } from '../../../store/draft-file.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { readPieces } from './file-pieces.ts';
import { trustedTarget } from './lookup.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';

export const VERIFY: Command<Session> = {
  program: 'signet',
  path: 'trust verify',
  summary: 'Pass content on only where it is what was signed as a target',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'TARGET', takes: 'target' },
  ],
  flags: [
    {
      name: 'input',
      short: 'i',
      type: 'value',
      takes: 'file',
      about: 'Read the content from this file, not from standard input',
    },
    {
      name: 'output',
      short: 'o',
      type: 'value',
      takes: 'file',
      about: 'Write it to this file, not to standard output',
    },
    { name: 'quiet', short: 'q', type: 'switch', about: 'Write nothing to standard output' },
    ...PLACE_FLAGS,
  ],
  run: verify,
};

/**
 * `signet trust verify [--input FILE] [--output FILE] [--quiet] REPOSITORY TARGET`: writes no byte of the output before
 * all of the content is verified.
 */
async function verify(session: Session, parsed: ParsedCommand): Promise<number> {
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

/** Uses a temporary file, as the content may be larger than memory. */
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
