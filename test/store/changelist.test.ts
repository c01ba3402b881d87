import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePublicKey } from '../../src/core/keys/public-key.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { parseKeyId } from '../../src/core/names/key-id.ts';
import { parseDelegation, RELEASES } from '../../src/core/names/role.ts';
import { type Change, type DelegationChange, formatChange, parseChange } from '../../src/store/change.ts';
import { Changelist } from '../../src/store/changelist.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';

const GUN = parseGun('reg.example:5000/team/app');
const FOLDER = 'tuf/reg.example:5000/team/app/changelist';
const ALICE = parseDelegation('targets/alice');
const KEY = makePublicKey('ecdsa', Buffer.from('abc'));
const KEY_JSON = '{"keytype":"ecdsa","keyval":{"public":"YWJj","private":null}}';
const ID = parseKeyId('ab'.repeat(32));
const SHA256 = Buffer.alloc(32, 1);
const NOTHING: DelegationChange = {
  threshold: 0,
  addKeys: [],
  removeKeys: [],
  addPaths: [],
  removePaths: [],
  clearPaths: false,
};

/** Every kind of change: the change, the file without its data, and the data before base64 (`null` where there is none). */
const KINDS: [Change, string, string | null][] = [
  [
    { kind: 'add-target', role: 'targets', name: 'v1', target: { length: 528, hashes: new Map([['sha256', SHA256]]) } },
    '{"action":"create","role":"targets","type":"target","path":"v1","data":DATA}',
    `{"length":528,"hashes":{"sha256":"${SHA256.toString('base64')}"}}`,
  ],
  [
    {
      kind: 'add-target',
      role: RELEASES,
      name: 'a "b" <c>',
      target: {
        length: 0,
        hashes: new Map([
          ['sha512', Buffer.alloc(64, 2)],
          ['sha256', SHA256],
        ]),
        custom: new Map([['b', ['<', 1]]]),
      },
    },
    '{"action":"create","role":"targets/releases","type":"target","path":"a \\"b\\" \\u003cc\\u003e","data":DATA}',
    `{"length":0,"hashes":{"sha256":"${SHA256.toString('base64')}","sha512":"${Buffer.alloc(64, 2).toString('base64')}"},"custom":{"b":["\\u003c",1]}}`,
  ],
  [
    { kind: 'remove-target', role: 'targets', name: 'v1' },
    '{"action":"delete","role":"targets","type":"target","path":"v1","data":DATA}',
    null,
  ],
  [
    { kind: 'create-delegation', role: ALICE, delegation: { ...NOTHING, threshold: 1, addKeys: [KEY] } },
    '{"action":"create","role":"targets/alice","type":"delegation","path":"","data":DATA}',
    `{"threshold":1,"add_keys":[${KEY_JSON}]}`,
  ],
  [
    { kind: 'create-delegation', role: ALICE, delegation: { ...NOTHING, addPaths: ['', 'v1'] } },
    '{"action":"create","role":"targets/alice","type":"delegation","path":"","data":DATA}',
    '{"add_paths":["","v1"]}',
  ],
  [
    {
      kind: 'update-delegation',
      role: ALICE,
      delegation: { ...NOTHING, removeKeys: [ID], removePaths: ['v1'], clearPaths: true },
    },
    '{"action":"update","role":"targets/alice","type":"delegation","path":"","data":DATA}',
    `{"remove_keys":["${ID}"],"remove_paths":["v1"],"clear_paths":true}`,
  ],
  [
    { kind: 'purge-keys', below: 'targets', keys: [ID] },
    '{"action":"update","role":"targets/*","type":"delegation","path":"","data":DATA}',
    `{"remove_keys":["${ID}"]}`,
  ],
  [
    { kind: 'purge-keys', below: ALICE, keys: [ID, ID] },
    '{"action":"update","role":"targets/alice/*","type":"delegation","path":"","data":DATA}',
    `{"remove_keys":["${ID}","${ID}"]}`,
  ],
  [
    { kind: 'remove-delegation', role: ALICE },
    '{"action":"delete","role":"targets/alice","type":"delegation","path":"","data":DATA}',
    null,
  ],
  [
    { kind: 'witness', role: 'targets' },
    '{"action":"update","role":"targets","type":"witness","path":"","data":DATA}',
    null,
  ],
];

