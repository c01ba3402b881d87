import type { ErrorCode } from '../../core/errors/index.ts';

/** Faults of the way to the server, not of what it says: the cache may serve until it expires (protocol C.6.2). */
export const UNREACHABLE: readonly ErrorCode[] = [
  'network-unreachable',
  'network-timeout',
  'server-error',
  'trust-data-missing',
];
/** What a changed root would explain (protocol C.6.2): then the root is brought up to date, and all is tried once more. */
export const ROOT_MAY_BE_OLD: readonly ErrorCode[] = [
  'root-outdated',
  'threshold-not-met',
  'signatures-missing',
  'metadata-expired',
  'root-untrusted',
  'root-pin-mismatch',
];
