import { expect, test } from 'bun:test';
import { parseParameterizedHeader } from '../../src/http/header-parameters.ts';

function parsed(text: string): [string, Record<string, string>] | undefined {
  const header = parseParameterizedHeader(text);
  return header && [header.value, Object.fromEntries(header.parameters)];
}

test.each([
  ['form-data', ['form-data', {}]],
  ['Multipart/Form-Data; Boundary=aBc', ['multipart/form-data', { boundary: 'aBc' }]],
  [
    'form-data; name="files"; filename="targets/releases"',
    ['form-data', { name: 'files', filename: 'targets/releases' }],
  ],
  ['form-data;name=files;filename=root', ['form-data', { name: 'files', filename: 'root' }]],
  ['form-data ; filename="a\\"b\\\\c"  ', ['form-data', { filename: 'a"b\\c' }]],
  ['form-data; filename=""', ['form-data', { filename: '' }]],
  ['form-data; filename="a;b=c"', ['form-data', { filename: 'a;b=c' }]],
  ['form-data; filename="täg"', ['form-data', { filename: 'täg' }]],
])('reads %j', (text, expected) => {
  expect(parsed(text)).toEqual(expected as [string, Record<string, string>]);
});

test.each([
  '',
  ' ',
  ';',
  'form-data;',
  'form-data; ',
  'form-data; filename',
  'form-data; filename=',
  'form-data; =x',
  'form-data; filename="open',
  'form-data; filename="open\\"',
  'form-data; filename="a" b',
  'form-data; filename="a"b',
  'form-data; filename=a/b',
  'form-data; filename = a',
  'form-data; a=1; A=2',
  'form-data, filename=a',
  'a/b/c',
  'form-data; filename="a\nb"',
  'form-data; filename="a\u0000b"',
  'form-data;; a=1',
])('refuses %j', (text) => {
  expect(parsed(text)).toBeUndefined();
});

test('takes a name from outside for nothing but a name', () => {
  expect(parseParameterizedHeader('a; __proto__=x')?.parameters.get('__proto__')).toBe('x');
});
