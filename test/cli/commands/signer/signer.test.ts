import { describe, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../support/run.ts';
import { freePort, signetCommand } from '../../../support/signet-server.ts';
import { temporaryFolder } from '../../../support/temp.ts';

async function signer(words: readonly string[], env: Record<string, string> = {}) {
  const data = join(temporaryFolder(), 'data');
  const line = [...signetCommand(), 'signer', '--data', data, '--listen', `127.0.0.1:${await freePort()}`, ...words];
  const { exitCode, stdout, stderr } = await run(line, { env: { ...(process.env as Record<string, string>), ...env } });
  return { exitCode, stdout, stderr, isUntouched: !existsSync(data) };
}

describe('signet signer does not start', () => {
  test('without client authentication, unless told so by name', async () => {
    expect(await signer([])).toEqual({
      exitCode: 125,
      stdout: '',
      stderr:
        'the signer has no way to know who calls it\n\nName the authority of the servers that may call: --client-ca FILE. If everyone who reaches it may sign, say so: --without-client-authentication\n',
      isUntouched: true,
    });
  });

  test.each([
    [
      ['--client-ca', 'x', '--without-client-authentication'],
      'conflicting options: --client-ca and --without-client-authentication',
    ],
    [['--without-client-authentication', '--tls-key', 'x'], '--tls-certificate and --tls-key must be given together'],
    [['--without-client-authentication', '--listen', '7899'], '--listen must be HOST:PORT such as'],
    [
      ['--without-client-authentication', '--log-level', 'warn'],
      '--log-level must be one of debug, info, warning, error',
    ],
    [['--client-ca', ' '], '--client-ca must be a file'],
  ])('with %j', async (words, message) => {
    const { exitCode, stderr, isUntouched } = await signer(words);
    expect([exitCode, stderr, isUntouched]).toEqual([125, expect.stringContaining(message), true]);
  });

  test('with a file of authorities that has none', async () => {
    const file = join(temporaryFolder(), 'ca.crt');
    const missing = await signer(['--client-ca', file]);
    expect([missing.exitCode, missing.stderr]).toEqual([
      1,
      expect.stringContaining(`cannot read the certificate ${file}`),
    ]);
    writeFileSync(file, 'no certificate');
    const empty = await signer(['--client-ca', file]);
    expect([empty.exitCode, empty.stderr]).toEqual([1, expect.stringContaining(`there is no certificate in ${file}`)]);
  });
});

test('the master key of a variable is not rotated: its place is not known', async () => {
  const { exitCode, stderr } = await signer(['--rotate-master-key'], { SIGNET_MASTER_KEY: 'a'.repeat(64) });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('SIGNET_MASTER_KEY gives the master key')]);
});
