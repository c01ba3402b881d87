import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../../../../scripts/paths.ts';
import type { EngineDescription } from '../../../../../src/engine/api/description.ts';
import { type Outcome, run } from '../../../../support/run.ts';
import { temporaryFolder } from '../../../../support/temp.ts';

/** What docker was given; undefined where it was not called. */
export interface Call {
  readonly argv: readonly string[];
  readonly trust: string | undefined;
  readonly dockerfile: string | undefined;
  readonly beside: readonly string[];
  /** Permissions of the Dockerfile's folder, of the folder above, and of the Dockerfile. */
  readonly modes: readonly number[];
  readonly ignored: string | undefined;
  readonly policy: string | undefined;
  /** `DOCKER_BUILDKIT`. */
  readonly buildkit: string | undefined;
  readonly context: readonly string[];
  readonly inContext: string | undefined;
}

export interface BuildOptions {
  /** `docker` is 28 without buildx, `docker-20.10` what Debian has. */
  readonly cli?: 'docker' | 'docker-20.10' | 'buildx' | 'podman' | 'podman-5';
  readonly trust?: boolean;
  /** Digests (64 digits) by full reference. */
  readonly signed?: Readonly<Record<string, string>>;
  readonly inEngine?: readonly string[];
  /** What the engine says of itself; it cannot be reached where neither this nor `inEngine` is given. */
  readonly engine?: Partial<EngineDescription>;
  readonly defaultRegistry?: string;
  readonly digests?: 'docker' | 'signed';
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Built extends Outcome {
  readonly call: Call | undefined;
  /** The failure, where it was one of Signet's. */
  readonly failure: { readonly code: string; readonly message: string; readonly next?: string } | undefined;
  /** What is left of private folders. */
  readonly left: readonly string[];
}

const CLIS = {
  docker: { version: 'Docker version 28.2.2, build e6534b4', help: 'docker-28' },
  'docker-20.10': { version: 'Docker version 20.10.24+dfsg1, build 297e128', help: 'docker-20.10' },
  buildx: { version: 'Docker version 28.2.2, build e6534b4', help: 'buildx' },
  podman: { version: 'podman version 4.3.1', help: 'podman-4.3' },
  'podman-5': { version: 'podman version 5.4.0', help: 'podman-4.3' },
};

const ENGINE: EngineDescription = { version: '28.2.2', platform: 'linux/amd64', prefersBuildKit: true };

/** A folder to build in, and what runs `signet build` there with a docker that only writes down what it is given. */
export class Workshop {
  readonly folder = temporaryFolder();
  readonly home = temporaryFolder();

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    for (const name of ['bin', 'tmp']) mkdirSync(join(this.home, name));
    writeFileSync(join(this.home, 'bin/docker'), '#!/bin/sh\nexec "$FAKE_RUNTIME" "$FAKE_PROGRAM" "$@"\n');
    chmodSync(join(this.home, 'bin/docker'), 0o755);
  }

  write(name: string, text: string): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, 'latin1');
  }

  /** The command line and environment that run a build; the record of docker's call is in `record`. */
  command(words: readonly string[], options: BuildOptions = {}) {
    const { version, help } = CLIS[options.cli ?? 'docker'];
    const record = join(this.home, 'record.json');
    const env: Record<string, string> = {
      PATH: `${join(this.home, 'bin')}:${process.env.PATH}`,
      HOME: this.home,
      TMPDIR: join(this.home, 'tmp'),
      SIGNET_DOCKER: join(this.home, 'bin/docker'),
      FAKE_RUNTIME: process.execPath,
      FAKE_PROGRAM: join(import.meta.dir, 'fake-docker.ts'),
      FAKE_HELP: join(ROOT, `test/engine/fixtures/${help}/build.txt`),
      FAKE_INSPECT: join(ROOT, 'test/engine/fixtures/buildx/inspect-engine.txt'),
      FAKE_VERSION: version,
      FAKE_RECORD: record,
      SIGNED: JSON.stringify(options.signed ?? {}),
      DOCKER_CONTENT_TRUST: (options.trust ?? true) ? '1' : '0',
      ...(options.inEngine === undefined ? {} : { IN_ENGINE: JSON.stringify(options.inEngine) }),
      ...(options.engine === undefined ? {} : { ENGINE: JSON.stringify({ ...ENGINE, ...options.engine }) }),
      ...(options.defaultRegistry === undefined ? {} : { DEFAULT_REGISTRY: options.defaultRegistry }),
      ...(options.digests === undefined ? {} : { DIGESTS: options.digests }),
      ...options.env,
    };
    return { argv: [process.execPath, join(import.meta.dir, 'runner.ts'), ...words], env, cwd: this.folder, record };
  }

  async build(words: readonly string[], options: BuildOptions = {}): Promise<Built> {
    const { argv, env, cwd, record } = this.command(words, options);
    rmSync(record, { force: true });
    const stdin = options.stdin === undefined ? {} : { stdin: options.stdin };
    const outcome = await run(argv, { env, cwd, ...stdin });
    const failure = /^\{"code".*$/m.exec(outcome.stderr)?.[0];
    return {
      ...outcome,
      call: existsSync(record) ? (JSON.parse(readFileSync(record, 'utf8')) as Call) : undefined,
      failure: failure === undefined ? undefined : JSON.parse(failure),
      left: this.left(),
    };
  }

  left(): readonly string[] {
    return readdirSync(join(this.home, 'tmp'));
  }
}
