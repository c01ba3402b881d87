let loaded: typeof import('node:crypto') | undefined;

/**
 * The runtime's own cryptography, loaded on first use: loading takes 3 ms, during which a command can already have sent
 * its first request.
 */
export function nodeCrypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
}
