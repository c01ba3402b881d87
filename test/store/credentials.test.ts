import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Credential } from '../../src/store/credential.ts';
import { parseHelperAnswer } from '../../src/store/credential-helper.ts';
import { CredentialStore, credentialKey } from '../../src/store/credentials.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';

const HUB = 'https://index.docker.io/v1/';

interface World {
  readonly credentials: CredentialStore;
  /** The content of `config.json`; undefined where there is none. */
  config(): string | undefined;
  /** What the helper was called with: verb and standard input, in order. */
  calls(): [string, string][];
}

/** A configuration folder, and on the PATH a helper called `test` that answers with `helper`, a shell script. */
function world(
  config: unknown,
  helper?: string,
  environment: Record<string, string> | ((programs: string) => Record<string, string>) = {},
  name = 'test',
): World {
  const folder = temporaryFolder();
  const programs = temporaryFolder();
  const log = join(programs, 'log');
  const file = join(folder, 'config.json');
  if (config !== undefined) writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  if (helper !== undefined) {
    const program = join(programs, `docker-credential-${name}`);
    writeFileSync(program, `#!/bin/sh\n{ printf '%s ' "$1"; /bin/cat; printf '\\0'; } >> ${log}\n${helper}\n`);
    chmodSync(program, 0o755);
  }
  return {
    credentials: new CredentialStore(folder, {
      PATH: `${programs}:/usr/bin:/bin`,
      ...(typeof environment === 'function' ? environment(programs) : environment),
    }),
    config: () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined),
    calls: () =>
      (existsSync(log) ? readFileSync(log, 'utf8') : '')
        .split('\0')
        .filter((call) => call !== '')
        .map((call) => [call.slice(0, call.indexOf(' ')), call.slice(call.indexOf(' ') + 1)]),
  };
}

function readable(credential: Credential | undefined): unknown {
  if (credential === undefined) return undefined;
  const { username, password, identityToken, registryToken } = credential;
  return [username, password.toString(), identityToken?.toString(), registryToken?.toString()];
}

function credential(username: string, password: string, identityToken?: string): Credential {
  return {
    username,
    password: Buffer.from(password),
    identityToken: identityToken === undefined ? undefined : Buffer.from(identityToken),
    registryToken: undefined,
  };
}

describe('a login in config.json', () => {
  const find = async (auths: unknown, registry: string) => readable(await world({ auths }).credentials.find(registry));
  const alice = { auth: btoa('alice:s3cret') };

  test('is found by docker’s key', async () => {
    expect(credentialKey('docker.io')).toBe(HUB);
    expect(credentialKey('reg.example:5000')).toBe('reg.example:5000');
    expect(await find({ [HUB]: alice }, 'docker.io')).toEqual(['alice', 's3cret', undefined, undefined]);
    expect(await find({ 'reg.example:5000': alice }, 'reg.example:5000')).toEqual([
      'alice',
      's3cret',
      undefined,
      undefined,
    ]);
    expect(await find({ 'docker.io': alice, 'index.docker.io': alice }, 'docker.io')).toBeUndefined();
    expect(await find({ 'reg.example': alice }, 'reg.example:5000')).toBeUndefined();
    expect(await find({}, 'constructor')).toBeUndefined();
  });

  test.each(['https://reg.example:5000/v2/', 'http://reg.example:5000', 'reg.example:5000/v1/'])(
    'is found under %s',
    async (name) => {
      expect(await find({ [name]: alice }, 'reg.example:5000')).toEqual(['alice', 's3cret', undefined, undefined]);
    },
  );

  test('is the exact one where there are several', async () => {
    const auths = { 'https://reg.example': { auth: btoa('old:x') }, 'reg.example': alice };
    expect(await find(auths, 'reg.example')).toEqual(['alice', 's3cret', undefined, undefined]);
  });

  test.each([
    [{ auth: btoa('a:b:c') }, ['a', 'b:c', undefined, undefined]],
    [{ auth: btoa('a:b\0\0') }, ['a', 'b', undefined, undefined]],
    [{ auth: btoa('a:') }, ['a', '', undefined, undefined]],
    [{ auth: 'YTpz\nM2Ny\r\nZXQ=\n' }, ['a', 's3cret', undefined, undefined]],
    [{ auth: btoa('a:'), identitytoken: 'r.t' }, ['a', '', 'r.t', undefined]],
    [{ identitytoken: 'r.t' }, ['', '', 'r.t', undefined]],
    [{ registrytoken: 'b.t' }, ['', '', undefined, 'b.t']],
    [{ username: 'a', password: 'b', email: 'x', more: 1.5 }, ['a', 'b', undefined, undefined]],
    [{}, undefined],
    [{ auth: '', email: 'x@example' }, undefined],
  ] as const)('%j is read', async (entry, expected) => {
    expect(await find({ reg: entry }, 'reg')).toEqual(expected as never);
  });

  test.each([
    [{ auth: 'no base64!' }, 'invalid auth configuration file'],
    [{ auth: btoa('alice') }, 'invalid auth configuration file'],
    [{ auth: btoa(':s3cret') }, 'invalid auth configuration file'],
    [{ auth: 5 }, 'login for reg: auth is not a string'],
    ['text', 'login for reg is not a JSON object'],
  ])('%j is refused', async (entry, message) => {
    const error = await failure(world({ auths: { reg: entry } }).credentials.find('reg'), 'docker-config-invalid');
    expect(error.message).toBe(message);
  });

  test('is new with every call, so that it can be wiped', async () => {
    const { credentials } = world({ auths: { reg: alice } });
    (await credentials.find('reg'))?.password.fill(0);
    expect((await credentials.find('reg'))?.password.toString()).toBe('s3cret');
  });

  test('that is malformed for another registry does no harm', async () => {
    expect(await find({ bad: { auth: '*' }, reg: alice }, 'reg')).toEqual(['alice', 's3cret', undefined, undefined]);
  });
});

