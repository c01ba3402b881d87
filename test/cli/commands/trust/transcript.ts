import { CommandText } from '../../../../src/cli/line/command.ts';
import type { Session } from '../../../../src/cli/session.ts';
import { SignetError } from '../../../../src/core/errors/index.ts';
import type { FakeSession } from '../../fake-session.ts';

/** A command of `signet trust`. */
export type TrustCommand = (session: Session, words: readonly string[]) => Promise<number>;

/** What a command line did, as whoever typed it sees it. */
export interface Told {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The next step, which is shown beside an error on a terminal. */
  readonly next?: string;
}

/** Runs a command and reports its errors as the program does. What the session said before is forgotten. */
export async function told(session: FakeSession, command: TrustCommand, words: readonly string[]): Promise<Told> {
  session.printed = '';
  session.errors = '';
  try {
    return { exit: await command(session, words), ...session.output };
  } catch (error) {
    if (error instanceof CommandText) return { exit: error.exitCode, ...session.output, stderr: error.message };
    if (!(error instanceof SignetError)) throw error;
    const { stdout, stderr } = session.output;
    const next = error.next === undefined ? {} : { next: error.next };
    return { exit: error.exitCode, stdout, stderr: `${stderr}${error.message}\n`, ...next };
  }
}

/** A command that has nothing to say but this on standard output. */
export function says(stdout: string): Told {
  return { exit: 0, stdout, stderr: '' };
}

/** A command whose change waits for signatures, as its words on standard output say. */
export function waits(stdout: string): Told {
  return { ...says(stdout), exit: 1 };
}

/** A command that fails with this message. */
export function fails(message: string, next?: string): Told {
  return { exit: 1, stdout: '', stderr: `${message}\n`, ...(next === undefined ? {} : { next }) };
}
