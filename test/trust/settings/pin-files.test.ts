import { describe, expect, test } from 'bun:test';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificateOf } from '../../../src/core/keys/certificate.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { DAY } from '../../../src/core/time.ts';
import type { TrustOnFirstUse } from '../../../src/core/verify/pinning.ts';
import { readPinning } from '../../../src/trust/settings/pin-files.ts';
import { NO_PINS, type PinningSettings } from '../../../src/trust/settings/pinning-settings.ts';
import { Authority, rsaKeyPair } from '../../support/authority.ts';
import { failure } from '../../support/failure.ts';
import { GUN, NOW } from '../../support/simulator.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { TestKeys } from '../../support/test-keys.ts';

const folder = temporaryFolder();
const ID = parseKeyId('a'.repeat(64));
const keys = new TestKeys();
const acme = Authority.root('Acme Root');
const team = acme.authority('Acme Team');
const expired = Authority.root('Old Root', { to: NOW - DAY });
const weak = Authority.root('Weak Root', {}, rsaKeyPair(1024));
const leaf = acme.rootKey(keys, GUN);
const chained = team.rootKey(keys, GUN, [team]);
const bareKey = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';

function file(content: string | Uint8Array): string {
  const path = join(folder, `${crypto.randomUUID()}.pem`);
  writeFileSync(path, content);
  return path;
}

const pinning = (settings: Partial<PinningSettings>, env: NodeJS.ProcessEnv = {}, now = NOW) =>
  readPinning({ ...NO_PINS, ...settings }, env, now);
const certs = (...pins: string[]) => pinning({ certs: new Map([[GUN, pins]]) }).certs.get(GUN);
const ca = (path: string, now = NOW) => pinning({ ca: new Map([[GUN, path]]) }, {}, now).ca.get(GUN);

describe('the certificate of a root key', () => {
  test('is read, with or without the authorities that follow it, a comment before it', () => {
    const other = rootCertificateOf(chained)?.leaf;
    const text = `Subject: CN=${GUN}\n${leaf.bytes.toString().replaceAll('\n', '\r\n')}`;
    expect(certs(file(text), ID, file(chained.bytes))).toEqual([rootCertificateOf(leaf)?.leaf, ID, other] as never);
  });

  test('may stand behind a link, as secrets often do', () => {
    const link = join(folder, 'link.crt');
    symlinkSync(file(leaf.bytes), link);
    expect(certs(link)).toHaveLength(1);
  });

  const wrong: [what: string, path: string][] = [
    ['that does not exist', join(folder, 'none.crt')],
    ['that is a folder', folder],
    ['that is empty', file('')],
    ['that is no PEM', file(leaf.bytes.subarray(0, 100))],
    ['that is a key', file(bareKey)],
    ['that is an authority', file(acme.pem)],
    ['that follows its authority', file(team.pem + leaf.bytes.toString())],
    ['that is one of two', file(leaf.bytes.toString() + leaf.bytes.toString())],
    ['that is cut short', file('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')],
    ['that is too large', file(Buffer.alloc(1024 * 1024 + 1, '\n'))],
  ];
  test.each(wrong)('%s is refused, and named', async (_, path) => {
    const error = await failure(() => certs(ID, path), 'configuration-invalid');
    expect(error.message).toStartWith(`cannot pin ${GUN} by ${path}: `);
  });
});

describe('a bundle of authorities', () => {
  test('is read, but for those that expired or are weak', () => {
    expect(ca(file(acme.pem + team.pem))).toEqual([acme.certificate, team.certificate]);
    expect(ca(file(expired.pem + weak.pem + acme.pem))).toEqual([acme.certificate]);
    expect(ca(file(expired.pem), NOW - 2 * DAY + 1000)).toEqual([expired.certificate]);
  });

  const wrong: [what: string, path: string, why: string][] = [
    ['that does not exist', join(folder, 'none.pem'), 'it does not exist'],
    ['without any', file('# nothing\n'), 'it has no certificate'],
    ['that has all expired', file(expired.pem), 'invalid certificate: it expired at'],
    ['that are all weak', file(weak.pem), 'RSA keys must have 2048 bits'],
    [
      'with a certificate of a root key',
      file(acme.pem + leaf.bytes.toString()),
      'it has a certificate that is no auth',
    ],
    ['with a key', file(acme.pem + bareKey), 'it has a PUBLIC KEY'],
    [
      'with a certificate that cannot be read',
      file(`${acme.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`),
      'could not parse certificate',
    ],
  ];
  test.each(wrong)('%s is refused, and named', async (_, path, why) => {
    const error = await failure(() => ca(path), 'configuration-invalid');
    expect(error.message).toStartWith(`cannot pin ${GUN} by ${path}: ${why}`);
  });
});

describe('trust on first use', () => {
  const matrix: [tofu: PinningSettings['tofu'], env: NodeJS.ProcessEnv, outcome: TrustOnFirstUse][] = [
    [undefined, {}, 'on'],
    [undefined, { CI: '' }, 'on'],
    [undefined, { CI: 'false' }, 'on'],
    [undefined, { CI: 'False' }, 'on'],
    [undefined, { CI: '0' }, 'on'],
    [undefined, { CI: 'true' }, 'off-in-ci'],
    [undefined, { CI: '1' }, 'off-in-ci'],
    [undefined, { CI: 'woodpecker' }, 'off-in-ci'],
    [undefined, { CI: 'no' }, 'off-in-ci'],
    ['on', { CI: 'true' }, 'on'],
    ['off', { CI: 'true' }, 'off'],
    ['ask', { CI: 'true' }, 'ask'],
    ['off', {}, 'off'],
    ['ask', {}, 'ask'],
    [undefined, { CI: 'true', SIGNET_TOFU: 'on' }, 'on'],
    [undefined, { CI: 'true', SIGNET_TOFU: '' }, 'off-in-ci'],
    [undefined, { SIGNET_TOFU: 'ask' }, 'ask'],
    ['on', { SIGNET_TOFU: 'off' }, 'off'],
    ['off', { SIGNET_TOFU: 'on' }, 'on'],
  ];
  test.each(matrix)('configured %p, environment %j: %s', (tofu, env, outcome) => {
    expect(pinning({ tofu }, env).tofu).toBe(outcome);
  });

  test('is none of anything else', async () => {
    for (const SIGNET_TOFU of ['1', 'true', 'ON', 'on ']) {
      await failure(() => pinning({ tofu: 'off' }, { SIGNET_TOFU }), 'configuration-invalid');
    }
  });
});
