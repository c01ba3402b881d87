import { describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import { DatabaseServer, parseDatabaseUrl } from '../../src/store/database-url.ts';
import { failure } from '../support/failure.ts';

const SECRET = 'hunter2';

function server(text: string): DatabaseServer {
  const url = parseDatabaseUrl(text);
  if (!(url instanceof DatabaseServer)) throw new Error('no server');
  return url;
}

test('a file is all that follows sqlite:', () => {
  expect(parseDatabaseUrl('sqlite:/var/lib/signet/a b?c.db')).toEqual({
    kind: 'sqlite',
    path: '/var/lib/signet/a b?c.db',
  });
});

test('a server has user, password, host, port and name, each percent-encoded', () => {
  const url = server('postgres://sig%40net:p%3Ass:w%2Frd@db.example.com:6000/my%20trust');
  expect(url).toMatchObject({
    dialect: 'postgres',
    host: 'db.example.com',
    port: 6000,
    user: 'sig@net',
    name: 'my trust',
  });
  expect(url.revealPassword()).toBe('p:ss:w/rd');
});

test.each([
  ['postgresql://u@h/n', 'postgres', 5432],
  ['mysql://u@h/n', 'mysql', 3306],
  ['mariadb://u@h/n', 'mysql', 3306],
] as const)('%s is %s on port %i', (text, dialect, port) => {
  expect(server(text)).toMatchObject({ dialect, port });
});

test('an address of IPv6 stands in brackets', () => {
  const url = server('mysql://u@[2001:db8::1]:3307/n');
  expect(url.host).toBe('2001:db8::1');
  expect(String(url)).toBe('mysql://u@[2001:db8::1]:3307/n');
});

describe('how the line is protected', () => {
  test.each([
    ['postgres://u@db.example.com/n', 'verify-full'],
    ['postgres://u@10.0.0.7/n', 'verify-full'],
    ['postgres://u@localhost.example.com/n', 'verify-full'],
    ['postgres://u@localhost/n', 'disable'],
    ['mysql://u@127.0.0.1/n', 'disable'],
    ['mysql://u@[::1]/n', 'disable'],
    ['postgres://u@/n?socket=/run/postgresql', 'disable'],
    ['postgres://u@localhost/n?sslrootcert=/etc/ca.pem', 'verify-full'],
    ['postgres://u@db.example.com/n?sslmode=disable', 'disable'],
    ['postgres://u@localhost/n?sslmode=require', 'require'],
    ['mysql://u@h/n?sslmode=verify-ca&sslrootcert=/etc/ca%20certificate.pem', 'verify-ca'],
  ])('%s: %s', (text, tls) => {
    expect(server(text).tls).toBe(tls as DatabaseServer['tls']);
  });
});

test('the password shows in no print of the address', () => {
  const url = server(`postgres://signet:${SECRET}@db.example.com/trust?sslmode=require`);
  const prints = [
    String(url),
    JSON.stringify({ url }),
    inspect({ url }, { showHidden: true, depth: 9 }),
    Bun.inspect({ url }),
  ];
  for (const print of prints) {
    expect(print).not.toContain(SECRET);
    expect(print).toContain('postgres://signet@db.example.com:5432/trust');
  }
  expect(Object.values(url)).not.toContain(SECRET);
  expect(structuredClone({ ...url })).not.toHaveProperty('password');
});

test.each([
  '',
  'sqlite:',
  'sqlite://file.db',
  `/var/lib/${SECRET}.db`,
  `oracle://u:${SECRET}@h/n`,
  `POSTGRES://u:${SECRET}@h/n`,
  `postgres:u:${SECRET}@h/n`,
  `postgres://u:${SECRET}@h`,
  `postgres://u:${SECRET}@h/`,
  `postgres://:${SECRET}@h/n`,
  `postgres://h/${SECRET}`,
  `postgres://u:${SECRET}@/n`,
  `postgres://u:${SECRET}@h:0/n`,
  `postgres://u:${SECRET}@h:65536/n`,
  `postgres://u:${SECRET}@h:port/n`,
  `postgres://u:${SECRET}@a@h/n`,
  `postgres://u:${SECRET}/x@h/n`,
  `postgres://u:${SECRET}#@h/n`,
  `postgres://u:${SECRET}%zz@h/n`,
  `postgres://u:${SECRET}%00@h/n`,
  `postgres://u:${SECRET}@h,g/n`,
  `postgres://u:${SECRET}@h/n/m`,
  `postgres://u:${SECRET}@h/n#m`,
  `postgres://u:${SECRET}@h/n?sslmode=prefer`,
  `postgres://u:${SECRET}@h/n?sslmode=disable&sslmode=require`,
  `postgres://u:${SECRET}@h/n?sslmode=disable&sslrootcert=/ca.pem`,
  `postgres://u:${SECRET}@h/n?sslmode=require&sslrootcert=/ca.pem`,
  `postgres://u:${SECRET}@h/n?sslcert=/a.pem`,
  `postgres://u:${SECRET}@h/n?socket=run`,
  `postgres://u@h/n?password=${SECRET}`,
  `postgres://u@h/n?${SECRET}`,
  `postgres://u@h/n?`,
  ` postgres://u:${SECRET}@h/n`,
  `postgres://u:${SECRET}@h/n\n`,
  `postgres://u:${SECRET}@h/${'n'.repeat(5000)}`,
])('refuses %j and quotes nothing of it', async (text) => {
  const error = await failure(() => parseDatabaseUrl(text), 'database-url-invalid');
  expect(error.message + error.next).not.toContain(SECRET);
});
