let loaded: typeof import('node:crypto') | undefined;

/**
 * The runtime's own cryptography. It is loaded by its first use, not with the modules that may need it: loading takes
 * 3 ms, in which a command's first request can be on its way already.
 */
export function nodeCrypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
}