describe('DOCKER_AUTH_CONFIG', () => {
  const auths = JSON.stringify({ auths: { reg: { auth: btoa('env:s3cret') } } });

  test('comes before the file and the helpers', async () => {
    const { credentials, calls } = world({ credsStore: 'test' }, 'exit 1', { DOCKER_AUTH_CONFIG: auths });
    expect(await credentials.find('reg')).toMatchObject({ username: 'env', source: 'DOCKER_AUTH_CONFIG' });
    expect(calls()).toEqual([]);
  });

  test('counts for the very name only, as in docker, and may have line ends in its base64', async () => {
    const auth = Buffer.from('env:s3cret')
      .toString('base64')
      .replace(/(.{8})/g, '$1\r\n');
    const variable = JSON.stringify({ auths: { 'https://reg': { auth }, other: { auth } } });
    const { credentials } = world({}, undefined, { DOCKER_AUTH_CONFIG: variable });
    expect(await credentials.find('reg')).toBeUndefined();
    expect(await credentials.find('other')).toMatchObject({ username: 'env' });
  });

  test('with a login that is none names itself', async () => {
    const variable = JSON.stringify({ auths: { reg: { auth: '*' } } });
    const { credentials } = world({}, undefined, { DOCKER_AUTH_CONFIG: variable });
    const error = await failure(credentials.find('reg'), 'docker-config-invalid');
    expect(error.message).toBe('DOCKER_AUTH_CONFIG is malformed: invalid auth configuration file');
  });

  test('leaves other registries to the file', async () => {
    const config = { auths: { other: { auth: btoa('file:x') } } };
    const { credentials } = world(config, undefined, { DOCKER_AUTH_CONFIG: auths });
    expect((await credentials.find('other'))?.username).toBe('file');
    expect(await credentials.find('third')).toBeUndefined();
  });

  test.each(['{', '[]', '{"auths":5}', '{"Auths":{}}'])('%s is refused', async (text) => {
    const { credentials } = world({}, undefined, { DOCKER_AUTH_CONFIG: text });
    const error = await failure(credentials.find('reg'), 'docker-config-invalid');
    expect(error.message).toStartWith('DOCKER_AUTH_CONFIG is malformed: ');
    expect(error.next).toBe('Correct DOCKER_AUTH_CONFIG, or unset it.');
  });
});

