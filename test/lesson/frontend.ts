import { symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { DockerCli } from '../support/clis.ts';
import { signetCommand } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';
import { quote } from './shell.ts';

/** What the word docker stands for at somebody's terminal, and how images are named there. */
export interface Frontend {
  readonly title: string;
  /** The docker CLI that does the work in the end. */
  readonly cli: DockerCli;
  /** `alias docker='…'` */
  readonly docker: readonly string[];
  /** Whether short names mean the lesson's registry; without it, every name is written out. */
  readonly hasShortNames: boolean;
  /** What the environment says beyond the usual; `host` is the registry. */
  environment(host: string): Readonly<Record<string, string>>;
}

/** Way B of the lesson: a stock docker CLI. */
export function stockDocker(cli: DockerCli): Frontend {
  return {
    title: `docker ${cli.version}`,
    cli,
    docker: [cli.path],
    hasShortNames: false,
    environment: () => ({}),
  };
}

/** Way A: `alias docker=signet`. */
export function signetAsDocker(cli: DockerCli): Frontend {
  return {
    title: `signet in front of docker ${cli.version}`,
    cli,
    docker: ['signet'],
    hasShortNames: true,
    environment: (host) => ({
      PATH: path(signetFolder('signet')),
      SIGNET_DOCKER: cli.path,
      SIGNET_DEFAULT_REGISTRY: host,
    }),
  };
}

/** Way A without an alias: a program named docker, first on PATH, is signet, which finds the docker CLI behind it. */
export function signetNamedDocker(cli: DockerCli): Frontend {
  return {
    ...signetAsDocker(cli),
    title: `signet named docker in front of docker ${cli.version}`,
    docker: ['docker'],
    environment: (host) => ({
      PATH: path(signetFolder('docker'), dirname(cli.path)),
      SIGNET_DEFAULT_REGISTRY: host,
    }),
  };
}

/** Way C: a stock docker CLI and signet, side by side, in the same home. */
export function dockerBesideSignet(cli: DockerCli): Frontend {
  return {
    ...stockDocker(cli),
    title: `docker ${cli.version} beside signet`,
    environment: () => ({ PATH: path(signetFolder('signet')), SIGNET_DOCKER: cli.path }),
  };
}

function path(...folders: readonly string[]): string {
  return [...folders, process.env.PATH ?? ''].join(delimiter);
}

/** A folder with signet in it, under the given name. */
function signetFolder(name: string): string {
  const folder = temporaryFolder();
  const file = join(folder, name);
  const [program = '', ...words] = signetCommand();
  if (words.length === 0) symlinkSync(program, file);
  else
    writeFileSync(file, `#!/bin/sh\n# signet\nexec ${[program, ...words].map(quote).join(' ')} "$@"\n`, {
      mode: 0o755,
    });
  return folder;
}
