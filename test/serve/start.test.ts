import { describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePattern } from '../../src/accounts/identity/grants.ts';
import { hashPassword } from '../../src/accounts/identity/password.ts';
import { parseUserName } from '../../src/accounts/identity/user-name.ts';
import { ACCOUNT_MIGRATIONS, SqliteAccountStore } from '../../src/accounts/store/sqlite-store.ts';
import { DAY } from '../../src/core/time.ts';
import { dataFolder } from '../../src/serve/data/data-folder.ts';
import { startServer } from '../../src/serve/start.ts';
import { openDatabase } from '../../src/store/sqlite.ts';
import { atEnd } from '../support/cleanup.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';
import {
  exchange,
  fingerprintOf,
  peerCertificate,
  rawRequest,
  request,
  startTestServer,
  testParts,
  testSettings,
} from './fixture.ts';

/** Every file below a folder, with its mode in octal digits. */
function filesBelow(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), (statSync(path).mode & 0o777).toString(8)]),
  );
}

describe('the first start', () => {
  test('makes exactly these files, none of them for other users', async () => {
    const server = await startTestServer();
    const { data } = server.settings;
    await server.stop();
    expect((statSync(data).mode & 0o777).toString(8)).toBe('700');
    expect(filesBelow(data)).toEqual({
      'admin-password': '600',
      'master.key': '600',
      registry: '700',
      'registry/blobs': '700',
      'registry/blobs/sha256': '700',
      'registry/blobs/sha512': '700',
      'registry/uploads': '700',
      'serve.lock': '600',
      'signet.db': '600',
      tls: '700',
      'tls/ca.crt': '600',
      'tls/ca.key': '600',
      'tls/server.crt': '600',
      'tls/server.key': '600',
      'token.key': '600',
    });
  });

  test('on a terminal makes an administrator, whose password works and stands in the announcement only', async () => {
    const server = await startTestServer({ accessLog: 'stderr', logLevel: 'debug' }, { isTerminal: true });
    const { name, password, file } = server.administrator ?? { name: '', password: '' };
    expect([name, file]).toEqual(['admin', undefined]);
    expect(password).toMatch(/^[a-z2-9]{6}(-[a-z2-9]{6}){3}$/);
    expect(server.announcement.split(password)).toHaveLength(2);
    expect(await statusOfLogin(server, 'admin', password)).toBe(200);
    expect(await statusOfLogin(server, 'admin', `${password}x`)).toBe(401);
    expect(server.logged.join('')).not.toContain(password);
    expect(filesWith(server.settings.data, password)).toEqual([]);
  });

  test('elsewhere puts the password into a file of its own, says which, and prints it nowhere', async () => {
    const server = await startTestServer({ accessLog: 'stderr', logLevel: 'debug' });
    const { password = '' } = server.administrator ?? {};
    const file = dataFolder(server.settings.data).firstPassword;
    expect(readFileSync(file, 'utf8')).toBe(`${password}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await statusOfLogin(server, 'admin', password)).toBe(200);
    expect(server.announcement).toContain(`
Log in as admin with the password in ${file}
To change it, which removes the file: signet user passwd admin --data ${server.settings.data}
`);
    expect(`${server.announcement}${server.logged.join('')}`).not.toContain(password);
    expect(filesWith(server.settings.data, password)).toEqual(['admin-password']);
  });

  test('says where it is, how to log in, how to be trusted and how to be reached', async () => {
    const server = await startTestServer({}, { isTerminal: true });
    const { data } = server.settings;
    const password = server.administrator?.password;
    expect(server.announcement).toBe(`Signet serves https://localhost:${server.port}
  Data folder:  ${data}
  Authority:    ${data}/tls/ca.crt SHA256:${fingerprintOf(server.caCertificate)}

Log in as admin with the password ${password}
It is shown only now. To change it: signet user passwd admin --data ${data}

On this machine, docker and signet need nothing more for the images of localhost:${server.port}. A command that names the
server by its URL, https://localhost:${server.port}, must know the authority as other machines do:
  mkdir -p ~/.docker/tls/localhost:${server.port} && cp ${data}/tls/ca.crt ~/.docker/tls/localhost:${server.port}/ca.crt
BuildKit (docker build) trusts only the system's authorities when it fetches an image itself; to add this one to them:
  sudo signet serve --trust-here --data ${data} --listen 127.0.0.1:${server.port}
Other machines cannot reach it. To let them in:
  signet serve --data ${data} --listen 0.0.0.0:${server.port} --name HOST
`);
  });

  test('tells other machines which files to put where, at every start at which they reach it', async () => {
    const closed = await startTestServer();
    expect(closed.announcement).not.toContain('On other machines');
    await closed.stop();
    const names = [{ host: 'registry.example.com', port: undefined }];
    const open = { ...closed.settings, listen: { host: '0.0.0.0', port: 0 }, names };
    const server = await startTestServer(open);
    const host = `registry.example.com:${server.port}`;
    const lines = `
On other machines, as ${host}, the authority (${closed.settings.data}/tls/ca.crt) must be known
  to the docker engine:       /etc/docker/certs.d/${host}/ca.crt
  to docker trust and signet: ~/.docker/tls/${host}/ca.crt
  to BuildKit (docker build): to the system, as the file
    SUSE                    /etc/pki/trust/anchors/signet.crt, then update-ca-certificates
    Fedora, RHEL            /etc/pki/ca-trust/source/anchors/signet.crt, then update-ca-trust extract
    Arch                    /etc/ca-certificates/trust-source/anchors/signet.crt, then update-ca-trust extract
    Debian, Ubuntu, Alpine  /usr/local/share/ca-certificates/signet.crt, then update-ca-certificates
`;
    expect(server.announcement).toEndWith(lines);
    expect(server.url).toBe(`https://localhost:${server.port}`);
    await server.stop();
    expect((await startTestServer({ ...open, listen: { host: '0.0.0.0', port: server.port } })).announcement).toEndWith(
      server.announcement.slice(server.announcement.indexOf('\nOn other')),
    );
  });

  test('names the data folder in every command that it tells, as one word of a shell', async () => {
    const data = join(temporaryFolder(), "the server's data");
    const { announcement } = await startTestServer({ data }, { isTerminal: true });
    const word = `--data '${data.replace("'", "'\\''")}'`;
    const commands = announcement.split('\n').filter((line) => line.includes('signet '));
    expect(commands.filter((line) => / signet (serve|user) /.test(` ${line}`) && !line.includes(word))).toEqual([]);
    expect(commands.filter((line) => line.includes(word))).toHaveLength(3);
    const shell = Bun.spawnSync(['sh', '-c', `printf '%s\\n' ${word}`]);
    expect(shell.stdout.toString()).toBe(`--data\n${data}\n`);
  });

  test('names all that the command for this machine needs', async () => {
    const names = [{ host: 'registry.example.com', port: 443 }];
    const server = await startTestServer({ listen: { host: '0.0.0.0', port: 0 }, names });
    expect(server.announcement).toContain(
      `\n  sudo signet serve --trust-here --data ${server.settings.data} --listen 0.0.0.0:${server.port} --name registry.example.com:443\n`,
    );
  });

  test('repeats what the server was started with in every command, with paths from the root', async () => {
    const folder = temporaryFolder();
    const commandLine = {
      config: join(folder, 'signet.json'),
      flags: new Map([
        ['database-file', ['nowhere', 'cp url']],
        ['listen', ['localhost:0']],
        ['mirror', ['a', '/b']],
        ['gun-prefix', ['team/']],
        ['token-lifetime', ['5m']],
      ]),
    };
    const databaseFile = join(folder, 'cp url');
    writeFileSync(databaseFile, 'sqlite:other.db\n', { mode: 0o600 });
    const server = await startTestServer({ databaseFile }, { isTerminal: true, commandLine });
    const { data } = server.settings;
    const here = process.cwd();
    expect(server.announcement).toContain(
      ` SIGNET_CONFIG=${folder}/signet.json SIGNET_DATABASE_FILE='${here}/cp url' signet user passwd admin --data ${data}\n`,
    );
    expect(server.announcement).toContain(`--trust-here --data ${data} --config ${folder}/signet.json --listen `);
    const open = server.announcement.split('\n').find((line) => line.startsWith('  signet serve '));
    const words = open?.replace(`  signet serve --data ${data} --config ${folder}/signet.json `, '') ?? '';
    expect(words.split(' --').map((word) => word.replace(/^--/, ''))).toEqual([
      `database-file '${here}/cp url'`,
      'token-lifetime 5m',
      'gun-prefix team/',
      `mirror ${here}/a`,
      'mirror /b',
      `listen 0.0.0.0:${server.port}`,
      'name HOST',
    ]);
  });

  test('without accounts makes no administrator, and everyone may do everything', async () => {
    const server = await startTestServer({ auth: false });
    expect(server.administrator).toBeUndefined();
    expect((await request(server, '/v2/')).status).toBe(200);
    expect((await request(server, '/v2/_catalog')).status).toBe(200);
    expect((await request(server, '/auth/token')).status).toBe(404);
    expect(server.logged.join('')).toContain('auth is off');
  });
});

test('files with secrets that every user can read are told of, each with its setting', async () => {
  const folder = temporaryFolder();
  const file = (name: string, text: string, mode: number) => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
    return join(folder, name);
  };
  const settings = {
    databaseFile: file('url', 'sqlite:other.db', 0o644),
    masterKeyFile: file('key', '00'.repeat(32), 0o640),
    signerPassphrases: file('signer.env', '', 0o604),
  };
  chmodSync(folder, 0o755);
  const open = await startTestServer({ ...settings, auth: false });
  const warnings = (logged: readonly string[]) =>
    logged.filter((line) => line.includes('every user of this machine can read'));
  expect(warnings(open.logged)).toHaveLength(2);
  expect(warnings(open.logged)[0]).toContain(`chmod 600 ${settings.databaseFile}`);
  expect(warnings(open.logged)[1]).toContain('signerPassphrases');
  await open.stop();
  // No one else gets to a file in a folder that is shut.
  chmodSync(folder, 0o700);
  const shut = await startTestServer({ ...settings, auth: false, data: open.settings.data });
  expect(warnings(shut.logged)).toEqual([]);
});

