import { describe, expect, test } from 'bun:test';
import { serverFor } from '../../../src/remote/transport/server-address.ts';
import { failure } from '../../support/failure.ts';

describe('serverFor', () => {
  const none = { environment: undefined };

  test.each([
    ['docker.io', none, 'https://notary.docker.io/'],
    ['localhost:5000', none, 'https://localhost:5000/'],
    ['registry.example', none, 'https://registry.example/'],
    ['[::1]:5000', none, 'https://[::1]:5000/'],
    ['docker.io', { environment: '' }, 'https://notary.docker.io/'],
    ['docker.io', { environment: 'https://trust.example:4443' }, 'https://trust.example:4443/'],
    ['reg.example', { environment: 'https://trust.example/sub/path' }, 'https://trust.example/sub/path'],
    ['reg.example', { environment: 'https://trust.example/sub/path//' }, 'https://trust.example/sub/path'],
    [
      'reg.example',
      { environment: undefined, perRegistry: new Map([['reg.example', 'https://t.example']]) },
      'https://t.example/',
    ],
    [
      'other.example',
      { environment: undefined, perRegistry: new Map([['reg.example', 'https://t.example']]) },
      'https://other.example/',
    ],
    [
      'reg.example',
      { environment: 'https://e.example', perRegistry: new Map([['reg.example', 'https://t.example']]) },
      'https://e.example/',
    ],
  ])('%s, %j: %s', (registry, settings, address) => {
    expect(serverFor(registry, settings).href).toBe(address);
  });

  test.each([
    ['http://trust.example', 'valid https URL required for trust server, got http://trust.example'],
    ['trust.example', 'valid https URL required for trust server, got trust.example'],
    ['https://', 'valid https URL required for trust server, got https://'],
    ['file:///x', 'valid https URL required for trust server, got file:///x'],
    ['HTTPS:trust.example', 'valid https URL required for trust server, got HTTPS:trust.example'],
    ['http://user:secret@trust.example', 'valid https URL required for trust server, got http://trust.example'],
    [
      'https://user:secret@trust.example',
      "the trust server's address https://trust.example must have no user name, query or fragment",
    ],
    [
      'https://trust.example/?a=b',
      "the trust server's address https://trust.example must have no user name, query or fragment",
    ],
  ])('refuses %s', async (environment, message) => {
    const error = await failure(() => serverFor('reg.example', { environment }), 'server-address-invalid');
    expect(error.message).toBe(message);
  });
});
