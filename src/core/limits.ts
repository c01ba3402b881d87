const KiB = 1024;
const MiB = 1024 * KiB;

/** Every bound on data from outside, in bytes unless the name says otherwise (protocol A.14, B.6). */
export const LIMITS = {
  /** A timestamp file. */
  timestamp: 1 * MiB,
  /** A metadata file of unknown length. Notary reads up to 100 MiB; real files stay below 1 MiB. */
  metadata: 32 * MiB,
  /** `targets` and all delegations of one collection together. */
  collection: 256 * MiB,
  /** The files sent along with a timestamp (protocol I.1); larger ones are fetched one by one. */
  chain: 8 * MiB,
  /** A file with copies of collections. */
  copyFile: 512 * MiB,
  /** All files of a mirror, which it has in memory. */
  mirror: 2048 * MiB,
  /** What a copy says of itself and of its files: as many as there are roots and delegations. */
  copyHead: 4 * MiB,
  /** All current files of a collection that a server accepts: as much as it can keep in memory. */
  published: 48 * MiB,
  /** A public key response of the trust server. */
  keyResponse: 256 * KiB,
  /** An error body. Notary stops at 1 KiB, which truncates its own longer answers. */
  errorBody: 64 * KiB,
  /** A token service's response. */
  tokenResponse: 256 * KiB,
  /** An image manifest or index (distribution's own bound). */
  manifest: 4 * MiB,
  /** One publish: all parts together. */
  upload: 64 * MiB,
  /** One publish: number of parts. */
  uploadParts: 512,
  /** One import (protocol I.2): number of parts. */
  importParts: 5124,
  /** A key, certificate or passphrase file. */
  keyFile: 1 * MiB,
  /** A bundle of exported keys: enough for thousands of repositories. */
  keyBundle: 16 * MiB,
  /** A settings or docker configuration file. */
  configFile: 4 * MiB,
  /** Nesting depth of JSON arrays and objects. */
  jsonDepth: 64,
  /**
   * Values in one JSON text, and in all files of one publish: each takes far more memory than its bytes. A target has
   * four.
   */
  jsonValues: 250_000,
  /** Bytes that a verifier hashes for one file: its length, once per signature. */
  hashed: 256 * MiB,
  /** A GUN, in characters (the width of Notary's database column). */
  gun: 255,
  /** A role name, in characters. */
  role: 255,
  /** How far one publish may raise a version: a stolen key must not use up all versions at once. */
  versionStep: 1000,
  /** Roots fetched in sequence while chaining to the newest. */
  rootChain: 1024,
  /** Paths in all delegations that one role makes: each is compared with each of the role's own. */
  delegationPaths: 10_000,
  /** Delegations visited in one update. */
  delegations: 4096,
} as const;