describe('the next start', () => {
  test('with another database than the one before is refused, unless a flag says that the folder moves', async () => {
    const other = { kind: 'sqlite', path: join(temporaryFolder(), 'other.db') } as const;
    const first = await startTestServer({ database: other, auth: false });
    const { settings } = first;
    const { databaseNote, database } = dataFolder(settings.data);
    await first.stop();
    const forgotten = { ...settings, database: undefined };
    const error = await failure(startTestServer(forgotten), 'settings-conflict');
    expect(error.message).toBe(
      `the server of ${settings.data} keeps its data in sqlite:${other.path}, but the settings here name sqlite:${database}`,
    );
    expect(error.next).toEndWith(`signet serve --data ${settings.data} --database sqlite:${database}`);
    expect(readFileSync(databaseNote, 'utf8')).toBe(`sqlite:${other.path}\n`);
    expect(existsSync(database)).toBe(false);
    await (await startTestServer(settings)).stop();

    const flags = new Map([['database', [`sqlite:${database}`]]]);
    const moved = await startTestServer(forgotten, { commandLine: { config: undefined, flags } });
    await moved.stop();
    expect(existsSync(databaseNote)).toBe(false);
    await (await startTestServer(forgotten)).stop();
  });

  test('keeps authority, certificate, keys and accounts, and has three lines to say', async () => {
    const first = await startTestServer();
    const { password = '' } = first.administrator ?? {};
    await first.stop();
    const before = contentsOf(first.settings.data);
    const second = await startTestServer(first.settings);
    expect(second.caCertificate).toBe(first.caCertificate);
    expect(second.administrator).toBeUndefined();
    expect(second.announcement.split('\n')).toHaveLength(4);
    expect(second.announcement).not.toContain('password');
    expect(await statusOfLogin(second, 'admin', password)).toBe(200);
    expect(contentsOf(first.settings.data)).toEqual(before);
  });

  test('reminds of a first password that still holds, and removes the file of one that does not', async () => {
    const first = await startTestServer();
    const { firstPassword } = dataFolder(first.settings.data);
    await first.stop();
    const second = await startTestServer(first.settings);
    expect(second.logged.filter((line) => line.includes(firstPassword))).toHaveLength(1);
    expect(second.announcement).not.toContain('password');
    await second.stop();
    const database = openDatabase(dataFolder(first.settings.data).database, ACCOUNT_MIGRATIONS);
    const store = new SqliteAccountStore(database, { name: 'test', address: 'local' });
    await store.updateUser(parseUserName('admin'), { passwordHash: await hashPassword(Buffer.from('new')) }, 0);
    database.close();
    const third = await startTestServer(first.settings);
    expect(third.logged.filter((line) => line.includes(firstPassword))).toEqual([]);
    expect(existsSync(firstPassword)).toBe(false);
  });

  test('logs the changes of accounts that were made without it and beside it', async () => {
    const first = await startTestServer();
    const changes = (logged: readonly string[]) =>
      logged
        .map((line) => JSON.parse(line) as Record<string, string>)
        .filter(({ by }) => by !== undefined)
        .map(({ msg, user, detail, by, address }) => [msg, user, detail, by, address]);
    expect(changes(first.logged)).toEqual([['user added', 'admin', 'role admin', 'signet serve', 'local']]);
    await first.stop();
    const database = openDatabase(dataFolder(first.settings.data).database, ACCOUNT_MIGRATIONS);
    atEnd(() => database.close());
    const store = new SqliteAccountStore(database, { name: 'root (uid 0)', address: '192.0.2.7' });
    const alice = parseUserName('alice');
    await store.addUser({ name: alice, passwordHash: 'hash', admin: false }, 0);
    const second = await startTestServer(first.settings);
    const added = ['user added', 'alice', 'role user', 'root (uid 0)', '192.0.2.7'];
    expect(changes(second.logged)).toEqual([added]);
    await store.grant(alice, { pattern: parsePattern('team/*'), level: 'push' }, 0);
    while (changes(second.logged).length < 2) await Bun.sleep(5);
    expect(changes(second.logged)).toEqual([
      added,
      ['grant given', 'alice', 'push on team/*', 'root (uid 0)', '192.0.2.7'],
    ]);
  });

  test('logs failed logins with account and address', async () => {
    const server = await startTestServer();
    expect(await statusOfLogin(server, 'admin', 'wrong')).toBe(401);
    const basic = `Basic ${Buffer.from('nobody:wrong').toString('base64')}`;
    expect((await request(server, '/v2/', { headers: { Authorization: basic } })).status).toBe(401);
    const body = new URLSearchParams({ grant_type: 'refresh_token', service: 'signet', refresh_token: 'stolen' });
    expect((await request(server, '/auth/token', { method: 'POST', body })).status).toBe(401);
    const failed = server.logged.filter((line) => line.includes('login failed')).map((line) => JSON.parse(line));
    expect(failed.map(({ level, user, address, reason }) => [level, user, address, reason])).toEqual([
      ['warning', 'admin', '127.0.0.1', 'wrong password'],
      ['warning', 'nobody', '127.0.0.1', 'no such user'],
      ['warning', undefined, '127.0.0.1', 'the login has expired or was ended, log in again'],
    ]);
  });

  test('with another master key is refused while anything is sealed with the first', async () => {
    const first = await startTestServer({ auth: false });
    const sealed = await request(first, '/v2/localhost/a/_trust/tuf/timestamp.key');
    expect(sealed.status).toBe(200);
    await first.stop();
    const environment = { SIGNET_MASTER_KEY: '00'.repeat(32) };
    const error = await failure(startServer(first.settings, { environment, log: () => {} }), 'server-unhealthy');
    expect(error.message).toContain('Trust operational');
    await (await startTestServer(first.settings)).stop();
  });
});

