const KiB = 1024;
const MiB = 1024 * KiB;

/** Every bound on what comes from outside, in bytes unless the name says otherwise (protocol A.14, B.6). */
export const LIMITS = {
  /** A timestamp file. */
  timestamp: 1 * MiB,
  /** A metadata file whose length is not known beforehand. Notary reads up to 100 MiB; real files stay below 1 MiB. */
  metadata: 32 * MiB,
  /** The files of `targets` and all delegations of one collection, together. */
  collection: 256 * MiB,
  /** The files that come along with a timestamp (protocol I.1); larger ones are fetched one by one. */
  chain: 8 * MiB,
  /** A file with copies of collections. */
  copyFile: 512 * MiB,
  /** All files of a mirror, which it has in memory. */
  mirror: 2048 * MiB,
  /** What a copy says of itself and of its files: as many as there are roots and delegations. */
  copyHead: 4 * MiB,
  /** All current files of a collection that a server takes: as many as it can keep in memory. */
  published: 48 * MiB,
  /** A public key response of the trust server. */
  keyResponse: 256 * KiB,
  /** An error body. Notary stops at 1 KiB, which truncates its own longer answers. */
  errorBody: 64 * KiB,
  /** A token service's answer. */
  tokenResponse: 256 * KiB,
  /** An image manifest or index (distribution's own bound). */
  manifest: 4 * MiB,
  /** One publish: all parts together. */
  upload: 64 * MiB,
  /** One publish: number of parts. */
  uploadParts: 512,
  /** A key, certificate or passphrase file. */
  keyFile: 1 * MiB,
  /** A file of exported keys: those of thousands of repositories. */
  keyBundle: 16 * MiB,
  /** A settings or docker configuration file. */
  configFile: 4 * MiB,
  /** JSON arrays and objects inside of each other, in levels. */
  jsonDepth: 64,
  /** Values in one JSON text, and in all of one publish: each takes far more memory than its bytes. A target has four. */
  jsonValues: 250_000,
  /** What a file's signatures make a verifier hash: the file's length, once for each. */
  hashed: 256 * MiB,
  /** A GUN, in characters (the width of Notary's database column). */
  gun: 255,
  /** A role name, in characters. */
  role: 255,
  /** How far one publish may raise a version, in steps: a stolen key must not use up all versions at once. */
  versionStep: 1000,
  /** Roots fetched one after the other while chaining to the newest, in files. */
  rootChain: 1024,
  /** Paths in all delegations that one role makes: each is compared with each of the role's own. */
  delegationPaths: 10_000,
  /** Delegation roles visited in one update, in roles. */
  delegations: 4096,
} as const;
