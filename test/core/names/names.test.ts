import { describe, expect, test } from 'bun:test';
import {
  digestAlgorithm,
  digestFromSha256,
  digestHex,
  digestOf,
  isDigest,
  parseDigest,
} from '../../../src/core/names/digest.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { isKeyId, parseKeyId } from '../../../src/core/names/key-id.ts';
import {
  BASE_ROLES,
  isBaseRole,
  isDelegation,
  isTargetsRole,
  parentOf,
  parseDelegation,
  parseRole,
  parseTargetsRole,
  RELEASES,
  signerRole,
} from '../../../src/core/names/role.ts';
import { failure } from '../../support/failure.ts';

const HEX = '0123456789abcdef'.repeat(4);

describe('a GUN', () => {
  const valid = [
    'a',
    'docker.io/library/alpine',
    'reg.example:5000/team/app',
    '[2001:db8::1]:5000/app',
    'Reg/App_1.x-y',
    'a/metadata/targets',
    '...',
    '.a/..b',
    'a'.repeat(255),
    'a/_trusted/b',
  ];
  for (const text of valid) test(`is ${text.slice(0, 40)}`, () => expect(parseGun(text) as string).toBe(text));

  const invalid = [
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/../b',
    'a/./b',
    '../a',
    'a/..',
    '_trust',
    'a/_trust/tuf/b',
    'a b',
    'a\\b',
    'a\0b',
    'a\nb',
    'a\n',
    'a%2fb',
    'a?b',
    'a#b',
    'a*',
    'é',
    '\u202ea',
    'a'.repeat(256),
  ];
  for (const text of invalid) {
    test(`is not ${JSON.stringify(text.slice(0, 20))}`, () => failure(() => parseGun(text), 'name-invalid'));
  }
});

describe('a role', () => {
  test('is one of four, or a delegation', () => {
    for (const role of BASE_ROLES) expect(parseRole(role)).toBe(role);
    expect(parseRole('targets/releases')).toBe(RELEASES);
    expect(parseTargetsRole('targets')).toBe('targets');
    expect(parseTargetsRole('targets/a') as string).toBe('targets/a');
  });

  const delegations = [
    'targets/a',
    'targets/a/b/c',
    'targets/-',
    'targets/_a-9',
    'targets/targets',
    'targets/root',
    `targets/${'a'.repeat(247)}`,
  ];
  for (const text of delegations) {
    test(`is ${text.slice(0, 30)} (protocol A.6)`, () => {
      expect(parseDelegation(text) as string).toBe(text);
      expect(isDelegation(text)).toBe(true);
      expect(isTargetsRole(parseRole(text))).toBe(true);
      expect(isBaseRole(text)).toBe(false);
    });
  }

  const invalid = [
    '',
    'target',
    'Targets',
    'targets/',
    'targets//a',
    'targets/a/',
    'targets/a//b',
    '/targets/a',
    'targets/A',
    'targets/a b',
    'targets/a.b',
    'targets/.',
    'targets/..',
    'targets/../root',
    'targets/a@b',
    'targets/a\n',
    'targets/a\0',
    'targets/é',
    'targets\\a',
    'targets/*',
    'root/a',
    'snapshot/a',
    '__proto__',
    'constructor',
    ` targets/a`,
    `targets/${'a'.repeat(248)}`,
  ];
  for (const text of invalid) {
    test(`is not ${JSON.stringify(text.slice(0, 30))}`, async () => {
      const error = await failure(() => parseRole(text), 'role-invalid');
      expect(error.message.length).toBeLessThan(330);
      expect(error.detail.role).toBe(text);
      if (text !== 'targets') await failure(() => parseTargetsRole(text), 'role-invalid');
    });
  }

  test('that is not a delegation is refused as one', () => {
    for (const role of BASE_ROLES) expect(isDelegation(role)).toBe(false);
    expect(BASE_ROLES.filter(isTargetsRole)).toEqual(['targets']);
    return failure(() => parseTargetsRole('root'), 'role-invalid');
  });

  test('has a delegator', () => {
    expect(parentOf(parseDelegation('targets/a'))).toBe('targets');
    expect(parentOf(parseDelegation('targets/a/b')) as string).toBe('targets/a');
  });

  test('of a signer lies directly below targets', async () => {
    expect(signerRole('alice') as string).toBe('targets/alice');
    for (const name of ['', 'Alice', 'a.b', 'a@b', '../x']) await failure(() => signerRole(name), 'role-invalid');
  });
});

describe('a key ID', () => {
  test('is 64 lower-case hexadecimal digits', () => {
    expect(parseKeyId(HEX) as string).toBe(HEX);
    expect(isKeyId(HEX)).toBe(true);
  });

  for (const text of ['', HEX.slice(1), `${HEX}0`, HEX.toUpperCase(), `${HEX.slice(1)}g`, `${HEX}\n`, `../${HEX}`]) {
    test(`is not ${JSON.stringify(text)}`, () => failure(() => parseKeyId(text), 'key-id-invalid'));
  }
});

describe('a digest', () => {
  test('is SHA-256 or SHA-512', () => {
    const sha256 = parseDigest(`sha256:${HEX}`);
    const sha512 = parseDigest(`sha512:${HEX}${HEX}`);
    expect([digestAlgorithm(sha256), digestHex(sha256)]).toEqual(['sha256', HEX]);
    expect([digestAlgorithm(sha512), digestHex(sha512)]).toEqual(['sha512', `${HEX}${HEX}`]);
  });

  test('is made of bytes', () => {
    expect(digestOf(Buffer.from('abc')) as string).toBe(
      'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(digestOf(Buffer.of(), 'sha512')).toStartWith('sha512:cf83e1357eefb8bd');
    expect(digestFromSha256(Buffer.from(HEX, 'hex')) as string).toBe(`sha256:${HEX}`);
  });

  test('is not made of another number of bytes', async () => {
    for (const size of [0, 31, 33, 64]) await failure(() => digestFromSha256(Buffer.alloc(size)), 'digest-invalid');
  });

  const invalid = [
    '',
    HEX,
    `sha256:${HEX.slice(1)}`,
    `sha256:${HEX}0`,
    `sha256:${HEX.toUpperCase()}`,
    `SHA256:${HEX}`,
    `sha512:${HEX}`,
    `sha256:${HEX}${HEX}`,
    `md5:${HEX.slice(32)}`,
    `sha384:${HEX}${HEX.slice(32)}`,
    `sha256:${HEX}\n`,
    `sha256:../${HEX.slice(3)}`,
  ];
  for (const text of invalid) {
    test(`is not ${JSON.stringify(text.slice(0, 60))}`, async () => {
      await failure(() => parseDigest(text), 'digest-invalid');
      expect(isDigest(text)).toBe(false);
    });
  }
});
