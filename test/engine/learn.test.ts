import { beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DockerCli, findDocker } from '../../src/engine/cli.ts';
import { type CommandLine, readArguments, readCommandLine } from '../../src/engine/command.ts';
import { SyntaxBook } from '../../src/engine/learn.ts';
import { captureDocker } from '../../src/engine/run.ts';
import { dockerClis } from '../support/clis.ts';
import { random } from '../support/random.ts';
import { temporaryFolder } from '../support/temp.ts';
import { startFakeEngine } from './fake-engine.ts';

const unknown = expect.objectContaining({ code: 'docker-flag-unknown' });
const clis: [string, DockerCli][] = [];
const cacheHome = temporaryFolder();
const env = { ...process.env, XDG_CACHE_HOME: cacheHome };

beforeAll(async () => {
  for (const { path, version } of await dockerClis()) {
    clis.push([version, await findDocker({ ...env, SIGNET_DOCKER: path })]);
  }
});

/** A docker command that is a shell script; it leaves a line in `calls` each time that it is called. */
function scriptedCli(script: string, stamp = '1'): { cli: DockerCli; calls: () => string[] } {
  const folder = temporaryFolder();
  const path = join(folder, 'docker');
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  writeFileSync(path, `#!/bin/sh\necho "$*" >> ${log}\n${script}`);
  chmodSync(path, 0o755);
  const calls = () => readFileSync(log, 'utf8').split('\n').filter(Boolean);
  return { cli: { path, kind: 'docker', version: '0', stamp }, calls };
}

const HELP = `cat <<'E'
Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]

Options:
      --rm   Remove
