import { describe, expect, test } from 'bun:test';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DockerConfig } from '../../src/store/docker-config.ts';
import { editMember } from '../../src/store/json-edit.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';

function folderWith(text: string | Uint8Array): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.json'), text, { mode: 0o644 });
  return folder;
}

describe('editMember', () => {
  const entry = new Map([['auth', 'YTpi']]);

  test.each([
    [
      'an empty object',
      '{}',
      ['auths', 'reg'],
      entry,
      '{\n\t"auths": {\n\t\t"reg": {\n\t\t\t"auth": "YTpi"\n\t\t}\n\t}\n}',
    ],
    ['an empty entry', '{}', ['auths', 'reg'], new Map(), '{\n\t"auths": {\n\t\t"reg": {}\n\t}\n}'],
    [
      "docker's own layout",
      '{\n\t"auths": {\n\t\t"a": {}\n\t},\n\t"x": 1\n}',
      ['auths', 'reg'],
      entry,
      '{\n\t"auths": {\n\t\t"a": {},\n\t\t"reg": {\n\t\t\t"auth": "YTpi"\n\t\t}\n\t},\n\t"x": 1\n}',
    ],
    [
      'two blanks a level',
      '{\n  "auths": {\n    "a": {}\n  }\n}\n',
      ['auths', 'reg'],
      entry,
      '{\n  "auths": {\n    "a": {},\n    "reg": {\n      "auth": "YTpi"\n    }\n  }\n}\n',
    ],
    ['one line', '{"x":1,"auths":{"a":{}}}', ['auths', 'reg'], entry, '{"x":1,"auths":{"a":{},"reg":{"auth":"YTpi"}}}'],
    ['a text', '{"x":1}', ['credsStore'], 'pass', '{"x":1,"credsStore":"pass"}'],
    [
      'a text in place of another',
      '{ "credsStore" : "old" , "x":1 }',
      ['credsStore'],
      'pass',
      '{ "credsStore" : "pass" , "x":1 }',
    ],
    ['null on the way', '{"auths":null}', ['auths', 'reg'], 'x', '{"auths":{"reg":"x"}}'],
    ['a name that needs quoting', '{}', ['a"b\\'], 'x', '{\n\t"a\\"b\\\\": "x"\n}'],
    ['a name that is written another way', '{"\\u0061":1}', ['a'], 'x', '{"\\u0061":"x"}'],
    ['braces in texts', '{"a":"}{\\"]","b":{"c":"]"}}', ['b', 'd'], 'x', '{"a":"}{\\"]","b":{"c":"]","d":"x"}}'],
    [
      'odd numbers',
      '{"n":1e400,"m":12345678901234567890.10}',
      ['a'],
      'x',
      '{"n":1e400,"m":12345678901234567890.10,"a":"x"}',
    ],
    ['the name of a prototype', '{}', ['auths', '__proto__'], 'x', '{\n\t"auths": {\n\t\t"__proto__": "x"\n\t}\n}'],
  ])('sets in %s', (_, text, path, value, expected) => {
    expect(editMember(text, path, value)).toBe(expected);
  });

  test.each([
    ['the only member', '{\n\t"auths": {\n\t\t"reg": {}\n\t}\n}', '{\n\t"auths": {}\n}'],
    ['the first', '{"auths":{ "reg":{"auth":"x"}, "a":1}}', '{"auths":{ "a":1}}'],
    ['the last', '{"auths":{\n"a":1,\n"reg":{}\n}}', '{"auths":{\n"a":1\n}}'],
    ['one in the middle', '{"auths":{"a":1,"reg":[1,{"x":2}],"b":2}}', '{"auths":{"a":1,"b":2}}'],
    ['what is not there', '{"auths":{"a":1}}', '{"auths":{"a":1}}'],
    ['from what is not there', '{ }', '{ }'],
    ['from what is no object', '{"auths":[1]}', '{"auths":[1]}'],
  ])('removes %s', (_, text, expected) => {
    expect(editMember(text, ['auths', 'reg'], undefined)).toBe(expected);
  });
});

