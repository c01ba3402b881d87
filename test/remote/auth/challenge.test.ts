import { describe, expect, test } from 'bun:test';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { parseChallenges } from '../../../src/remote/auth/challenge.ts';
import { failure } from '../../support/failure.ts';

function parsed(header: string): [string, Record<string, string>][] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe('parseChallenges', () => {
  test.each([
    ['', []],
    ['  , ,', []],
    ['Bearer', [['bearer', {}]]],
    ['Basic realm="Registry"', [['basic', { realm: 'Registry' }]]],
    ['BASIC Realm=plain', [['basic', { realm: 'plain' }]]],
    ['Basic realm = "spaced"', [['basic', { realm: 'spaced' }]]],
    ['Basic realm=""', [['basic', { realm: '' }]]],
    [
      'Bearer realm="https://auth/token",service="svc",scope="repository:reg:5000/a/b:push,pull",error="invalid_token"',
      [
        [
          'bearer',
          {
            realm: 'https://auth/token',
            service: 'svc',
            scope: 'repository:reg:5000/a/b:push,pull',
            error: 'invalid_token',
          },
        ],
      ],
    ],
    [
      'Bearer realm="a", service="b", Basic realm="c"',
      [
        ['bearer', { realm: 'a', service: 'b' }],
        ['basic', { realm: 'c' }],
      ],
    ],
    [
      'Negotiate YWJj==, Bearer realm="a,b"',
      [
        ['negotiate', {}],
        ['bearer', { realm: 'a,b' }],
      ],
    ],
    [
      'Negotiate, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    ['Bearer realm="say \\"hi\\" \\\\"', [['bearer', { realm: 'say "hi" \\' }]]],
    ['Bearer realm="a" ,, service=b,', [['bearer', { realm: 'a', service: 'b' }]]],
    ['Bearer __proto__="x"', [['bearer', JSON.parse('{"__proto__":"x"}')]]],
  ] as [string, [string, Record<string, string>][]][])('reads %s', (header, expected) => {
    expect(parsed(header)).toEqual(expected);
  });

  test.each([
    ['an open quote', 'Bearer realm="a'],
    ['a parameter twice', 'Bearer realm="a",realm="b"'],
    ['a parameter twice in other letters', 'Bearer realm="a",REALM="b"'],
    ['parameters without commas', 'Bearer realm="a" service="b"'],
    ['a parameter without a scheme', 'realm="a"'],
    ['text after a value', 'Bearer realm="a"b'],
    ['a control character', 'Bearer realm="a\u0001b"'],
    ['a line break', 'Bearer realm="a\nb"'],
    ['no value', 'Bearer realm=,service="b"'],
    ['a scheme of forbidden characters', 'Bea(rer realm="a"'],
    ['too many challenges', 'Basic, '.repeat(9)],
    ['too many parameters', `Bearer ${Array.from({ length: 17 }, (_, index) => `p${index}=x`).join(',')}`],
    ['too many bytes', `Bearer realm="${'a'.repeat(20_000)}"`],
  ])('refuses %s', async (_, header) => {
    await failure(() => parseChallenges(header), 'response-invalid');
  });

  test('takes time in proportion to the length, whatever the text', () => {
    for (const piece of ['"\\', '\\\\', 'a=', ', ', '=', 'a ', '"a"', '\\"']) {
      const header = `Bearer realm="${piece.repeat(7000)}`.slice(0, 16_000);
      try {
        parseChallenges(header);
      } catch (error) {
        expect(isSignetError(error, 'response-invalid')).toBe(true);
      }
    }
  });
});
