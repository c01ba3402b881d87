import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../../src/core/errors/index.ts';
import { sealKey } from '../../../src/core/keys/key-file.ts';
import type { PrivateKey } from '../../../src/core/keys/private-key.ts';
import { KeyFolder } from '../../../src/store/key-folder.ts';
import { MetadataFolder } from '../../../src/store/trust-folder.ts';
import { updateCollection } from '../../../src/trust/update/collection.ts';
import type { LyingServer } from '../../support/lying-server.ts';
import { type Outcome, run } from '../../support/run.ts';
import { signetCommand } from '../../support/signet-server.ts';
import { sourceOf } from '../../support/simulator.ts';
import { temporaryFolder } from '../../support/temp.ts';

/** What a victim may type. */
export const READING = ['run', 'create', 'pull', 'build', 'inspect'] as const;
export type Command = (typeof READING)[number] | 'sign';

/** How a command ended: with an error's code, or without any. */
export interface Ended extends Outcome {
  readonly code: ErrorCode | undefined;
}

const CACHE = temporaryFolder();
/** What `SIGNET_DEBUG=1` adds to an error. */
const CODE = /^([a-z]+(?:-[a-z]+)*)\n(?:caused by: .*\n)*$/m;

/** Somebody with a home of their own, with alice's signing key and nothing known of any repository. */
export class Victim {
  readonly home = temporaryFolder();
  private readonly server: LyingServer;
  private readonly environment: Readonly<Record<string, string>>;

  constructor(server: LyingServer, environment: Readonly<Record<string, string>>) {
    this.server = server;
    this.environment = environment;
    this.trust(server.host);
    writeFileSync(join(this.home, 'Dockerfile'), `FROM ${server.gun}:latest\nCMD ["true"]\n`);
  }

  private get trustFolder(): string {
    return join(this.home, '.docker/trust');
  }

  /** Trusts the server's authority for a host. */
  trust(host: string): void {
    const folder = join(this.home, '.docker/tls', host);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'ca.crt'), readFileSync(this.server.authority));
  }

  async addKey(key: PrivateKey): Promise<void> {
    await new KeyFolder(this.trustFolder).add(key.id, sealKey(key, { role: 'alice', passphrase: Buffer.alloc(0) }));
  }

  /** Writes a file of docker's configuration folder. */
  configure(name: string, content: unknown): void {
    writeFileSync(join(this.home, '.docker', name), JSON.stringify(content));
  }

  /** Visits the repository at the simulator's time, when it speaks the truth, and keeps what there is in the cache. */
  async visit(): Promise<void> {
    const { gun, simulator } = this.server;
    const cache = new MetadataFolder(this.trustFolder);
    await updateCollection({ ...sourceOf(simulator, simulator.now, gun), cache, purpose: 'read' });
  }

  /** Types one of the commands, about the tag `latest`; `next` is what they sign. */
  type(command: Command, environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return this.signet(this.wordsOf(command), environment);
  }

  async signet(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const outcome = await run([...signetCommand(), ...words], {
      cwd: this.home,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.home,
        XDG_CACHE_HOME: CACHE,
        DOCKER_CONTENT_TRUST: '1',
        SIGNET_DEBUG: '1',
        ...this.environment,
        ...environment,
      },
    });
    const [, code] = outcome.exitCode === 0 ? [] : (CODE.exec(outcome.stderr) ?? []);
    return { ...outcome, code: code as ErrorCode | undefined };
  }

  /** Everything in docker's configuration folder, byte for byte, with its mode. */
  belongings(): ReadonlyMap<string, string> {
    const folder = join(this.home, '.docker');
    const paths = (readdirSync(folder, { recursive: true }) as string[]).sort();
    return new Map(paths.map((path) => [path, describe(join(folder, path))]));
  }

  private wordsOf(command: Command): readonly string[] {
    const image = `${this.server.gun}:latest`;
    switch (command) {
      case 'run':
        return ['run', '--rm', image];
      case 'build':
        return ['build', '.'];
      case 'inspect':
        return ['trust', 'inspect', '--pretty', image];
      case 'sign':
        return ['trust', 'sign', '--remote', `${this.server.gun}:next`];
      default:
        return [command, image];
    }
  }
}

function describe(path: string): string {
  const { mode } = statSync(path);
  const isFile = statSync(path).isFile();
  return `${(mode & 0o7777).toString(8)} ${isFile ? readFileSync(path).toString('base64') : ''}`;
}
