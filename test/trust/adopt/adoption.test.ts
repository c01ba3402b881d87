import { describe, expect, test } from 'bun:test';
import { checkCustom } from '../../../src/core/edit/custom-data.ts';
import { parseDigest } from '../../../src/core/names/digest.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { type Adoption, adoptionJson, readAdoption } from '../../../src/trust/adopt/adoption.ts';
import { put } from '../../support/forgery.ts';
import { digestOfTarget, NOW } from '../../support/simulator.ts';

const ADOPTION: Adoption = {
  gun: parseGun('docker.io/library/alpine'),
  server: 'https://notary.docker.io',
  read: NOW,
  evidence: parseDigest(digestOfTarget(1)),
};

describe('the custom data of an adopted tag', () => {
  test('is read as it was written, and any client can sign it again', () => {
    for (const adoption of [ADOPTION, { ...ADOPTION, server: undefined }]) {
      expect(readAdoption(adoptionJson(adoption))).toEqual(adoption);
      expect(() => checkCustom(adoptionJson(adoption))).not.toThrow();
    }
  });

  test('of any other form is none', () => {
    const json = adoptionJson(ADOPTION);
    expect(readAdoption(undefined)).toBeUndefined();
    expect(readAdoption('signet.adopted')).toBeUndefined();
    for (const [member, value] of [
      ['gun', '../../x'],
      ['evidence', 'sha256:../x'],
      ['read', 'yesterday'],
      ['gun', 1],
    ] as const) {
      expect(readAdoption(put(['signet.adopted', member], value)(json))).toBeUndefined();
    }
  });
});
