import { beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatKeyBundle } from '../../../../../src/core/keys/key-bundle.ts';
import { type KeyFile, parseKeyFile, sealKey } from '../../../../../src/core/keys/key-file.ts';
import { generatePrivateKey, type PrivateKey } from '../../../../../src/core/keys/private-key.ts';
import { LIMITS } from '../../../../../src/core/limits.ts';
import { findProgram } from '../../../../support/clis.ts';
import { type Outcome, run } from '../../../../support/run.ts';
import { signetCommand } from '../../../../support/signet-server.ts';
import { temporaryFolder } from '../../../../support/temp.ts';

const PASSPHRASE = 'what opens this key';

let home: string;
let key: PrivateKey;
beforeEach(() => {
  home = temporaryFolder();
  key = generatePrivateKey('ecdsa');
});

const plain = () => sealKey(key, { role: 'alice', passphrase: Buffer.of() });
const sealed = () => sealKey(key, { role: 'alice', passphrase: Buffer.from(PASSPHRASE) });
/** As `trust key export` and notary write it: the header `path` has the ID. */
const exported = () => formatKeyBundle(new Map([[key.id, parseKeyFile(sealed())[0] as KeyFile]]));

function file(name: string, bytes: Uint8Array | string, mode = 0o600): string {
  const path = join(home, name);
  writeFileSync(path, bytes);
  chmodSync(path, mode);
  return path;
}

/** Runs a line of bash in which `signet` is signet, with that on its standard input. */
function shell(line: string, stdin: Uint8Array | string = '', env: Record<string, string> = {}): Promise<Outcome> {
  const words = signetCommand().map((word) => `'${word}'`);
  const script = `cd '${home}'; signet() { ${words.join(' ')} "$@"; }; ${line}`;
  return run([findProgram('bash'), '-c', script], {
    stdin,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: PASSPHRASE,
      DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: PASSPHRASE,
      ...env,
    },
  });
}

const stored = () => readdirSync(join(home, '.docker/trust/private')).map((name) => name.replace('.key', ''));

describe('keys come from', () => {
  test.each([
    ['-', 'signet trust key load -'],
    ['/dev/stdin', 'signet trust key load /dev/stdin'],
    ['/dev/stdin behind a pipe', 'cat | signet trust key load /dev/stdin'],
    ['a process substitution', 'signet trust key load <(cat)'],
    ['a named pipe', 'mkfifo pipe; exec 3<&0; cat <&3 > pipe & signet trust key load pipe'],
    ['- of key import', 'signet trust key import -'],
  ])('%s', async (_, line) => {
    const outcome = await shell(line, plain());
    expect([outcome.exitCode, outcome.stderr]).toEqual([0, '']);
    expect(stored()).toEqual([key.id]);
  });

  test('a pipe for a public key, wherever one is named', async () => {
    for (const words of ['signer add --key - bob', 'role --add-key -', 'delegation add']) {
      const line = words.startsWith('signer')
        ? `signet trust ${words} localhost:1/a`
        : words.startsWith('role')
          ? `signet trust ${words} localhost:1/a targets/bob`
          : `signet trust ${words} localhost:1/a targets/bob -`;
      const { stderr } = await shell(line, 'no key at all');
      expect({ words, stderr }).toEqual({
        words,
        stderr: expect.stringContaining('could not parse public key from file: -: '),
      });
    }
  });

  test('no pipe that does not end', async () => {
    const { exitCode, stderr } = await shell('signet trust key load <(yes)');
    expect([exitCode, stderr.includes(`is larger than ${LIMITS.keyFile} bytes`)]).toEqual([1, true]);
  });

  test('a file that is standard input only if it is its owner’s alone', async () => {
    file('open.pem', plain(), 0o644);
    const refused = await shell('signet trust key load - < open.pem');
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringContaining('must not be readable or writable by others'),
    ]);
    file('own.pem', plain());
    expect((await shell('signet trust key load - < own.pem')).exitCode).toBe(0);
  });
});

