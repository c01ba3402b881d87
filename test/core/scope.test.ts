import { describe, expect, test } from 'bun:test';
import { covers, formatScope, parseScope } from '../../src/core/scope.ts';
import { AuthorizationRequired } from '../../src/http/gate.ts';
import { failure } from '../support/failure.ts';

describe('a scope', () => {
  test('has a type, a name and actions (protocol F.4)', () => {
    expect(parseScope('repository:team/app:pull,push')).toEqual({
      type: 'repository',
      name: 'team/app',
      actions: ['pull', 'push'],
    });
    expect(parseScope('registry:catalog:*')).toEqual({ type: 'registry', name: 'catalog', actions: ['*'] });
  });

  test('has a name that may hold a port', () => {
    expect(parseScope('repository:reg.example:5000/team/app:pull').name).toBe('reg.example:5000/team/app');
  });

  test('may ask for nothing', () => {
    expect(parseScope('repository:a:')).toEqual({ type: 'repository', name: 'a', actions: [] });
  });

  test('may have a class, which has no effect', () => {
    expect(parseScope('repository(plugin):a/b:pull')).toEqual({ type: 'repository', name: 'a/b', actions: ['pull'] });
  });

  test('is written as it was read', () => {
    for (const text of ['repository:team/app:pull,push', 'registry:catalog:*', 'repository:a:']) {
      expect(formatScope(parseScope(text))).toBe(text);
    }
  });

  const invalid = [
    '',
    'repository',
    'repository:a',
    ':a:pull',
    'repository::pull',
    'repository:a:pull,',
    'REPO:a:pull',
  ];
  for (const text of [...invalid, 'repository:a:pu ll', `repository:${'a'.repeat(1020)}:pull`]) {
    test(`is not ${JSON.stringify(text.slice(0, 30))}`, () => failure(() => parseScope(text), 'name-invalid'));
  }
});

describe('what was granted', () => {
  const granted = [parseScope('repository:a:pull'), parseScope('repository:a:push'), parseScope('repository:b:*')];
  const covered = (text: string) => covers(granted, parseScope(text));

  test('covers what it names, together', () => {
    for (const text of ['repository:a:pull', 'repository:a:push,pull', 'repository:b:delete', 'repository:b:*']) {
      expect(covered(text)).toBe(true);
    }
  });

  test('covers nothing else', () => {
    for (const text of [
      'repository:a:delete',
      'repository:a:pull,delete',
      'repository:a:*',
      'repository:c:pull',
      'repository:a/b:pull',
      'registry:a:pull',
      'repository:B:pull',
    ]) {
      expect(covered(text)).toBe(false);
    }
  });
});

test('a refusal names the scope that is needed', () => {
  const wanted = [parseScope('repository:a:push')];
  const error = new AuthorizationRequired(wanted, 'insufficient_scope');
  expect(error).toMatchObject({ code: 'unauthorized', wanted, reason: 'insufficient_scope' });
});
