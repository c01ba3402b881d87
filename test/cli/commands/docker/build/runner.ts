import { join } from 'node:path';
import { buildImage } from '../../../../../src/cli/commands/docker/build.ts';
import { isCommandWord } from '../../../../../src/cli/commands/docker/closed-world/commands.ts';
import type { Session } from '../../../../../src/cli/session.ts';
import { isSignetError, SignetError } from '../../../../../src/core/errors/index.ts';
import { parseGun } from '../../../../../src/core/names/gun.ts';
import { gunOf, type Reference } from '../../../../../src/core/names/reference.ts';
import { TRUST_ON_FIRST_USE } from '../../../../../src/core/verify/pinning.ts';
import { findDocker } from '../../../../../src/engine/cli/cli.ts';
import { readArguments, readCommandLine } from '../../../../../src/engine/cli/command.ts';
import { LearnedSyntax } from '../../../../../src/engine/cli/learn.ts';
import { cachingEvidence } from '../../../../../src/trust/decide/evidence.ts';
import { readDigestRule } from '../../../../../src/trust/decide/image-rules.ts';
import { NO_CONFIGURATION, resolveName } from '../../../../../src/trust/settings/configuration.ts';
import type { Collection } from '../../../../../src/trust/update/collection.ts';
import { NOW, Simulator } from '../../../../support/simulator.ts';
import { Visitor } from '../../../../support/visitor.ts';

/**
 * Builds as `signet` would, in a process of its own, with a trust server and an engine that are made up: `SIGNED` holds
 * the digests by full reference, `IN_ENGINE` what the engine has. Failures are printed as JSON.
 */
const { env } = process;
const signed: Readonly<Record<string, string>> = JSON.parse(env.SIGNED ?? '{}');
const inEngine: readonly string[] = JSON.parse(env.IN_ENGINE ?? '[]');
const configuration = {
  ...NO_CONFIGURATION,
  defaultRegistry: env.DEFAULT_REGISTRY,
  images: { digests: readDigestRule(env.DIGESTS), exempt: [] },
};

const session = {
  close: async () => {},
  configuration,
  folder: join(env.HOME ?? '', '.docker'),
  print: (text: string) => process.stdout.write(text),
  printError: (text: string) => process.stderr.write(text),
  resolve: (name: string) => resolveName(name, configuration),
  evidence: cachingEvidence({
    ...{ rules: configuration.images, pinning: TRUST_ON_FIRST_USE, now: () => NOW },
    collectionOf: async (reference) => {
      console.log(`asked for ${gunOf(reference)}`);
      return collectionOf(reference);
    },
  }),
  engine: async () => {
    if (env.IN_ENGINE === undefined && env.ENGINE === undefined)
      throw new SignetError('engine-unreachable', 'there is no engine');
    return {
      describe: async () => {
        if (env.ENGINE === undefined) throw new SignetError('engine-unreachable', 'the engine does not answer');
        return JSON.parse(env.ENGINE);
      },
      inspectImage: async (name: string) => (inEngine.includes(name) ? {} : undefined),
      tag: async (from: string, to: string) => console.log(`tagged ${from} as ${to}`),
    };
  },
} as unknown as Session;

/** A collection in which what `SIGNED` says of the repository is signed. */
async function collectionOf({ registry, path }: Reference): Promise<Collection> {
  const prefix = `${registry}/${path}:`;
  const tags = Object.entries(signed).filter(([name]) => name.startsWith(prefix));
  if (tags.length === 0) throw new SignetError('trust-data-missing', `no trust data for ${registry}/${path}`);
  const simulator = await Simulator.start({
    gun: parseGun(`${registry}/${path}`),
    edit: (editor) => {
      editor.removeTarget('targets', 'latest');
      for (const [name, digest] of tags) {
        const hashes = new Map([['sha256', Buffer.from(digest, 'hex')]]);
        editor.addTarget('targets', name.slice(prefix.length), { length: 1, hashes });
      }
    },
  });
  return new Visitor(simulator).update();
}

try {
  const cli = await findDocker(env);
  const book = new LearnedSyntax(cli, env);
  const line = await readCommandLine(book, process.argv.slice(2), isCommandWord);
  const args = await readArguments(book, line, true);
  process.exitCode = await buildImage({
    session,
    cli,
    line,
    name: 'build',
    args,
    env,
    trust: env.DOCKER_CONTENT_TRUST === '1',
  });
} catch (error) {
  if (!isSignetError(error)) throw error;
  console.error(JSON.stringify({ code: error.code, message: error.message, next: error.next }));
  process.exitCode = error.exitCode;
}
