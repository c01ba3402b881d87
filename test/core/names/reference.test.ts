import { describe, expect, test } from 'bun:test';
import { type Digest, parseDigest } from '../../../src/core/names/digest.ts';
import {
  atDigest,
  familiarName,
  familiarReference,
  formatReference,
  gunOf,
  isRepositoryPath,
  isTag,
  namesRegistry,
  parseReference,
  withDefaultTag,
} from '../../../src/core/names/reference.ts';
import { failure } from '../../support/failure.ts';

const HEX = 'a'.repeat(64);
const DIGEST = parseDigest(`sha256:${HEX}`);

describe('a reference (protocol D.2)', () => {
  const examples: [text: string, registry: string, path: string, tag?: string | undefined, digest?: Digest][] = [
    ['alpine', 'docker.io', 'library/alpine'],
    ['alpine:3.20', 'docker.io', 'library/alpine', '3.20'],
    ['alice/app', 'docker.io', 'alice/app'],
    ['docker.io/alpine', 'docker.io', 'library/alpine'],
    ['docker.io/alice/app:v1', 'docker.io', 'alice/app', 'v1'],
    ['index.docker.io/alpine', 'docker.io', 'library/alpine'],
    ['index.docker.io/library/alpine', 'docker.io', 'library/alpine'],
    ['reg:5000/a/b:c', 'reg:5000', 'a/b', 'c'],
    ['reg:5000/a', 'reg:5000', 'a'],
    ['localhost/app', 'localhost', 'app'],
    ['localhost:5000', 'docker.io', 'library/localhost', '5000'],
    ['localhost:5000/app', 'localhost:5000', 'app'],
    ['Reg/app', 'Reg', 'app'],
    ['reg/app', 'docker.io', 'reg/app'],
    ['a.b/c/d/e', 'a.b', 'c/d/e'],
    ['[::1]:5000/app', '[::1]:5000', 'app'],
    ['[2001:db8::1]/app', '[2001:db8::1]', 'app'],
    ['a-b.example/x__y/z---a', 'a-b.example', 'x__y/z---a'],
    [`alpine@${DIGEST}`, 'docker.io', 'library/alpine', undefined, DIGEST],
    [`reg:5000/a:v1@${DIGEST}`, 'reg:5000', 'a', 'v1', DIGEST],
    [`a:${'t'.repeat(128)}`, 'docker.io', 'library/a', 't'.repeat(128)],
    ['a:_x', 'docker.io', 'library/a', '_x'],
    ['a:V1.0-rc_1', 'docker.io', 'library/a', 'V1.0-rc_1'],
  ];
  for (const [text, registry, path, tag, digest] of examples) {
    test(`${text.slice(0, 60)} is understood as docker does`, () => {
      const reference = parseReference(text);
      expect(reference).toEqual({ registry, path, tag, digest });
      expect(parseReference(formatReference(reference))).toEqual(reference);
      expect(parseReference(familiarReference(reference))).toEqual(reference);
    });
  }

  const invalid: [text: string, message: string][] = [
    ['', 'invalid reference format'],
    [':tag', 'invalid reference format'],
    ['alpine:', 'invalid reference format'],
    ['alpine@', 'invalid reference format'],
    ['alpine:a b', 'invalid reference format'],
    ['alpine:.a', 'invalid reference format'],
    ['alpine:-a', 'invalid reference format'],
    [`alpine:${'t'.repeat(129)}`, 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['/a', 'invalid reference format'],
    ['a/', 'invalid reference format'],
    ['a..b', 'invalid reference format'],
    ['a.', 'invalid reference format'],
    ['.a', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['a_', 'invalid reference format'],
    ['a___b', 'invalid reference format'],
    ['../a', 'invalid reference format'],
    ['a.b/../c', 'invalid reference format'],
    ['a.b:x/c', 'invalid reference format'],
    ['a_b.c/d', 'invalid reference format'],
    ['a.b:/c', 'invalid reference format'],
    ['[::1/c', 'invalid reference format'],
    ['user@host/c', 'invalid reference format'],
    ['https://a.b/c', 'invalid reference format'],
    ['a\nb', 'invalid reference format'],
    ['alpine\n', 'invalid reference format'],
    ['alpine:a\n', 'invalid reference format'],
    ['ål', 'invalid reference format'],
    [`alpine@sha256:${HEX.slice(1)}`, 'invalid reference format'],
    [`alpine@sha256:${HEX.toUpperCase()}`, 'invalid reference format'],
    [`alpine@md5:${HEX.slice(32)}`, 'invalid reference format'],
    [`alpine@${DIGEST}@${DIGEST}`, 'invalid reference format'],
    ['Alpine', 'invalid reference format: repository name (library/Alpine) must be lowercase'],
    ['alice/App:v1', 'invalid reference format: repository name (alice/App) must be lowercase'],
    ['a.b/C', 'invalid reference format: repository name (C) must be lowercase'],
    [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
    [`a.b/${'a'.repeat(252)}`, 'repository name must not be more than 255 characters'],
  ];
  for (const [text, message] of invalid) {
    test(`${JSON.stringify(text.slice(0, 40))} is none`, async () => {
      expect((await failure(() => parseReference(text), 'reference-invalid')).message).toBe(message);
    });
  }

  test('may have 255 characters', () => {
    expect(parseReference(`a.b/${'a'.repeat(251)}`).path.length).toBe(251);
  });
});

describe('of a reference', () => {
  const reference = parseReference(`alpine:3.20@${DIGEST}`);

  test('the collection is the name alone', () => {
    expect(gunOf(reference) as string).toBe('docker.io/library/alpine');
    expect(gunOf(parseReference('reg:5000/a/b:c')) as string).toBe('reg:5000/a/b');
  });

  test('the familiar form leaves out what docker leaves out', () => {
    expect(familiarReference(reference)).toBe(`alpine:3.20@${DIGEST}`);
    expect(familiarName(parseReference('docker.io/alice/app'))).toBe('alice/app');
    expect(familiarName(parseReference('docker.io/library/a/b'))).toBe('library/a/b');
    expect(familiarName(parseReference('quay.io/library/a'))).toBe('quay.io/library/a');
  });

  test('a name without tag and digest gets the default tag', () => {
    expect(withDefaultTag(parseReference('alpine')).tag).toBe('latest');
    expect(withDefaultTag(parseReference('alpine:a')).tag).toBe('a');
    expect(withDefaultTag(parseReference(`alpine@${DIGEST}`)).tag).toBeUndefined();
  });

  test('a digest takes the place of the tag', () => {
    const other = parseDigest(`sha256:${'b'.repeat(64)}`);
    expect(formatReference(atDigest(reference, other))).toBe(`docker.io/library/alpine@${other}`);
  });
});

test('a name says its registry, or does not', () => {
  for (const text of ['a.b/c', 'a:1/c', 'localhost/c', 'A/c', 'docker.io/c']) expect(namesRegistry(text)).toBe(true);
  for (const text of ['alpine', 'a/b', 'a.b', 'localhost', 'a/b.c', 'A']) expect(namesRegistry(text)).toBe(false);
});

test('tags and paths have their own grammars', () => {
  for (const text of ['a', '_', '0', 'A.b-c_d']) expect(isTag(text)).toBe(true);
  for (const text of ['', '.a', '-a', 'a:b', 'a/b', 'a\n', 'a'.repeat(129)]) expect(isTag(text)).toBe(false);
  for (const text of ['a', 'a/b', 'a__b', 'a--b', 'a.b']) expect(isRepositoryPath(text)).toBe(true);
  for (const text of ['', 'A', '/a', 'a/', '.', '..', 'a/../b', 'a._b', 'a'.repeat(256)]) {
    expect(isRepositoryPath(text)).toBe(false);
  }
});