test('a server that has lost its authority makes another one, and says what that means', async () => {
  const server = await startTestServer();
  const warning = 'there was no certificate authority in the data folder';
  expect(server.logged.join('')).not.toContain(warning);
  await server.stop();
  rmSync(dataFolder(server.settings.data).tls, { recursive: true });
  const again = await startTestServer(server.settings);
  expect(again.logged.filter((line) => line.includes(warning))).toHaveLength(1);
  expect(again.caCertificate).not.toBe(server.caCertificate);
});

describe('a start is refused', () => {
  test('where another process serves from the folder, which goes on undisturbed', async () => {
    const server = await startTestServer();
    const settings = { ...server.settings, listen: { host: '127.0.0.1', port: 0 } };
    const error = await failure(startServer(settings, { log: () => {} }), 'data-folder-locked');
    expect(error.next).toContain('--data');
    expect((await request(server, '/_signet/health')).status).toBe(200);
  });

  test('where another process listens on the address; the folder is free again then', async () => {
    const server = await startTestServer();
    const settings = testSettings({ listen: { host: '127.0.0.1', port: server.port } });
    const error = await failure(startServer(settings, { log: () => {} }), 'address-in-use');
    expect(error.message).toBe(`another process listens on 127.0.0.1:${server.port}`);
    expect(error.next).toContain('--listen');
    await startTestServer({ ...settings, listen: { host: '127.0.0.1', port: 0 } });
  });

  test('where the address is none of this machine', async () => {
    const settings = testSettings({ listen: { host: '192.0.2.1', port: 0 } });
    await failure(startServer(settings, { log: () => {} }), 'address-unavailable');
  });

  test('where the images of the database are gone, until their folder is there again', async () => {
    const server = await startTestServer();
    const { blobs, database, path } = dataFolder(server.settings.data);
    await server.stop();
    rmSync(blobs, { recursive: true });
    await (await startTestServer(server.settings)).stop();
    const opened = openDatabase(database);
    opened.run("INSERT INTO registry_blobs (digest, size, announced) VALUES ('sha256:aa', 1, 0)");
    opened.close();
    rmSync(blobs, { recursive: true });
    const error = await failure(startServer(server.settings, { log: () => {} }), 'data-folder-incomplete');
    expect(error.message).toBe(
      `the database knows images, but the folder that they are kept in is missing: ${path}/registry`,
    );
    expect(error.next).toEndWith(`: mkdir ${path}/registry`);
    expect(existsSync(blobs)).toBe(false);
    mkdirSync(blobs);
    await startTestServer(server.settings);
  });

  test('where the certificate cannot be used: it never falls back to another, nor to plain HTTP', async () => {
    const source = await startTestServer();
    const { serverCertificate, authorityKey } = dataFolder(source.settings.data);
    const settings = testSettings({ tlsCertificate: serverCertificate, tlsKey: authorityKey });
    await failure(startServer(settings, { log: () => {} }), 'certificate-unusable');
    expect(existsSync(join(settings.data, 'tls'))).toBe(false);
    expect(existsSync(join(settings.data, 'signet.db'))).toBe(false);
  });

  test('where a part cannot work, with nothing left running', async () => {
    const settings = testSettings();
    const openParts = () => Promise.reject(new TypeError('broken'));
    const starting = startServer(settings, { openParts, log: () => {} });
    expect(await starting.catch((error: unknown) => String(error))).toBe('TypeError: broken');
    await startTestServer(settings);
  });
});

