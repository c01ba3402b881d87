import { dirname, join, resolve } from 'node:path';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Instant } from '../../core/time.ts';
import { readSmallFile } from '../../store/files.ts';
import { type Configuration, checkHost, NO_CONFIGURATION, parseConfiguration } from './configuration.ts';
import { readFrozenFile } from './frozen-file.ts';

/** The name of the client's settings file in docker's configuration folder. */
const FILE = 'signet.json';

/**
 * Reads the client's settings: `signet.json` in docker's configuration folder, or the file named by
 * SIGNET_CLIENT_CONFIG, which must exist; SIGNET_DEFAULT_REGISTRY overrides it. Throws `configuration-invalid`, or why
 * the file cannot be read.
 */
export async function readConfiguration(
  folder: string,
  env: NodeJS.ProcessEnv,
  now: Instant = Date.now(),
): Promise<Configuration> {
  const named = env.SIGNET_CLIENT_CONFIG;
  const path = named || join(folder, FILE);
  const bytes = readSmallFile(path, LIMITS.configFile, true);
  if (bytes === undefined && named) throw new SignetError('configuration-invalid', `${path} does not exist`);
  const configuration = withFrozen(bytes === undefined ? NO_CONFIGURATION : parseConfiguration(bytes, path), path, now);
  const registry = env.SIGNET_DEFAULT_REGISTRY;
  return registry ? { ...configuration, defaultRegistry: hostIn(registry) } : configuration;
}

/** With the frozen list that it names, from the folder of the settings file. A list that is missing refuses everything. */
function withFrozen(configuration: Configuration, path: string, now: Instant): Configuration {
  if (configuration.frozen === undefined) return configuration;
  const file = resolve(dirname(path), configuration.frozen);
  const frozen = readFrozenFile(file, now);
  if (frozen === undefined) throw new SignetError('configuration-invalid', `${path}: frozen: ${file} does not exist`);
  return { ...configuration, images: { ...configuration.images, frozen } };
}

function hostIn(registry: string): string {
  try {
    return checkHost(registry);
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('configuration-invalid', `SIGNET_DEFAULT_REGISTRY: ${cause.message}`);
  }
}