describe('DockerConfig', () => {
  test('of no file, an empty one and an empty object is the same', () => {
    for (const folder of [temporaryFolder(), folderWith(''), folderWith(' \n'), folderWith('{}')]) {
      const config = DockerConfig.read(folder);
      expect(config.auths.size).toBe(0);
      expect(config.credsStore).toBeUndefined();
      expect(config.credHelper('reg')).toBeUndefined();
      expect(config.knowsLogins).toBe(false);
    }
  });

  test('gives what it knows, and the rest as it is', () => {
    const text =
      '{"auths":{"reg":{"auth":"YTpi"}},"credsStore":"pass","credHelpers":{"gcr.io":"gcloud"},"psFormat":"x","n":1.5e300}';
    const config = DockerConfig.read(folderWith(text));
    expect([...config.auths.keys()]).toEqual(['reg']);
    expect(config.credsStore).toBe('pass');
    expect(config.credHelper('gcr.io')).toBe('gcloud');
    expect(config.credHelper('constructor')).toBeUndefined();
    expect(config.member('psFormat')).toBe('x');
    expect(config.knowsLogins).toBe(true);
  });

  test.each([
    ['no JSON', 'auths'],
    ['an array', '[]'],
    ['bytes after the end', '{}{}'],
    ['a member twice', '{"auths":{},"auths":{}}'],
    ['a known member in another case', '{"Auths":{}}'],
    ['half a character', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a byte order mark', '\ufeff{}'],
  ])('refuses %s', async (_, text) => {
    const folder = folderWith(text);
    const error = await failure(() => DockerConfig.read(folder), 'docker-config-invalid');
    expect(error.message).toStartWith(`cannot use ${folder}/config.json: `);
  });

  test.each([
    ['auths', '{"auths":[]}', (config: DockerConfig) => config.auths],
    ['credsStore', '{"credsStore":5}', (config: DockerConfig) => config.credsStore],
    ['credHelpers', '{"credHelpers":"x"}', (config: DockerConfig) => config.credHelper('reg')],
    ['a helper', '{"credHelpers":{"reg":5}}', (config: DockerConfig) => config.credHelper('reg')],
  ] as const)('refuses %s of another type when it is asked for', async (_, text, ask) => {
    await failure(() => ask(DockerConfig.read(folderWith(text))), 'docker-config-invalid');
  });

  test('refuses a file that is too large', async () => {
    await failure(() => DockerConfig.read(folderWith(Buffer.alloc(5_000_000, 32))), 'too-large');
  });

  test('is written whole, for no one but the user, with all that it does not know', () => {
    const text = '{\n\t"psFormat": "a\\u0026b",\n\t"n": 1e400000,\n\t"auths": {}\n}';
    const folder = folderWith(text.replace('1e400000', '12345678901234567890'));
    DockerConfig.read(folder).with(['credsStore'], 'pass').save();
    const written = readFileSync(join(folder, 'config.json'), 'utf8');
    expect(written).toBe(
      '{\n\t"psFormat": "a\\u0026b",\n\t"n": 12345678901234567890,\n\t"auths": {},\n\t"credsStore": "pass"\n}',
    );
    expect((statSync(join(folder, 'config.json')).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(folder)).toEqual(['config.json']);
  });

  test('is made if there is none', () => {
    const folder = join(temporaryFolder(), 'deep', 'docker');
    DockerConfig.read(folder).with(['credsStore'], 'pass').save();
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe('{\n\t"credsStore": "pass"\n}');
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
  });

  test('behind a link is written where the link leads', () => {
    const real = folderWith('{}');
    const folder = temporaryFolder();
    symlinkSync(join(real, 'config.json'), join(folder, 'config.json'));
    DockerConfig.read(folder).with(['credsStore'], 'pass').save();
    expect(lstatSync(join(folder, 'config.json')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(real, 'config.json'), 'utf8')).toContain('pass');
    expect(readdirSync(folder)).toEqual(['config.json']);
  });

  test('that cannot be written is an error, and leaves the old one', async () => {
    const folder = folderWith('{}');
    const config = DockerConfig.read(folder).with(['credsStore'], 'pass');
    const blocked = join(folder, 'config.json');
    expect(existsSync(blocked)).toBe(true);
    await Bun.$`rm ${blocked}`.quiet();
    mkdirSync(join(blocked, 'in the way'), { recursive: true });
    await failure(() => config.save(), 'file-unwritable');
    expect(readdirSync(folder)).toEqual(['config.json']);
  });
});
