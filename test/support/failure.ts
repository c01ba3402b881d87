import { expect } from 'bun:test';
import type { ErrorCode, SignetError } from '../../src/core/errors/index.ts';

/** Expects the action to fail with this code and a one-line message; returns the error. */
export async function failure(action: Promise<unknown> | (() => unknown), code: ErrorCode): Promise<SignetError> {
  let outcome: unknown;
  try {
    outcome = new Error(
      `did not fail, but returned ${String(await (typeof action === 'function' ? action() : action))}`,
    );
  } catch (error) {
    outcome = error;
  }
  expect(outcome).toMatchObject({ name: 'SignetError', code });
  expect((outcome as Error).message).not.toMatch(/[\n\r]/);
  return outcome as SignetError;
}
