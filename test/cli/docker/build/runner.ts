import { buildImage } from '../../../../src/cli/docker/build.ts';
import type { Session } from '../../../../src/cli/session.ts';
import { isSignetError, SignetError } from '../../../../src/core/errors/index.ts';
import { formatReference, type Reference } from '../../../../src/core/names/reference.ts';
import { findDocker } from '../../../../src/engine/cli.ts';
import { readArguments, readCommandLine } from '../../../../src/engine/command.ts';
import { SyntaxBook } from '../../../../src/engine/learn.ts';
import { NO_CONFIGURATION, resolveName } from '../../../../src/trust/settings/configuration.ts';

/**
 * Builds as `signet` would, in a process of its own, with a trust server and an engine that are made up: `SIGNED` holds
 * the digests by full reference, `IN_ENGINE` what the engine has. Failures are printed as JSON.
 */
const { env } = process;
const signed: Readonly<Record<string, string>> = JSON.parse(env.SIGNED ?? '{}');
const inEngine: readonly string[] = JSON.parse(env.IN_ENGINE ?? '[]');
const configuration = { ...NO_CONFIGURATION, defaultRegistry: env.DEFAULT_REGISTRY };

const session = {
  close: async () => {},
  configuration,
  print: (text: string) => process.stdout.write(text),
  printError: (text: string) => process.stderr.write(text),
  resolve: (name: string) => resolveName(name, configuration),
  repository: async (reference: Reference) => ({
    read: async () => {
      console.log(`asked for ${formatReference(reference)}`);
      return { set: collection(reference) };
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

function collection({ registry, path }: Reference) {
  const prefix = `${registry}/${path}:`;
  const tags = Object.entries(signed).filter(([name]) => name.startsWith(prefix));
  if (tags.length === 0) throw new SignetError('trust-data-missing', `no trust data for ${registry}/${path}`);
  const target = (digest: string) => ({ length: 1, hashes: new Map([['sha256', Buffer.from(digest, 'hex')]]) });
  const targets = new Map(tags.map(([name, digest]) => [name.slice(prefix.length), target(digest)]));
  return { targets: new Map([['targets', { payload: { targets } }]]), delegationsOf: () => [], pathsOf: () => [''] };
}

try {
  const cli = await findDocker(env);
  const book = new SyntaxBook(cli, env);
  const line = await readCommandLine(book, process.argv.slice(2));
  const args = await readArguments(book, line);
  process.exitCode = await buildImage({ session, cli, line, args, env, trust: env.DOCKER_CONTENT_TRUST === '1' });
} catch (error) {
  if (!isSignetError(error)) throw error;
  console.error(JSON.stringify({ code: error.code, message: error.message, next: error.next }));
  process.exitCode = error.exitCode;
}
