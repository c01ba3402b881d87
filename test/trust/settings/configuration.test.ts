import { describe, expect, test } from 'bun:test';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDigest } from '../../../src/core/names/digest.ts';
import { formatReference } from '../../../src/core/names/reference.ts';
import { checkUnwritableByOthers } from '../../../src/store/files.ts';
import { formatFrozen, parseFrozen } from '../../../src/trust/decide/frozen.ts';
import {
  type Configuration,
  checkHost,
  NO_CONFIGURATION,
  parseConfiguration,
  resolveName,
} from '../../../src/trust/settings/configuration.ts';
import { readConfiguration } from '../../../src/trust/settings/configuration-file.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/temp.ts';

const ID = 'a'.repeat(64);
const parse = (value: unknown) => parseConfiguration(Buffer.from(JSON.stringify(value)), 'signet.json');

describe('signet.json', () => {
  test('may say nothing', () => {
    expect(parse({})).toEqual(NO_CONFIGURATION);
    expect(parse({ defaultRegistry: '', registries: {}, trustPinning: {} })).toEqual(NO_CONFIGURATION);
  });

  test('names registries, with their trust servers and mirrors', () => {
    const { registries, defaultRegistry } = parse({
      defaultRegistry: 'reg.example:5000',
      registries: {
        'reg.example:5000': { trustServer: 'https://trust.example/notary', mirrors: ['https://m.example'] },
      },
    });
    expect(defaultRegistry).toBe('reg.example:5000');
    expect(registries.get('reg.example:5000')).toMatchObject({
      trustServer: 'https://trust.example/notary',
      mirrors: ['https://m.example'],
    });
  });

  test('says what digests need, which images need no signature, and what becomes of uncovered commands', () => {
    const { images, uncovered } = parse({
      digests: 'signed',
      exempt: { 'registry.internal/tools/*': 'built elsewhere' },
      uncovered: 'warn',
    });
    expect(images).toMatchObject({
      digests: 'signed',
      exempt: [{ pattern: { text: 'registry.internal/tools/*' }, reason: 'built elsewhere' }],
    });
    expect(uncovered).toBe('warn');
    expect(parse({ digests: 'docker', exempt: {}, uncovered: 'refuse' })).toEqual(NO_CONFIGURATION);
  });

  test('says whether the cache stands in for a server that cannot be reached', () => {
    expect(parse({}).whenUnreachable).toBe('cache');
    for (const whenUnreachable of ['cache', 'refuse']) {
      expect(parse({ whenUnreachable })).toEqual({ ...NO_CONFIGURATION, whenUnreachable } as Configuration);
    }
  });

  const wrong: [what: string, value: unknown][] = [
    ['that is a list', []],
    ['with an unknown member', { trustPining: {} }],
    ['with a member in another case', { TrustPinning: {} }],
    ['with pins that are null', { trustPinning: null }],
    ['with a pin of no repository', { trustPinning: { certs: { 'alice/app': [ID] } } }],
    ['with a registry that is an address', { registries: { 'https://a.b': {} } }],
    ['with a registry that is a path', { registries: { 'a.b/c': {} } }],
    ['with a registry that is no host', { registries: { library: {} } }],
    ['with an unknown setting of a registry', { registries: { 'a.b': { trustserver: 'https://x' } } }],
    ['with a trust server without TLS', { registries: { 'a.b': { trustServer: 'http://x.example' } } }],
    ['with a rule for digests that is none', { digests: 'Signed' }],
    ['with a rule for digests that is a flag', { digests: true }],
    ['with an exemption without a reason', { exempt: { 'registry.internal/x': ' ' } }],
    ['with an exemption whose reason is none', { exempt: { 'registry.internal/x': true } }],
    ['with exemptions as a list', { exempt: ['registry.internal/x'] }],
    ['with an exemption that docker would read otherwise', { exempt: { busybox: 'small' } }],
    ['with another way with uncovered commands', { uncovered: 'allow' }],
    ['with a way between cache and server that is none', { whenUnreachable: 'Cache' }],
    ['with a way between cache and server that is a flag', { whenUnreachable: true }],
    ['with a default registry that is a path', { defaultRegistry: 'a.b/c' }],
    ['with a default registry that is a number', { defaultRegistry: 5 }],
  ];
  for (const [what, value] of wrong) {
    test(`${what} is refused, and named`, async () => {
      const error = await failure(() => parse(value), 'configuration-invalid');
      expect(error.message).toStartWith('signet.json: ');
    });
  }

  test('must be strict JSON', async () => {
    for (const text of ['', '{', '{"defaultRegistry":"a.b","defaultRegistry":"c.d"}', '{}x', '\ufeff{}']) {
      await failure(() => parseConfiguration(Buffer.from(text), 'signet.json'), 'configuration-invalid');
    }
  });
});

