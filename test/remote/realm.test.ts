import { describe, expect, test } from 'bun:test';
import { checkRealm, parseRealm } from '../../src/remote/realm.ts';
import { failure } from '../support/failure.ts';

describe('parseRealm', () => {
  const registry = new URL('https://registry.example');
  const local = new URL('http://localhost:5000');

  test('takes https anywhere, and http on this machine', () => {
    expect(parseRealm('https://auth.example/token?x=y', registry).href).toBe('https://auth.example/token?x=y');
    expect(parseRealm('http://127.0.0.1:5001/token', local).href).toBe('http://127.0.0.1:5001/token');
    expect(parseRealm('http://[::1]:5001/token', local).href).toBe('http://[::1]:5001/token');
  });

  test.each([
    ['no address', '', registry],
    ['a path', '/token', registry],
    ['plain http', 'http://registry.example/token', registry],
    ['a file', 'file:///etc/passwd', registry],
    ['a user name', 'https://user:secret@auth.example/token', registry],
    ['this machine, said by another', 'https://localhost:2376/containers', registry],
    ['this machine over http, said by another', 'http://127.0.0.1:2375/containers', registry],
  ])('refuses %s', async (_, realm, challenger) => {
    const error = await failure(() => parseRealm(realm, challenger), 'realm-refused');
    expect(error.message).not.toContain('secret');
  });
});

describe('checkRealm', () => {
  const check = (realm: string, challenger: string, loginHost: string, allowed: string[] = []) =>
    checkRealm(new URL(realm), { challenger: new URL(challenger), loginHost, allowed: new Set(allowed) });

  test.each([
    ['the challenger itself', 'https://reg.example/token', 'https://reg.example', 'reg.example'],
    ['another port of its host', 'https://reg.example:5001/token', 'https://reg.example:5000', 'reg.example'],
    ['the host of the login', 'https://reg.example/token', 'https://notary.example:4443', 'Reg.example'],
    [
      "Docker Hub's service for its registry",
      'https://auth.docker.io/token',
      'https://registry-1.docker.io',
      'docker.io',
    ],
    [
      "Docker Hub's service for its trust server",
      'https://auth.docker.io/token',
      'https://notary.docker.io',
      'docker.io',
    ],
  ])('lets the login go to %s', (_, realm, challenger, loginHost) => {
    expect(() => check(realm, challenger, loginHost)).not.toThrow();
  });

  test('lets the login go to an origin that the user allowed, and only to that origin', async () => {
    const allowed = ['https://auth.example:8443'];
    expect(() => check('https://auth.example:8443/token', 'https://reg.example', 'reg.example', allowed)).not.toThrow();
    await failure(
      () => check('https://auth.example/token', 'https://reg.example', 'reg.example', allowed),
      'realm-refused',
    );
  });

  test.each([
    ['a stranger', 'https://evil.example/token', 'https://reg.example', 'reg.example'],
    ['a host whose name begins alike', 'https://reg.example.evil.net/token', 'https://reg.example', 'reg.example'],
    ['a host whose name ends alike', 'https://evilreg.example/token', 'https://reg.example', 'reg.example'],
    ['a host below', 'https://auth.reg.example/token', 'https://reg.example', 'reg.example'],
    [
      "a look-alike of Docker Hub's",
      'https://auth.docker.io.evil.net/token',
      'https://registry-1.docker.io',
      'docker.io',
    ],
    ["another port of Docker Hub's", 'https://auth.docker.io:8443/token', 'https://registry-1.docker.io', 'docker.io'],
    [
      "Docker Hub's service, for another registry's login",
      'https://auth.docker.io/token',
      'https://reg.example',
      'reg.example',
    ],
  ])('does not let the login go to %s', async (_, realm, challenger, loginHost) => {
    await failure(() => check(realm, challenger, loginHost), 'realm-refused');
  });
});
