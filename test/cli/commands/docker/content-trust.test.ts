import { describe, expect, test } from 'bun:test';
import { isTrustOn, isTrustOnFor, withoutTrust } from '../../../../src/cli/commands/docker/content-trust.ts';
import { ParsedArgs } from '../../../../src/engine/cli/flags.ts';
import type { CommandSyntax } from '../../../../src/engine/cli/help.ts';
import { failure } from '../../../support/failure.ts';

const PULL: CommandSyntax = {
  flags: [{ long: 'disable-content-trust', short: undefined, takesValue: false }],
  interspersed: true,
  needsArgument: true,
};
const env = (value?: string): NodeJS.ProcessEnv => (value === undefined ? {} : { DOCKER_CONTENT_TRUST: value });
const trust = (words: readonly string[], value?: string) => isTrustOnFor(new ParsedArgs(PULL, words), env(value));

describe('the variable alone (protocol D.1)', () => {
  test.each([undefined, '', '0', 'f', 'F', 'false', 'False', 'FALSE'])('%p is off', (value) => {
    expect([isTrustOn(env(value)), trust(['x'], value)]).toEqual([false, false]);
  });

  test.each(['1', 't', 'T', 'true', 'True', 'TRUE', 'on', 'off', 'no', 'fALSE', ' 0', '0 ', '00', '-0', '2', ' '])(
    '%p is on',
    (value) => {
      expect([isTrustOn(env(value)), trust(['x'], value)]).toEqual([true, true]);
    },
  );
});

describe('the option comes before the variable', () => {
  test.each(['', '=true', '=TRUE', '=True', '=t', '=T', '=1'])('--disable-content-trust%s is off', (value) => {
    for (const variable of [undefined, '0', '1']) {
      expect(trust([`--disable-content-trust${value}`, 'x'], variable)).toBe(false);
    }
  });

  test.each(['=false', '=FALSE', '=False', '=f', '=F', '=0'])('--disable-content-trust%s is on', (value) => {
    for (const variable of [undefined, '0', '1']) {
      expect(trust(['x', `--disable-content-trust${value}`], variable)).toBe(true);
    }
  });

  test('the last one counts', () => {
    expect(trust(['--disable-content-trust', '--disable-content-trust=0', 'x'])).toBe(true);
    expect(trust(['--disable-content-trust=0', 'x', '--disable-content-trust'], '1')).toBe(false);
  });

  test.each(['=', '=2', '=yes', '=tRUE', '= true'])(
    '--disable-content-trust%s is an error, not a choice',
    async (value) => {
      await failure(() => trust([`--disable-content-trust${value}`, 'x'], '0'), 'docker-flag-invalid');
    },
  );

  test('after the end of options it is an argument', () => {
    expect(trust(['--', '--disable-content-trust'], '1')).toBe(true);
    expect(trust(['--', '--disable-content-trust=false'])).toBe(false);
  });
});

test('docker is not to enforce a second time; everything else stays', () => {
  expect(withoutTrust({ DOCKER_CONTENT_TRUST: '1', DOCKER_CONTENT_TRUST_SERVER: 'https://x', A: '' })).toEqual({
    DOCKER_CONTENT_TRUST_SERVER: 'https://x',
    A: '',
  });
});