test('every example of the documentation is a configuration, or a frozen list', () => {
  const text = readFileSync(join(import.meta.dir, '../../../docs/configuration.md'), 'utf8');
  const examples = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, example = '']) => example);
  expect(examples.length).toBeGreaterThan(2);
  const lists = examples.filter((example) => example.includes('"format"'));
  expect(lists).toHaveLength(1);
  for (const example of lists) parseFrozen(Buffer.from(example), '/frozen.json', Date.UTC(2026, 11, 8));
  for (const example of examples.filter((each) => !lists.includes(each))) {
    parseConfiguration(Buffer.from(example), '/signet.json');
  }
});

describe('a frozen list', () => {
  const list = { until: 0, images: new Map() };

  test('lies beside the settings that name it', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'signet.json'), '{"frozen":"lists.json"}');
    writeFileSync(join(folder, 'lists.json'), formatFrozen(list));
    const { images } = await readConfiguration(folder, {});
    expect(images.frozen).toEqual({ ...list, path: join(folder, 'lists.json') });
  });

  test.each<[string, string | undefined]>([
    ['is missing', undefined],
    ['is none', '{}'],
  ])('that %s refuses everything', async (_, content) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'signet.json'), '{"frozen":"lists.json"}');
    if (content !== undefined) writeFileSync(join(folder, 'lists.json'), content);
    const error = await failure(readConfiguration(folder, {}), 'configuration-invalid');
    expect(error.message).toContain('lists.json');
  });
});

describe('the file of a frozen list', () => {
  function listOf(mode: number): string {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'signet.json'), '{"frozen":"lists.json"}');
    const path = join(folder, 'lists.json');
    writeFileSync(path, formatFrozen({ until: 0, images: new Map() }));
    chmodSync(path, mode);
    return folder;
  }

  test.each([0o600, 0o644, 0o444])('may have mode %o', async (mode) => {
    expect((await readConfiguration(listOf(mode), {})).images.frozen?.images.size).toBe(0);
  });

  test.each([0o620, 0o602, 0o666])('that others can write refuses everything (mode %o)', async (mode) => {
    const folder = listOf(mode);
    const error = await failure(readConfiguration(folder, {}), 'file-unsafe');
    expect(error.message).toBe(`${folder}/lists.json can be written by others`);
    expect(error.next).toEndWith(`chmod go-w ${folder}/lists.json`);
  });

  test('belongs to its reader, or to root', async () => {
    const path = join(listOf(0o600), 'lists.json');
    const ownedBy = (uid: number) => Object.assign(statSync(path), { uid });
    for (const uid of [0, 1000]) checkUnwritableByOthers(path, ownedBy(uid), 1000);
    for (const [uid, user] of [
      [1001, 1000],
      [1000, 0],
    ] as const) {
      const error = await failure(() => checkUnwritableByOthers(path, ownedBy(uid), user), 'file-unsafe');
      expect(error.message).toBe(`${path} belongs to another user`);
    }
  });

  test('with what was read later than now refuses everything', async () => {
    const folder = listOf(0o600);
    const digest = parseDigest(`sha256:${ID}`);
    const image = { tags: new Map([['1.0', digest]]), evidence: digest, read: Date.UTC(2026, 0, 2) };
    writeFileSync(join(folder, 'lists.json'), formatFrozen({ until: 0, images: new Map([['a.b/c', image]]) }));
    const error = await failure(readConfiguration(folder, {}, Date.UTC(2026, 0, 1)), 'configuration-invalid');
    expect(error.message).toEndWith('a.b/c was read at 2026-01-02T00:00:00Z, which is not yet');
    expect((await readConfiguration(folder, {}, Date.UTC(2026, 0, 2))).images.frozen?.images.size).toBe(1);
  });
});

