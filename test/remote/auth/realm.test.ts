import { describe, expect, test } from 'bun:test';
import { mayReceive, parseRealm } from '../../../src/remote/auth/realm.ts';
import { failure } from '../../support/failure.ts';

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

describe('a login', () => {
  const goesTo = (realm: string, challenger: string, registry: string, allowed: string[] = []) =>
    mayReceive(new URL(realm), new URL(challenger), { registry, allowed: new Set(allowed) });

  test.each([
    ['the challenger itself', 'https://reg.example/token', 'https://reg.example', 'reg.example'],
    ['another port of its host', 'https://reg.example:5001/token', 'https://reg.example:5000', 'Reg.example:5000'],
    [
      'the token service of the registry, for a trust server on its host',
      'https://reg.example/token',
      'https://reg.example:4443',
      'reg.example',
    ],
    ['an address in brackets', 'https://[2001:db8::1]:5001/token', 'https://[2001:db8::1]:5000', '[2001:db8::1]:5000'],
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
    [
      "Docker Hub's service for its trust server, with a login for that",
      'https://auth.docker.io/token',
      'https://notary.docker.io',
      'notary.docker.io',
    ],
    [
      "GitLab's service for its registry",
      'https://gitlab.com/jwt',
      'https://registry.gitlab.com',
      'registry.gitlab.com',
    ],
  ])('goes to %s', (_, realm, challenger, registry) => {
    expect(goesTo(realm, challenger, registry)).toBe(true);
  });

  test('goes to an origin that the user allowed, and only to that origin', async () => {
    const allowed = ['https://auth.example:8443'];
    expect(goesTo('https://auth.example:8443/token', 'https://reg.example', 'reg.example', allowed)).toBe(true);
    expect(goesTo('https://auth.example:8443/token', 'https://notary.example', 'reg.example', allowed)).toBe(true);
    expect(goesTo('https://auth.example/token', 'https://notary.example', 'reg.example', allowed)).toBe(false);
    const error = await failure(
      () => goesTo('https://auth.example/token', 'https://reg.example', 'reg.example', allowed),
      'realm-refused',
    );
    expect(error.next).toContain('registries."reg.example".tokenServices');
  });

  test('goes to the configured address of the registry and its host, but not for the asking of others', () => {
    const audience = { registry: 'reg.example', endpoint: new URL('https://cache.example/hub') };
    const goes = (realm: string, challenger: string) => mayReceive(new URL(realm), new URL(challenger), audience);
    expect(goes('https://cache.example:8443/token', 'https://cache.example')).toBe(true);
    expect(goes('https://reg.example/token', 'https://cache.example')).toBe(true);
    expect(goes('https://cache.example/token', 'https://notary.example')).toBe(false);
    expect(() => goes('https://evil.example/token', 'https://cache.example')).toThrow('asks to send the login');
  });

  test.each([
    ['to its own token service', 'https://notary.example/token', 'https://notary.example'],
    ['to the registry, whose token it would get', 'https://reg.example/token', 'https://notary.example'],
    ['on a host below', 'https://reg.example/token', 'https://notary.reg.example'],
    ["with Docker Hub's service", 'https://auth.docker.io/token', 'https://notary.docker.io'],
  ])('stays here where a server of someone else sends it %s', (_, realm, challenger) => {
    expect(goesTo(realm, challenger, 'reg.example')).toBe(false);
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
  ])('does not go to %s', async (_, realm, challenger, registry) => {
    await failure(() => goesTo(realm, challenger, registry), 'realm-refused');
  });
});
