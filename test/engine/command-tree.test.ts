import { describe, expect, test } from 'bun:test';
import { parseHelp } from '../../src/engine/cli/help.ts';
import { RECORDED_CLIS, readTree, spellings } from './command-tree.ts';

describe('the recorded commands', () => {
  test.each([
    ['docker-20.10', 192],
    ['docker-28', 195],
    ['docker-29', 306],
  ] as const)('%s has each command once', (cli, count) => {
    const names = readTree(cli).map(({ words }) => words.join(' '));
    expect(names.length).toBe(count);
    expect(new Set(names).size).toBe(count);
  });

  test('each help is understood as that of its command', () => {
    for (const cli of RECORDED_CLIS) {
      for (const { words, help } of readTree(cli)) {
        expect(() => parseHelp(help, words), `${cli}: ${words.join(' ')}`).not.toThrow();
      }
    }
  });

  test.each([
    ['docker-20.10', 'image ls', ['image ls', 'image list']],
    ['docker-20.10', 'images', ['images']],
    ['docker-28', 'image ls', ['image ls', 'image list', 'images']],
    ['docker-29', 'stack deploy', ['stack deploy', 'stack up']],
  ] as const)('%s: %s has its aliases', (cli, name, all) => {
    const command = readTree(cli).find(({ words }) => words.join(' ') === name);
    expect(command && spellings(command).map((words) => words.join(' '))).toEqual([...all]);
  });

  test('no help names the machine that it was recorded on', () => {
    for (const cli of RECORDED_CLIS) {
      for (const { help } of readTree(cli)) expect(help).not.toMatch(/\/(?:tmp|root|work)\//);
    }
  });
});