describe('a name', () => {
  const at = { ...NO_CONFIGURATION, defaultRegistry: 'reg.example:5000' };
  const full = (text: string, configuration: Configuration = at) => formatReference(resolveName(text, configuration));

  test('means the default registry where it gives none', () => {
    expect(full('alice/app:v1')).toBe('reg.example:5000/alice/app:v1');
    expect(full('busybox')).toBe('reg.example:5000/library/busybox');
    expect(full('docker.io/alice/app')).toBe('docker.io/alice/app');
    expect(full('other.example/app')).toBe('other.example/app');
    expect(full('localhost/app')).toBe('localhost/app');
    expect(full('alice/app', NO_CONFIGURATION)).toBe('docker.io/alice/app');
  });

  test('that is none stays none', () => failure(() => full('Alice/App'), 'reference-invalid'));
});

test('a host is a name with an optional port', async () => {
  for (const host of ['a.b', 'localhost', 'a:5000', '[::1]:5000', 'docker.io']) expect(checkHost(host)).toBe(host);
  for (const host of [
    '',
    'a',
    'a.b/',
    'a.b:',
    'a.b:x',
    'u@a.b',
    'index.docker.io',
    'DOCKER.IO',
    'docker.io:443',
    'a.b?c',
    'a b.c',
  ]) {
    await expect(Promise.resolve().then(() => checkHost(host))).rejects.toMatchObject({ name: 'SignetError' });
  }
});

describe('the settings file', () => {
  const folder = temporaryFolder();

  test('may be missing, unless it was named', async () => {
    expect(await readConfiguration(folder, {})).toEqual(NO_CONFIGURATION);
    await failure(
      readConfiguration(folder, { SIGNET_CLIENT_CONFIG: join(folder, 'none.json') }),
      'configuration-invalid',
    );
  });

  test('is read from docker’s folder, or where it was named; the variable for the registry wins', async () => {
    writeFileSync(join(folder, 'signet.json'), '{"defaultRegistry":"a.b"}');
    writeFileSync(join(folder, 'other.json'), '{"defaultRegistry":"c.d"}');
    expect((await readConfiguration(folder, {})).defaultRegistry).toBe('a.b');
    expect(
      (await readConfiguration(folder, { SIGNET_CLIENT_CONFIG: join(folder, 'other.json') })).defaultRegistry,
    ).toBe('c.d');
    expect((await readConfiguration(folder, { SIGNET_DEFAULT_REGISTRY: 'e.f' })).defaultRegistry).toBe('e.f');
  });

  test('that cannot be read is not passed over', async () => {
    await failure(readConfiguration(folder, { SIGNET_CLIENT_CONFIG: folder }), 'file-unsafe');
  });
});

test.each(['https://localhost:5000', 'localhost:5000/', ' ', 'a b'])(
  'a default registry that is no host (%j) is named with where it stands',
  async (value) => {
    const folder = temporaryFolder();
    const why = `"${value}" is not a registry's host name; write HOST or HOST:PORT`;
    const given = readConfiguration(folder, { SIGNET_DEFAULT_REGISTRY: value });
    expect((await failure(given, 'configuration-invalid')).message).toBe(`SIGNET_DEFAULT_REGISTRY: ${why}`);
    const file = () => parseConfiguration(Buffer.from(JSON.stringify({ defaultRegistry: value })), 'signet.json');
    expect((await failure(file, 'configuration-invalid')).message).toBe(`signet.json: defaultRegistry: ${why}`);
  },
);