function fileOf(pattern: string, data: string | null): string {
  return pattern.replace('DATA', data === null ? 'null' : `"${btoa(data)}"`);
}

describe('a change', () => {
  test.each(KINDS)('%j is written as Notary does, and read back', (change, pattern, data) => {
    const file = formatChange(change);
    expect(file.toString()).toBe(fileOf(pattern, data));
    expect(parseChange(file, 'it')).toEqual(change);
  });

  const target = `{"length":1,"hashes":{"sha256":"${SHA256.toString('base64')}"}}`;
  const create = (role: string, type: string, data: string | null, path = '') =>
    fileOf(JSON.stringify({ action: 'create', role, type, path, data: 'X' }).replace('"X"', 'DATA'), data);

  test.each([
    ['no JSON', 'create'],
    ['bytes after the end', `${create('targets', 'target', target, 'v1')}x`],
    ['an unknown member', '{"action":"delete","role":"targets","type":"target","path":"v1","data":null,"more":1}'],
    ['a missing member', '{"action":"delete","role":"targets","type":"target","data":null}'],
    ['a member in another case', '{"Action":"delete","role":"targets","type":"target","path":"v1","data":null}'],
    ['an unknown action', '{"action":"destroy","role":"targets","type":"target","path":"v1","data":null}'],
    ['an update of a target', '{"action":"update","role":"targets","type":"target","path":"v1","data":null}'],
    ['an unknown type', create('targets', 'thing', null)],
    ['a rotation, which is never on disk', create('root', 'role', '{"keys":[],"role":"targets"}', 'targets')],
    ['a base role for a target', create('snapshot', 'target', target, 'v1')],
    ['a malformed role', create('targets/../x', 'target', target, 'v1')],
    ['no name', create('targets', 'target', target)],
    ['a path where none belongs', create('targets/a', 'delegation', '{"threshold":1}', 'x')],
    ['data that is no text', '{"action":"create","role":"targets","type":"target","path":"v1","data":{}}'],
    ['data that is not base64', '{"action":"create","role":"targets","type":"target","path":"v1","data":"*"}'],
    ['data that is not JSON', create('targets', 'target', 'x', 'v1')],
    ['no data', create('targets', 'target', null, 'v1')],
    ['data of a removal', fileOf('{"action":"delete","role":"targets","type":"target","path":"v1","data":DATA}', '{}')],
    ['a target without hashes', create('targets', 'target', '{"length":1,"hashes":{}}', 'v1')],
    ['a target with a short hash', create('targets', 'target', '{"length":1,"hashes":{"sha256":"YWJj"}}', 'v1')],
    ['a target of negative length', create('targets', 'target', target.replace('1', '-1'), 'v1')],
    ['an unknown member of a target', create('targets', 'target', target.replace('}}', '},"x":1}'), 'v1')],
    ['a delegation of the root', create('root', 'delegation', '{"threshold":1}')],
    ['a new name', create('targets/a', 'delegation', '{"new_name":"targets/b"}')],
    ['a negative threshold', create('targets/a', 'delegation', '{"threshold":-1}')],
    [
      'a key with a private part',
      create('targets/a', 'delegation', `{"add_keys":[${KEY_JSON.replace('null', '"YWJj"')}]}`),
    ],
    ['a malformed key ID', create('targets/a', 'delegation', '{"remove_keys":["abc"]}')],
    ['a wildcard that creates', create('targets/*', 'delegation', '{"threshold":1}')],
    ['a wildcard that adds', create('targets/*', 'delegation', '{"add_paths":["x"]}').replace('create', 'update')],
    ['a wildcard inside', create('targets/*/a', 'delegation', `{"remove_keys":["${ID}"]}`).replace('create', 'update')],
  ])('refuses %s', async (_, text) => {
    const error = await failure(() => parseChange(Buffer.from(text), 'change x'), 'changelist-invalid');
    expect(error.message).toStartWith('change x ');
  });
});

