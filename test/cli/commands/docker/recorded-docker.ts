import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../../scripts/paths.ts';
import type { RecordedCli } from '../../../engine/command-tree.ts';
import { run } from '../../../support/run.ts';
import { signetCommand } from '../../../support/signet-server.ts';
import { temporaryFolder } from '../../../support/temp.ts';

const VERSIONS: Readonly<Record<RecordedCli, string>> = {
  'docker-20.10': '20.10.24',
  'docker-28': '28.2.2',
  'docker-29': '29.7.2',
};

/** What became of a command line: the line that docker got, or Signet's own words. */
export interface Handled {
  readonly exitCode: number;
  /** Undefined where docker was not called. */
  readonly docker: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `signet` in front of a docker that knows the recorded help of a CLI, and prints how else it was called. */
export async function inFrontOfRecorded(
  cli: RecordedCli,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Handled> {
  const folder = temporaryFolder();
  const docker = join(folder, 'docker');
  const tree = join(ROOT, 'test/engine/fixtures', cli, 'tree.txt');
  const script = `case "$*" in
--version) echo 'Docker version ${VERSIONS[cli]}, build 0000000';;
*--help) awk -v name="== $(echo docker \${*%--help})" '$0 == name { on = 1; next } /^== / { on = 0 } on' '${tree}';;
*) echo "ran: $*";;
esac`;
  writeFileSync(docker, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { exitCode, stdout, stderr } = await run([...signetCommand(), ...words], {
    env: { PATH: process.env.PATH ?? '', HOME: folder, SIGNET_DOCKER: docker, ...env },
  });
  return { exitCode, docker: /^ran: (.*)$/m.exec(stdout)?.[1], stdout, stderr };
}
