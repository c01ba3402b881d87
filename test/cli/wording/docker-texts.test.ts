import { describe, expect, test } from 'bun:test';
import { inDockersWords, missingKeys, wordedAs } from '../../../src/cli/wording/docker-texts.ts';
import { type ErrorCode, SignetError } from '../../../src/core/errors/index.ts';

const R = 'registry.example.com/a';

describe('inDockersWords', () => {
  test.each([
    ['network-unreachable', 'Error: error contacting notary server: why'],
    ['network-timeout', 'Error: error contacting notary server: why'],
    ['tls-untrusted', 'Error: error contacting notary server: why'],
    ['tls-failed', 'Error: error contacting notary server: why'],
    ['server-error', 'why'],
    ['unauthorized', 'why'],
    ['root-untrusted', 'why'],
    ['metadata-expired', `Error: remote repository ${R} out-of-date: why`],
    ['trust-data-missing', `Error: remote trust data does not exist for ${R}: why`],
    [
      'key-passphrase-wrong',
      `Error: could not find signing keys for remote repository ${R}, or could not decrypt signing key: why`,
    ],
    [
      'version-rollback',
      `Warning: potential malicious behavior - trust data version is lower than expected for remote repository ${R}: why`,
    ],
    [
      'threshold-not-met',
      `Warning: potential malicious behavior - trust data has insufficient signatures for remote repository ${R}: why`,
    ],
    [
      'signatures-missing',
      `Warning: potential malicious behavior - trust data has insufficient signatures for remote repository ${R}: why`,
    ],
    [
      'checksum-mismatch',
      `Warning: potential malicious behavior - trust data mismatch for remote repository ${R}: why`,
    ],
    ['length-mismatch', `Warning: potential malicious behavior - trust data mismatch for remote repository ${R}: why`],
    [
      'response-invalid',
      `Error: no trust data available for remote repository ${R}. Try running notary server and setting DOCKER_CONTENT_TRUST_SERVER to its HTTPS address?`,
    ],
  ] satisfies [ErrorCode, string][])('%s', (code, message) => {
    const cause = new SignetError(code, 'why', { next: 'do this', detail: { fact: 1 } });
    expect(inDockersWords(cause, R)).toMatchObject({ code, message, next: 'do this', detail: { fact: 1 } });
  });

  test('a file that is missing is not a repository that is missing', () => {
    const resource = (name: string) => new SignetError('trust-data-missing', 'why', { detail: { resource: name } });
    expect(inDockersWords(resource('targets'), R)).toMatchObject({
      message: `Error: trust data missing for remote repository ${R} or remote repository not found: why`,
    });
    expect(inDockersWords(resource('root'), R)).toMatchObject({
      message: `Error: remote trust data does not exist for ${R}: why`,
    });
  });

  test('what is no error of ours is left alone', () => {
    const error = new TypeError('x');
    expect(inDockersWords(error, R)).toBe(error);
  });
});

describe('missingKeys', () => {
  test('names the keys of which one would be enough', () => {
    const error = new SignetError('signing-key-missing', 'why', { detail: { missing: ['a', 'b'] } });
    const message = 'could not find necessary signing keys, at least one of these keys must be available: a, b';
    expect(missingKeys(error)).toBe(message);
    expect(inDockersWords(error, R)).toMatchObject({ message });
  });

  test('leaves an error without keys as it is', () => {
    expect(missingKeys(new SignetError('signing-key-missing', 'no valid signing keys'))).toBe('no valid signing keys');
  });
});

describe('wordedAs', () => {
  const failing = (code: ErrorCode) => async () => {
    throw new SignetError(code, 'why', { detail: { tag: 'v1' } });
  };

  test('returns what the work returns', async () => {
    expect(await wordedAs(R, async () => 7)).toBe(7);
  });

  test('words what only a delegation vouches for as the command wants it', async () => {
    const work = failing('target-role-untrusted');
    await expect(wordedAs(R, work)).rejects.toMatchObject({ message: 'why' });
    await expect(wordedAs(R, work, 'No valid trust data for v1')).rejects.toMatchObject({
      code: 'target-role-untrusted',
      message: 'No valid trust data for v1',
      detail: { tag: 'v1' },
    });
    await expect(wordedAs(R, failing('target-not-found'), 'other')).rejects.toMatchObject({ message: 'why' });
  });
});
