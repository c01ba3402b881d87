import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { trustingClis } from '../../support/clis.ts';
import { run } from '../../support/run.ts';
import type { SignetServer } from '../../support/signet-server.ts';
import { temporaryFolder } from '../../support/temp.ts';

interface Inspected {
  readonly SignedTags: readonly { readonly SignedTag: string; readonly Digest: string }[];
}

/** Somebody who reads trust data with the newest docker CLI that can, with what it has seen before in its cache. */
export class DockerReader {
  private readonly server: SignetServer;
  private readonly login: readonly string[];
  private home: Promise<string> | undefined;

  /** `login` is a name and its password. */
  constructor(server: SignetServer, login: readonly [name: string, password: string]) {
    this.server = server;
    this.login = login;
  }

  /** From now on somebody else, who has seen nothing. */
  forget(): void {
    this.home = undefined;
  }

  /** What `latest` stands for in each repository, in hexadecimal. Throws where docker fails. */
  async latest(repositories: readonly string[]): Promise<(string | undefined)[]> {
    this.home ??= this.newHome();
    const images = repositories.map((repository) => `${repository}:latest`);
    const { stdout } = await this.docker(await this.home, ['trust', 'inspect', ...images]);
    const found = JSON.parse(stdout) as Inspected[];
    return found.map(({ SignedTags }) => SignedTags.find(({ SignedTag }) => SignedTag === 'latest')?.Digest);
  }

  private async newHome(): Promise<string> {
    const home = temporaryFolder();
    const tls = join(home, 'tls', this.server.host);
    mkdirSync(tls, { recursive: true });
    copyFileSync(this.server.authority, join(tls, 'ca.crt'));
    const auth = Buffer.from(this.login.join(':')).toString('base64');
    await Bun.write(join(home, 'config.json'), JSON.stringify({ auths: { [this.server.host]: { auth } } }));
    return home;
  }

  private async docker(home: string, words: readonly string[]) {
    const cli = (await trustingClis()).at(-1);
    const env = { PATH: process.env.PATH ?? '', HOME: home, DOCKER_CONTENT_TRUST_SERVER: this.server.origin };
    const outcome = await run([cli?.path ?? 'docker', '--config', home, ...words], { env });
    if (outcome.exitCode !== 0) throw new Error(`${outcome.command} (exit ${outcome.exitCode}):\n${outcome.stderr}`);
    return outcome;
  }
}
