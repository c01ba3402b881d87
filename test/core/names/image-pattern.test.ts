import { describe, expect, test } from 'bun:test';
import { matchesImage, mostSpecific, parseImagePattern } from '../../../src/core/names/image-pattern.ts';
import { parseReference } from '../../../src/core/names/reference.ts';
import { failure } from '../../support/failure.ts';

const matches = (pattern: string, name: string) => matchesImage(parseImagePattern(pattern), parseReference(name));

describe('a pattern', () => {
  test.each([
    ['registry.internal/tools/*', 'registry.internal/tools/lint'],
    ['registry.internal/tools/*', 'registry.internal/tools/a/b:1'],
    ['registry.internal/*', 'registry.internal/x'],
    ['registry.internal:5000/x', 'registry.internal:5000/x:9'],
    ['docker.io/library/busybox', 'busybox'],
    ['docker.io/library/*', 'busybox:1.36'],
    ['docker.io/*', 'alice/app'],
    ['localhost/x', 'localhost/x'],
  ])('%s is for %s', (pattern, name) => {
    expect(matches(pattern, name)).toBe(true);
  });

  test.each([
    ['registry.internal/tools/*', 'registry.internal/tools'],
    ['registry.internal/tools/*', 'registry.internal/toolsmith'],
    ['registry.internal/tools/*', 'registry.internal:5000/tools/lint'],
    ['registry.internal/tools/*', 'registry.internal.evil.example/tools/lint'],
    ['registry.internal/tools/*', 'evil.example/registry.internal/tools/lint'],
    ['registry.internal/x', 'registry.internal/x/y'],
    ['registry.internal/*', 'docker.io/registry.internal/x'],
    ['docker.io/library/*', 'registry.internal/library/busybox'],
  ])('%s is not for %s', (pattern, name) => {
    expect(matches(pattern, name)).toBe(false);
  });

  test.each([
    ['', 'names no images'],
    ['*', 'names no images'],
    ['/*', 'names no images'],
    ['busybox', 'docker means docker.io/library/busybox by busybox'],
    ['alice/*', 'docker means docker.io/alice/x/x by alice/x/x'],
    ['docker.io/busybox', 'docker means docker.io/library/busybox by docker.io/busybox'],
    ['index.docker.io/library/*', 'docker means docker.io/library/x'],
    ['DOCKER.IO/library/*', 'Docker Hub is docker.io'],
    ['docker.io:443/library/busybox', 'Docker Hub is docker.io'],
    ['registry.internal', 'docker means docker.io/library/registry.internal'],
    ['registry.internal/**', 'names no images'],
    ['registry.internal/*/x', 'names no images'],
    ['registry.internal/to*', 'names no images'],
    ['*.internal/x', 'names no images'],
    ['registry.internal//*', 'names no images'],
    ['registry.internal/x:1', 'leave tag and digest out'],
    [`registry.internal/x@sha256:${'a'.repeat(64)}`, 'leave tag and digest out'],
    ['https://registry.internal/x', 'names no images'],
    ['registry.internal/../x', 'names no images'],
  ])('%p is refused: it would not be for what it seems to be', async (pattern, why) => {
    const error = await failure(() => parseImagePattern(pattern), 'name-invalid');
    expect(error.message).toContain(why);
    expect(error.next).toContain('HOST/PATH/*');
  });

  test('that is most specific wins: the very name, then the longest path', () => {
    const rules = ['a.example/*', 'a.example/b/*', 'a.example/b/c', 'a.example/b/c/*'].map((text) => ({
      pattern: parseImagePattern(text),
    }));
    const winner = (name: string) => mostSpecific(rules, parseReference(name))?.pattern.text;
    expect(winner('a.example/x')).toBe('a.example/*');
    expect(winner('a.example/b/x')).toBe('a.example/b/*');
    expect(winner('a.example/b/c')).toBe('a.example/b/c');
    expect(winner('a.example/b/c/d')).toBe('a.example/b/c/*');
    expect(winner('other.example/b/c/d')).toBeUndefined();
  });
});
