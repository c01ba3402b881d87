import { describe, expect, test } from 'bun:test';
import { notaryLogin } from '../../../src/trust/settings/notary-place.ts';
import { failure } from '../../support/failure.ts';

describe('NOTARY_AUTH', () => {
  test('is read as notary reads it: line ends in the base64 count nowhere', () => {
    for (const text of ['YWxpY2U6czNjcmV0', 'YWxpY2U6\nczNjcmV0\n', 'YWxpY2U6czNjc\r\nmV0']) {
      const login = notaryLogin({ NOTARY_AUTH: text });
      expect([login?.username, login?.password.toString(), login?.source]).toEqual(['alice', 's3cret', 'NOTARY_AUTH']);
    }
    expect(notaryLogin({ NOTARY_AUTH: '' })).toBeUndefined();
  });

  test.each(['YWxpY2U', 'YWxpY2U=', 'alice:s3cret', 'YWxp Y2U6'])('%s is none', async (text) => {
    const error = await failure(() => notaryLogin({ NOTARY_AUTH: text }), 'configuration-invalid');
    expect(error.message).toBe('NOTARY_AUTH is not the base64 of user:password');
  });
});