describe('certificates', () => {
  test('are replaced when they near their end, without a restart', async () => {
    let now = Date.now();
    const openParts = testParts(async () => new Response('ok'));
    const server = await startTestServer({}, { now: () => now, openParts });
    const before = readFileSync(dataFolder(server.settings.data).serverCertificate, 'utf8');
    await server.reload();
    expect(readFileSync(dataFolder(server.settings.data).serverCertificate, 'utf8')).toBe(before);
    now += 370 * DAY;
    await server.reload();
    const after = readFileSync(dataFolder(server.settings.data).serverCertificate, 'utf8');
    expect(after).not.toBe(before);
    expect(await peerCertificate(server)).toBe(fingerprintOf(after));
    expect(server.logged.join('')).toContain('the certificate was replaced');
  });

  test('of the user are taken again when asked, and kept where the new one is bad', async () => {
    const first = await startTestServer();
    const second = await startTestServer();
    const [one, two] = [dataFolder(first.settings.data), dataFolder(second.settings.data)];
    const settings = testSettings();
    const [tlsCertificate, tlsKey] = [`${settings.data}.crt`, `${settings.data}.key`];
    const use = (folder: typeof one) => {
      writeFileSync(tlsCertificate, readFileSync(folder.serverCertificate));
      writeFileSync(tlsKey, readFileSync(folder.serverKey));
    };
    use(one);
    const server = await startTestServer({ ...settings, tlsCertificate, tlsKey });
    const former = fingerprintOf(readFileSync(one.serverCertificate, 'utf8'));
    expect(await peerCertificate(server)).toBe(former);
    writeFileSync(tlsKey, 'no key');
    await server.reload();
    expect(await peerCertificate(server)).toBe(former);
    expect(server.logged.join('')).toContain('the certificate could not be replaced');
    use(two);
    await server.reload();
    expect(await peerCertificate(server)).toBe(fingerprintOf(readFileSync(two.serverCertificate, 'utf8')));
    expect(server.announcement).not.toContain('ca.crt');
  });

  test('of the user that lack a name of the server are used, and the name is logged', async () => {
    const first = dataFolder((await startTestServer()).settings.data);
    const names = [
      { host: 'notary.example.com', port: undefined },
      { host: '192.0.2.1', port: undefined },
    ];
    const server = await startTestServer({ names, tlsCertificate: first.serverCertificate, tlsKey: first.serverKey });
    expect(await peerCertificate(server)).toBe(fingerprintOf(readFileSync(first.serverCertificate, 'utf8')));
    const warning = server.logged.find((line) => line.includes('the certificate is not for every name'));
    expect(warning).toContain('notary.example.com,192.0.2.1');
  });

  test('that are not valid yet, or no more, show in the health and in the log, once', async () => {
    let now = Date.now();
    const server = await startTestServer({}, { now: () => now });
    const check = async (status: number, text: string) => {
      const answer = await exchange(server, rawRequest('GET /_signet/health', 'Host: x'));
      expect(answer).toStartWith(`HTTP/1.1 ${status} `);
      expect(answer).toContain(`\r\n\r\n${text}`);
    };
    const warnings = () => server.logged.filter((line) => line.includes('clients refuse the certificate')).length;
    const start = now;
    const { validFrom } = new X509Certificate(server.caCertificate);
    await check(200, '{}');
    now = start + 500 * DAY;
    await check(503, '{"TLS certificate":"it has expired"}');
    now = start - DAY;
    const early = `is not valid before ${new Date(validFrom).toISOString()}`;
    await check(503, `{"TLS certificate":"it ${early}"}`);
    for (let round = 0; round < 2; round++) await server.reload();
    // The server's own could be made anew, the authority that clients trust could not.
    await check(503, `{"TLS certificate":"the local authority ${early}"}`);
    expect(warnings()).toBe(1);
    now = start;
    await server.reload();
    await check(200, '{}');
    expect(server.logged.join('')).toContain('the certificate is valid again');
  });

  test('of an authority that is not valid yet are told of from the start', async () => {
    const first = await startTestServer();
    const at = Date.now() - DAY;
    await first.stop();
    const server = await startTestServer({ data: first.settings.data }, { now: () => at });
    expect(server.logged.filter((line) => line.includes('clients refuse the certificate')).length).toBe(1);
    const answer = await exchange(server, rawRequest('GET /_signet/health', 'Host: x'));
    expect(answer).toContain('{"TLS certificate":"the local authority is not valid before ');
  });
});

