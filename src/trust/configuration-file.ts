import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { LIMITS } from '../core/limits.ts';
import { type Configuration, checkHost, NO_CONFIGURATION, parseConfiguration } from './configuration.ts';

/** The name of the client's settings file in docker's configuration folder. */
const FILE = 'signet.json';

/**
 * The client's settings: `signet.json` in docker's configuration folder, or the file that SIGNET_CLIENT_CONFIG names;
 * SIGNET_DEFAULT_REGISTRY wins over it. Throws `configuration-invalid`; a file that was named must exist.
 */
export async function readConfiguration(folder: string, env: NodeJS.ProcessEnv): Promise<Configuration> {
  const named = env.SIGNET_CLIENT_CONFIG;
  const path = named || join(folder, FILE);
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' && !named) return undefined;
    throw new SignetError('configuration-invalid', `${path} cannot be read: ${cause.code}`, { cause });
  });
  if (bytes !== undefined && bytes.length > LIMITS.configFile)
    throw new SignetError('configuration-invalid', `${path} is too large`);
  const configuration = bytes === undefined ? NO_CONFIGURATION : parseConfiguration(bytes, path);
  const registry = env.SIGNET_DEFAULT_REGISTRY;
  return registry ? { ...configuration, defaultRegistry: checkHost(registry) } : configuration;
}