describe('a helper', () => {
  const answering = (answer: unknown) => `echo '${typeof answer === 'string' ? answer : JSON.stringify(answer)}'`;
  const alice = answering({ ServerURL: 'reg', Username: 'alice', Secret: 's3cret' });

  test('answers for all registries, or for its own', async () => {
    for (const config of [{ credsStore: 'test' }, { credsStore: 'absent', credHelpers: { reg: 'test' } }]) {
      const { credentials, calls } = world(config, alice);
      expect(readable(await credentials.find('reg'))).toEqual(['alice', 's3cret', undefined, undefined]);
      expect(calls()).toEqual([['get', 'reg']]);
    }
  });

  test('is asked for Docker Hub by its address', async () => {
    const { credentials, calls } = world({ credsStore: 'test' }, alice);
    await credentials.find('docker.io');
    expect(calls()).toEqual([['get', HUB]]);
  });

  test('is not asked for registries of others, nor where the configuration says none', async () => {
    const auths = { other: { auth: btoa('file:x') } };
    const { credentials, calls } = world({ auths, credHelpers: { reg: 'test' } }, alice);
    expect((await credentials.find('other'))?.username).toBe('file');
    const without = world({ auths, credsStore: 'test', credHelpers: { other: '' } }, alice);
    expect((await without.credentials.find('other'))?.username).toBe('file');
    expect([...calls(), ...without.calls()]).toEqual([]);
  });

  test('has the last word: a login in the file does not count beside it', async () => {
    const config = { credsStore: 'test', auths: { reg: { auth: btoa('file:x') } } };
    const { credentials } = world(config, 'echo "credentials not found in native keychain"; exit 1');
    expect(await credentials.find('reg')).toBeUndefined();
  });

  test('gives an identity token under its own user name', async () => {
    const { credentials } = world({ credsStore: 'test' }, answering({ Username: '<token>', Secret: 'r.t' }));
    expect(readable(await credentials.find('reg'))).toEqual(['', '', 'r.t', undefined]);
  });

  test.each([
    ['nothing', '', 'error getting credentials - err: exit status 3, out: ``'],
    ['something', 'locked\nagain', 'error getting credentials - err: exit status 3, out: `locked again`'],
    [
      'no server',
      'no credentials server URL',
      'error getting credentials - err: no credentials server URL, out: `no credentials server URL`',
    ],
    [
      'no user',
      'no credentials username',
      'error getting credentials - err: no credentials username, out: `no credentials username`',
    ],
  ])('that fails and says %s is an error in the words of docker', async (_, said, message) => {
    const { credentials } = world({ credsStore: 'test' }, `printf '%s\\n' '${said}'; exit 3`);
    expect((await failure(credentials.find('reg'), 'credential-helper-failed')).message).toBe(message);
  });

  test('that is not installed is an error in the words of docker', async () => {
    const { credentials } = world({ credsStore: 'absent' });
    expect((await failure(credentials.find('reg'), 'credential-helper-failed')).message).toBe(
      'error getting credentials - err: exec: "docker-credential-absent": executable file not found in $PATH, out: ``',
    );
  });

  test('that is killed is an error', async () => {
    const { credentials } = world({ credsStore: 'test' }, 'kill -9 $$');
    const error = await failure(credentials.find('reg'), 'credential-helper-failed');
    expect(error.message).toBe('error getting credentials - err: signal: killed, out: ``');
  });

  test('that talks without end is ended', async () => {
    const { credentials } = world({ credsStore: 'test' }, 'exec yes');
    const error = await failure(credentials.find('reg'), 'credential-helper-failed');
    expect(error.message).toContain('signal: killed');
  });

  test('that does not read its input is heard all the same', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json'), '{"credsStore":"deaf"}');
    const program = join(folder, 'docker-credential-deaf');
    writeFileSync(program, `#!/bin/sh\n${alice}\n`, { mode: 0o755 });
    const credentials = new CredentialStore(folder, { PATH: `${folder}:/usr/bin:/bin` });
    expect((await credentials.find('r'.repeat(200_000)))?.username).toBe('alice');
  });

  test.each(['../evil', 'a/b', '', '.', '-x', 'a b', 'a\0b'])('cannot be called %j', async (name) => {
    const { credentials, calls } = world({ credHelpers: { reg: name || ' ' } }, alice);
    await failure(credentials.find('reg'), 'docker-config-invalid');
    expect(calls()).toEqual([]);
  });

  test.each(['nonsense', '[]', '{"Username":5}', '{"Username":"a","username":"b","Secret":"s3cret"}'])(
    'that answers %s is refused without its secret',
    async (answer) => {
      const { credentials } = world({ credsStore: 'test' }, answering(answer));
      const error = await failure(credentials.find('reg'), 'credential-helper-answer-invalid');
      expect(error.message).not.toContain('s3cret');
      expect(error.cause).toBeUndefined();
    },
  );

  test('may write its members in any case, and answer with nothing', () => {
    expect(readable(parseHelperAnswer(Buffer.from('{"username":"a","SECRET":"b"}')))).toEqual([
      'a',
      'b',
      undefined,
      undefined,
    ]);
    expect(parseHelperAnswer(Buffer.from('{"ServerURL":"x","Username":"","Secret":""}'))).toBeUndefined();
    expect(parseHelperAnswer(Buffer.from('{}'))).toBeUndefined();
  });
});