describe('key load of a key that was exported', () => {
  const asked = { DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: '', DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: '' };

  test('stores it as it is, with no question', async () => {
    const bundle = exported();
    file('exported.pem', bundle);
    const outcome = await shell('signet trust key load exported.pem', '', asked);
    expect([outcome.exitCode, outcome.stdout, outcome.stderr]).toEqual([
      0,
      'Loading key from "exported.pem"...\nSuccessfully imported key from exported.pem\n',
      '',
    ]);
    expect(readFileSync(join(home, `.docker/trust/private/${key.id}.key`))).toEqual(parsed(bundle) as never);
  });

  test('one that does not say which it is has to be opened', async () => {
    file('sealed.pem', sealed());
    const outcome = await shell('signet trust key load sealed.pem', '', asked);
    expect([outcome.exitCode, outcome.stdout]).toEqual([
      1,
      expect.stringContaining('Enter passphrase for encrypted key: '),
    ]);
  });

  /** The bundle without the header that only bundles have. */
  function parsed(bundle: Buffer): Buffer {
    return Buffer.from(bundle.toString('utf8').replace(/^path: .*\n/m, ''));
  }
});

describe('an encryption that is not read names the command that converts it', () => {
  const openssl = async (...words: string[]) => {
    const outcome = await run([findProgram('openssl'), ...words], { cwd: home });
    if (outcome.exitCode !== 0) throw new Error(outcome.stderr);
  };
  const pass = `pass:${PASSPHRASE}`;
  const PROVIDERS = ['-provider', 'legacy', '-provider', 'default'];

  test.each([
    ['triple DES of PEM', ['ec', '-des3', '-passout', pass]],
    ['ARIA of PEM', ['ec', '-aria256', '-passout', pass]],
    ['PBE-MD5-DES', ['pkcs8', '-topk8', '-v1', 'PBE-MD5-DES', ...PROVIDERS, '-passout', pass]],
    ['PBE-SHA1-3DES', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-passout', pass]],
    ['PBE-SHA1-RC2-40', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-RC2-40', ...PROVIDERS, '-passout', pass]],
    ['scrypt', ['pkcs8', '-topk8', '-scrypt', '-passout', pass]],
    ['triple DES of PKCS#8', ['pkcs8', '-topk8', '-v2', 'des3', '-passout', pass]],
  ])(
    '%s',
    async (_, words) => {
      await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ec.pem');
      await openssl(...words, '-in', 'ec.pem', '-out', 'the old key.pem');
      chmodSync(join(home, 'the old key.pem'), 0o600);
      const env = { SIGNET_DEBUG: '' };
      const refused = await shell(
        "signet trust key load 'the old key.pem' 2>&1; signet trust key import 'the old key.pem'",
        '',
        env,
      );
      expect(refused.stdout).toContain('the key is encrypted in an old way (');
      const next = await nextOf(['trust', 'key', 'load', 'the old key.pem']);
      const command = /: (openssl .*)$/m.exec(next)?.[1] ?? '';
      expect(command).toContain("-in 'the old key.pem' -out NEW.pem");
      const converted = await shell(
        `${command} -passin env:P -passout env:P && chmod 600 NEW.pem && signet trust key load NEW.pem`,
        '',
        {
          P: PASSPHRASE,
        },
      );
      expect([converted.exitCode, stored().length]).toEqual([0, 1]);
    },
    60_000,
  );

  /** The next step, which is printed where someone sees it. */
  async function nextOf(words: readonly string[]): Promise<string> {
    const { runInTerminal } = await import('../../../../support/run.ts');
    const { stdout } = await runInTerminal([...signetCommand(), ...words], [], {
      cwd: home,
      env: { PATH: process.env.PATH ?? '', HOME: home, DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: PASSPHRASE },
    });
    return stdout;
  }
});
