import type { ErrorCode } from '../../core/errors/index.ts';

/**
 * Failures to reach the server, as opposed to its responses: the cache may be used until it expires (protocol C.6.2).
 */
export const UNREACHABLE: readonly ErrorCode[] = [
  'network-unreachable',
  'network-timeout',
  'server-error',
  'trust-data-missing',
];
/**
 * Failures that a changed root would explain (protocol C.6.2): the root is updated, and everything is tried once more.
 */
export const ROOT_MAY_BE_OLD: readonly ErrorCode[] = [
  'root-outdated',
  'threshold-not-met',
  'signatures-missing',
  'metadata-expired',
  'root-untrusted',
  'root-pin-mismatch',
];