describe('the list', () => {
  const change = (name: string): Change => ({ kind: 'remove-target', role: 'targets', name });
  const namesOf = (staged: readonly { change: Change }[]) =>
    staged.map((item) => 'name' in item.change && item.change.name);

  test('is empty if there is none, and reading makes none', async () => {
    const base = join(temporaryFolder(), 'trust');
    const list = new Changelist(base, GUN);
    expect(await list.read()).toEqual([]);
    await list.clear();
    expect(existsSync(base)).toBe(false);
  });

  test('keeps the order, also within one moment and when the clock goes back', async () => {
    const base = temporaryFolder();
    const moments = [5000, 5000, 5000, 4000, 6000];
    for (const [index, now] of moments.entries())
      await new Changelist(base, GUN, () => now).append(change(`v${index}`));
    expect(namesOf(await new Changelist(base, GUN).read())).toEqual(['v0', 'v1', 'v2', 'v3', 'v4']);
  });

  test('has files of the name, the content and the mode that Notary gives them', async () => {
    const base = temporaryFolder();
    await new Changelist(base, GUN, () => 1_700_000_000_123).append(change('v1'));
    const [name] = readdirSync(join(base, FOLDER));
    expect(name).toMatch(
      /^01700000000123000000_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.change$/,
    );
    const path = join(base, FOLDER, name ?? '');
    expect(readFileSync(path, 'utf8')).toBe(
      '{"action":"delete","role":"targets","type":"target","path":"v1","data":null}',
    );
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
  });

  test('reads the changes of others, and nothing else', async () => {
    const base = temporaryFolder();
    mkdirSync(join(base, FOLDER), { recursive: true });
    const put = (name: string, text = formatChange(change(name)).toString()) =>
      writeFileSync(join(base, FOLDER, name), text);
    put('00000000000000000009_b.change');
    put('00000000000000000009_a.change');
    put('notes.txt', 'no change');
    mkdirSync(join(base, FOLDER, 'folder.change'));
    symlinkSync('/etc/hostname', join(base, FOLDER, 'link.change'));
    expect(namesOf(await new Changelist(base, GUN).read())).toEqual([
      '00000000000000000009_a.change',
      '00000000000000000009_b.change',
    ]);
  });

  test('is not read where one change cannot be understood', async () => {
    const base = temporaryFolder();
    const list = new Changelist(base, GUN);
    await list.append(change('v1'));
    writeFileSync(join(base, FOLDER, '00000000000000000001_bad.change'), '{}');
    const error = await failure(list.read(), 'changelist-invalid');
    expect(error.message).toContain('00000000000000000001_bad.change');
  });

  test('is cleared of what was read, or of everything', async () => {
    const base = temporaryFolder();
    const list = new Changelist(base, GUN);
    await list.append(change('v1'));
    const read = await list.read();
    await list.append(change('v2'));
    await list.clear(read);
    expect(namesOf(await list.read())).toEqual(['v2']);
    writeFileSync(join(base, FOLDER, '00000000000000000001_bad.change'), '{}');
    await list.clear();
    expect(await list.read()).toEqual([]);
  });

  test('counts what is staged, readable or not', async () => {
    const folder = temporaryFolder();
    const changelist = new Changelist(folder, GUN);
    expect(await changelist.count()).toBe(0);
    await changelist.append({ kind: 'witness', role: 'targets' });
    writeFileSync(join(folder, FOLDER, '99999999999999999999_x.change'), '{');
    writeFileSync(join(folder, FOLDER, 'other'), '');
    expect(await changelist.count()).toBe(2);
  });

  test('takes no change that it would not read back', async () => {
    const changelist = new Changelist(temporaryFolder(), GUN);
    const target = { length: 1, hashes: new Map([['sha256', SHA256]]), custom: 'a'.repeat(800_000) };
    await failure(changelist.append({ kind: 'add-target', role: 'targets', name: 'v1', target }), 'too-large');
    expect(await changelist.count()).toBe(0);
  });
});
