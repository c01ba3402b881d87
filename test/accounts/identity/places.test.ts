import { expect, test } from 'bun:test';
import { locate, OwnHosts } from '../../../src/accounts/identity/places.ts';

const own = new OwnHosts(['localhost:5000', 'signet.example.com', '10.0.0.7:8443', 'registry']);
const ours = (path: string) => ({ host: undefined, path });

test.each([
  ['alice/app', 'alice/app'],
  ['alice', 'alice'],
  ['localhost:5000/alice/app', 'alice/app'],
  ['127.0.0.1:5000/alice/app', 'alice/app'],
  ['[::1]:5000/alice/app', 'alice/app'],
  ['signet.example.com/alice/app', 'alice/app'],
  ['signet.example.com:443/alice/app', 'alice/app'],
  ['Signet.Example.com/alice/app', 'alice/app'],
  ['10.0.0.7:8443/team/a/b', 'team/a/b'],
  ['registry/app', 'registry/app'],
])('%p is our repository %p', (name, path) => {
  expect(locate(name, own)).toEqual(ours(path));
});

test.each([
  ['docker.io/library/busybox', 'docker.io', 'library/busybox'],
  ['localhost/alice/app', 'localhost', 'alice/app'],
  ['localhost:50000/alice/app', 'localhost:50000', 'alice/app'],
  ['localhost:500/alice/app', 'localhost:500', 'alice/app'],
  ['localhost:5000.evil.com/alice/app', 'localhost:5000.evil.com', 'alice/app'],
  ['localhost:5000@evil.com/alice/app', 'localhost:5000@evil.com', 'alice/app'],
  ['127.0.0.2:5000/alice/app', '127.0.0.2:5000', 'alice/app'],
  ['signet.example.com.evil.com/alice/app', 'signet.example.com.evil.com', 'alice/app'],
  ['evil.signet.example.com/alice/app', 'evil.signet.example.com', 'alice/app'],
  ['signet.example.com:8443/alice/app', 'signet.example.com:8443', 'alice/app'],
  ['10.0.0.7/team/app', '10.0.0.7', 'team/app'],
  ['Alice/app', 'Alice', 'app'],
])('%p belongs to the registry %p', (name, host, path) => {
  expect(locate(name, own)).toEqual({ host, path });
});

test.each([
  '',
  '/',
  'alice/',
  'alice//app',
  'alice/../bob/app',
  'alice/./app',
  'localhost:5000/alice/../bob/app',
  'localhost:5000/../alice',
  'localhost:5000',
  'localhost:5000/',
  'localhost:5000/Alice/app',
  'localhost:5000/alice/app:latest',
  'alice/app%2f..',
  'alice\\bob',
  'alice/app\n',
  'alice/app\u0000',
  'docker.io/_trust/app',
  `alice/${'a'.repeat(255)}`,
])('%p is nowhere', (name) => {
  expect(locate(name, own)).toBeUndefined();
});

test('the own path is split off once', () => {
  expect(locate('localhost:5000/localhost:5000/alice/app', own)).toBeUndefined();
  expect(locate('signet.example.com/signet.example.com/alice/app', own)).toEqual(ours('signet.example.com/alice/app'));
});

test('loopback names stand for each other only where one of them is ours', () => {
  const other = new OwnHosts(['signet.example.com:5000']);
  expect(locate('localhost:5000/alice/app', other)).toEqual({ host: 'localhost:5000', path: 'alice/app' });
  expect(locate('localhost/alice/app', new OwnHosts(['[::1]:443']))).toEqual(ours('alice/app'));
});