describe('storing a login', () => {
  test('without a helper writes it into the file, as docker does', async () => {
    const { credentials, config } = world(undefined, undefined, { PATH: '' });
    expect(await credentials.store('reg:5000', credential('alice', 's3cret'))).toEqual({ file: 'config.json' });
    await credentials.store('docker.io', credential('alice', '', 'r.t'));
    expect(config()).toBe(
      `{\n\t"auths": {\n\t\t"reg:5000": {\n\t\t\t"auth": "${btoa('alice:s3cret')}"\n\t\t},\n\t\t"${HUB}": {\n\t\t\t"auth": "${btoa('alice:')}",\n\t\t\t"identitytoken": "r.t"\n\t\t}\n\t}\n}`,
    );
    expect(readable(await credentials.find('reg:5000'))).toEqual(['alice', 's3cret', undefined, undefined]);
    expect(readable(await credentials.find('docker.io'))).toEqual(['alice', '', 'r.t', undefined]);
  });

  test('replaces the one before', async () => {
    const { credentials } = world({ auths: { reg: { auth: btoa('old:x'), identitytoken: 'r.t' } } }, undefined, {
      PATH: '',
    });
    await credentials.store('reg', credential('alice', 's3cret'));
    expect(readable(await credentials.find('reg'))).toEqual(['alice', 's3cret', undefined, undefined]);
  });

  test('with a helper gives it the secret by pipe, and leaves a mark in the file', async () => {
    const { credentials, config, calls } = world('{"credsStore":"test"}', 'exit 0');
    expect(await credentials.store('reg', credential('alice', 's3cret"\n'))).toEqual({ helper: 'test' });
    await credentials.store('reg', credential('alice', '', 'r.t'));
    expect(calls().map(([verb, input]) => [verb, JSON.parse(input)])).toEqual([
      ['store', { ServerURL: 'reg', Username: 'alice', Secret: 's3cret"\n' }],
      ['store', { ServerURL: 'reg', Username: '<token>', Secret: 'r.t' }],
    ]);
    expect(config()).toBe('{"credsStore":"test","auths":{"reg":{}}}');
  });

  test('does not touch the file where the helper fails', async () => {
    const { credentials, config } = world('{"credsStore":"test"}', 'echo locked; exit 1');
    const error = await failure(credentials.store('reg', credential('alice', 's3cret')), 'credential-helper-failed');
    expect(error.message).toBe('error storing credentials - err: exit status 1, out: `locked`');
    expect(config()).toBe('{"credsStore":"test"}');
  });

  test('takes up the helper of the system if nothing was ever configured', async () => {
    const suffix = { darwin: 'osxkeychain', win32: 'wincred' }[process.platform as string] ?? 'secretservice';
    const only = (programs: string) => ({ PATH: programs });
    const fresh = world({ psFormat: 'x' }, 'exit 0', only, suffix);
    expect(await fresh.credentials.store('reg', credential('alice', 's3cret'))).toEqual({ helper: suffix });
    expect(fresh.config()).toBe(`{"psFormat":"x","credsStore":"${suffix}","auths":{"reg":{}}}`);
    const used = world({ auths: { other: {} } }, 'exit 0', only, suffix);
    expect(await used.credentials.store('reg', credential('alice', 's3cret'))).toEqual({ file: 'config.json' });
    expect(used.calls()).toEqual([]);
  });

  test('in a malformed file is refused, and leaves it as it is', async () => {
    const { credentials, config } = world('{"auths":{},}');
    await failure(credentials.store('reg', credential('alice', 's3cret')), 'docker-config-invalid');
    expect(config()).toBe('{"auths":{},}');
  });
});

describe('erasing a login', () => {
  test('removes every name it may have, and nothing else', async () => {
    const { credentials, config } = world({
      auths: { 'https://reg': {}, other: { auth: 'x' }, reg: {}, 'http://reg': {} },
      x: 1,
    });
    expect(await credentials.erase('reg')).toBe(true);
    expect(config()).toBe('{"auths":{"other":{"auth":"x"}},"x":1}');
    expect(await credentials.erase('reg')).toBe(false);
  });

  test('tells the helper, which may know nothing of it', async () => {
    const { credentials, config, calls } = world(
      { credsStore: 'test', auths: { [HUB]: {} } },
      'echo "credentials not found in native keychain"; exit 1',
    );
    expect(await credentials.erase('docker.io')).toBe(true);
    expect(calls()).toEqual([['erase', HUB]]);
    expect(config()).toBe('{"credsStore":"test","auths":{}}');
  });

  test('goes on where the helper fails, and says so in the end', async () => {
    const { credentials, config, calls } = world({ credsStore: 'test', auths: { reg: {} } }, 'echo locked; exit 1');
    const error = await failure(credentials.erase('reg'), 'credential-helper-failed');
    expect(error.message).toBe('error erasing credentials - err: exit status 1, out: `locked`');
    expect(calls()).toHaveLength(3);
    expect(config()).toBe('{"credsStore":"test","auths":{}}');
  });

  test('of nothing changes nothing', async () => {
    const { credentials, config } = world(undefined);
    expect(await credentials.erase('reg')).toBe(false);
    expect(config()).toBeUndefined();
  });
});
