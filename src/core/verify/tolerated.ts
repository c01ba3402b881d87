import { type ErrorCode, isSignetError, type SignetError } from '../errors/index.ts';
import { type Envelope, parseEnvelope } from '../metadata/envelope.ts';
import { readTargets, type Targets } from '../metadata/targets.ts';
import type { TargetsRole } from '../names/role.ts';
import type { TrustedSet } from './trusted-set.ts';

/** A published delegation file that cannot be trusted as it stands. */
export interface UnusableFile {
  readonly payload: Targets;
  readonly envelope: Envelope;
  /** `expired`: rightly signed, so its content may be signed again. `unsigned`: its content is anyone's. */
  readonly why: 'expired' | 'unsigned';
}

/** What makes a delegation unusable without making the collection so (protocol C.6.2, Targets). */
const PASSED_OVER: readonly ErrorCode[] = ['metadata-expired', 'threshold-not-met', 'signatures-missing'];

/**
 * Trusts the file of `targets` or of a delegation. A delegation whose file expired or lost its signatures is passed over,
 * and returned with the reason; any other fault is thrown.
 */
export function trustOrPassOver(
  set: TrustedSet,
  role: TargetsRole,
  bytes: Buffer,
  known?: Buffer,
): { readonly file: UnusableFile; readonly why: SignetError } | undefined {
  try {
    set.updateTargets(role, bytes, known);
    return undefined;
  } catch (error) {
    if (role === 'targets' || !isSignetError(error, ...PASSED_OVER)) throw error;
    const envelope = parseEnvelope(role, bytes);
    const why = error.code === 'metadata-expired' ? 'expired' : 'unsigned';
    const payload = readTargets(role, envelope.signed);
    set.passOver(role, error, bytes, known);
    return { file: { payload, envelope, why }, why: error };
  }
}
