import { describe, expect, test } from 'bun:test';
import { SignetError } from '../../../src/core/errors/index.ts';
import { AuthorizationRequired } from '../../../src/http/gate.ts';
import { errorResponse } from '../../../src/serve/http/error-response.ts';

const REALM = { url: 'https://localhost:5000/auth/token', service: 'signet' };
const JSON_TYPE = 'application/json; charset=utf-8';

function challengeOf(error: AuthorizationRequired): Response {
  return errorResponse(error, REALM, 'id');
}

describe('a challenge (protocol B.4)', () => {
  const gun = 'localhost:5000/alice/app';
  const wanted = { type: 'repository', name: gun, actions: ['push', 'pull'] };

  test('is written byte for byte as Notary and docker write it', async () => {
    const response = challengeOf(new AuthorizationRequired([wanted]));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer realm="https://localhost:5000/auth/token",service="signet",scope="repository:localhost:5000/alice/app:push,pull"',
    );
    expect(response.headers.get('content-type')).toBe(JSON_TYPE);
    expect(await response.text()).toBe(
      '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Class":"","Name":"localhost:5000/alice/app","Action":"push"},{"Type":"repository","Class":"","Name":"localhost:5000/alice/app","Action":"pull"}]}]}\n',
    );
  });

  test('says why a token did not do', () => {
    for (const reason of ['invalid_token', 'insufficient_scope'] as const) {
      expect(challengeOf(new AuthorizationRequired([wanted], reason)).headers.get('www-authenticate')).toEndWith(
        `:push,pull",error="${reason}"`,
      );
    }
  });

  test('joins several scopes with spaces, and leaves out what is not there', () => {
    const catalog = { type: 'registry', name: 'catalog', actions: ['*'] };
    expect(challengeOf(new AuthorizationRequired([wanted, catalog])).headers.get('www-authenticate')).toContain(
      'scope="repository:localhost:5000/alice/app:push,pull registry:catalog:*"',
    );
    expect(challengeOf(new AuthorizationRequired([])).headers.get('www-authenticate')).toBe(
      'Bearer realm="https://localhost:5000/auth/token",service="signet"',
    );
  });

  test('cannot be broken out of', () => {
    const hostile = { type: 'repository', name: 'a",realm="https://evil.example.com\\', actions: ['pull'] };
    expect(challengeOf(new AuthorizationRequired([hostile])).headers.get('www-authenticate')).toEndWith(
      'scope="repository:a\\",realm=\\"https://evil.example.com\\\\:pull"',
    );
  });
});

describe('an error', () => {
  async function bodyOf(error: unknown) {
    const response = errorResponse(error, REALM, 'run-7');
    expect(response.headers.get('content-type')).toBe(JSON_TYPE);
    return [response.status, await response.text()];
  }

  test('that the catalogue has a status for is told to the client', async () => {
    expect(await bodyOf(new SignetError('too-large', 'the body is too large'))).toEqual([
      413,
      '{"errors":[{"code":"TOO_LARGE","message":"the body is too large"}]}\n',
    ]);
    expect(await bodyOf(new SignetError('name-invalid', 'invalid name "x"'))).toEqual([
      400,
      '{"errors":[{"code":"NAME_INVALID","message":"invalid name \\"x\\""}]}\n',
    ]);
  });

  test('of routes and load has the code that clients know', async () => {
    expect(await bodyOf(new SignetError('route-unknown', 'nothing here'))).toEqual([
      404,
      '{"errors":[{"code":"METADATA_NOT_FOUND","message":"nothing here"}]}\n',
    ]);
    const busy = new SignetError('server-busy', 'busy', { detail: { retryAfter: 3 } });
    expect(await bodyOf(busy)).toEqual([503, '{"errors":[{"code":"UNAVAILABLE","message":"busy"}]}\n']);
    expect(errorResponse(busy, REALM, '').headers.get('retry-after')).toBe('3');
    const throttled = new SignetError('login-throttled', 'wait');
    expect(await bodyOf(throttled)).toEqual([429, '{"errors":[{"code":"TOOMANYREQUESTS","message":"wait"}]}\n']);
  });

  test('that is not meant for clients is named by its id only', async () => {
    const secret = new SignetError('database-unusable', 'cannot use /var/lib/signet/signet.db', {
      cause: new Error('x'),
    });
    const expected = [500, '{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"id":"run-7"}}]}\n'];
    expect(await bodyOf(secret)).toEqual(expected);
    expect(await bodyOf(new TypeError('undefined is not a function'))).toEqual(expected);
    expect(await bodyOf('a string')).toEqual(expected);
    expect(await bodyOf(undefined)).toEqual(expected);
  });
});
