import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TokenFile } from '../../src/store/token-file.ts';
import { temporaryFolder } from '../support/temp.ts';

const TOKEN = { value: 'header.payload.signature', expires: 1_800_000_000_000 };

function folders() {
  const docker = temporaryFolder();
  writeFileSync(join(docker, 'config.json'), '{"auths":{}}');
  return { docker, path: join(temporaryFolder(), 'signet', 'tokens.json') };
}

describe('TokenFile', () => {
  test('keeps a token from one command to the next, for its owner alone', async () => {
    const { docker, path } = folders();
    await new TokenFile(path, docker).put('key', TOKEN);
    expect(await new TokenFile(path, docker).get('key')).toEqual(TOKEN);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  test('forgets everything with a login or logout, by whichever tool', async () => {
    const { docker, path } = folders();
    await new TokenFile(path, docker).put('key', TOKEN);
    writeFileSync(join(docker, 'config.json'), '{"auths":{"localhost:5000":{}}}');
    expect(await new TokenFile(path, docker).get('key')).toBeUndefined();
  });

  test('has a token at once, before the file has it', async () => {
    const { docker, path } = folders();
    const file = new TokenFile(path, docker);
    const written = [file.put('one', TOKEN), file.put('two', TOKEN), file.remove('one')];
    expect(existsSync(path)).toBe(false);
    expect(await Promise.all([file.get('one'), file.get('two')])).toEqual([undefined, TOKEN]);
    await Promise.all(written);
    const later = new TokenFile(path, docker);
    expect(await Promise.all([later.get('one'), later.get('two')])).toEqual([undefined, TOKEN]);
  });

  test('removes a token that was refused', async () => {
    const { docker, path } = folders();
    const file = new TokenFile(path, docker);
    await file.put('key', TOKEN);
    await file.put('other', TOKEN);
    await file.remove('key');
    const later = new TokenFile(path, docker);
    expect(await later.get('key')).toBeUndefined();
    expect(await later.get('other')).toEqual(TOKEN);
  });

  test.each(['', 'no json', '{}', '["wrong stamp",["key","value",1]]', '[["key"]]'])(
    'takes a damaged file for an empty one: %p',
    async (text) => {
      const { docker, path } = folders();
      await new TokenFile(path, docker).put('first', TOKEN);
      writeFileSync(path, text);
      const file = new TokenFile(path, docker);
      expect(await file.get('key')).toBeUndefined();
      await file.put('key', TOKEN);
      expect(await new TokenFile(path, docker).get('key')).toEqual(TOKEN);
    },
  );

  test('works without the file where it cannot be written', async () => {
    const { docker } = folders();
    const blocked = temporaryFolder();
    writeFileSync(join(blocked, 'signet'), 'a file where the folder should be');
    chmodSync(blocked, 0o500);
    const path = join(blocked, 'signet', 'tokens.json');
    const file = new TokenFile(path, docker);
    await file.put('key', TOKEN);
    expect(await file.get('key')).toEqual(TOKEN);
    expect(existsSync(path)).toBe(false);
  });

  test('keeps at most 256 tokens, the newest', async () => {
    const { docker, path } = folders();
    const file = new TokenFile(path, docker);
    for (let index = 0; index < 300; index++) await file.put(`key ${index}`, TOKEN);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveLength(257);
    const later = new TokenFile(path, docker);
    expect(await later.get('key 299')).toEqual(TOKEN);
    expect(await later.get('key 0')).toBeUndefined();
  });
});