test('plain HTTP is what a proxy on the same machine gets, with https realms', async () => {
  const server = await startTestServer({ tls: false, behindProxy: true, accessLog: 'stderr' });
  expect(server.url).toBe(`http://localhost:${server.port}`);
  expect(server.caCertificate).toBe('');
  const headers = { 'X-Forwarded-For': '198.51.100.1, 203.0.113.9' };
  const answer = await fetch(`${server.url}/v2/`, { headers });
  expect(answer.headers.get('www-authenticate')).toStartWith(
    `Bearer realm="https://localhost:${server.port}/auth/token"`,
  );
  expect(server.logged.join('')).toContain('"address":"203.0.113.9"');
});

test('plain HTTP without a proxy has plain realms, and believes no header about addresses', async () => {
  const server = await startTestServer({ tls: false, accessLog: 'stderr' });
  const answer = await fetch(`${server.url}/v2/`, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
  expect(answer.headers.get('www-authenticate')).toStartWith(
    `Bearer realm="http://localhost:${server.port}/auth/token"`,
  );
  expect(server.logged.join('')).toContain('"address":"127.0.0.1"');
});

test('stopping twice is stopping once', async () => {
  const server = await startTestServer();
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  expect(server.logged.filter((line) => line.includes('"stopped"'))).toHaveLength(1);
});

function contentsOf(folder: string): Map<string, string> {
  const names = ['master.key', 'token.key', 'tls/ca.crt', 'tls/ca.key', 'tls/server.crt', 'tls/server.key'];
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'latin1')]));
}

/** The files of a data folder in which a text stands. */
function filesWith(folder: string, text: string): string[] {
  const names = Object.keys(filesBelow(folder)).filter((name) => statSync(join(folder, name)).isFile());
  return names.filter((name) => readFileSync(join(folder, name), 'latin1').includes(text));
}

async function statusOfLogin(server: Parameters<typeof request>[0], name: string, password: string): Promise<number> {
  const headers = { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
  return (await request(server, '/auth/token?service=signet', { headers })).status;
}
