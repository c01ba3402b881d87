import { describe, expect, test } from 'bun:test';
import { parsePlatform, platformJson } from '../../../src/engine/cli/platform.ts';

describe('a platform', () => {
  test.each([
    ['linux/amd64', '{"architecture":"amd64","os":"linux"}'],
    ['Linux/x86_64', '{"architecture":"amd64","os":"linux"}'],
    ['linux/x86-64/v1', '{"architecture":"amd64","os":"linux"}'],
    ['linux/amd64/v2', '{"architecture":"amd64","os":"linux","variant":"v2"}'],
    ['linux/arm64', '{"architecture":"arm64","os":"linux"}'],
    ['linux/aarch64/8', '{"architecture":"arm64","os":"linux","variant":"v8"}'],
    ['linux/arm64/9', '{"architecture":"arm64","os":"linux","variant":"v9"}'],
    ['linux/arm', '{"architecture":"arm","os":"linux"}'],
    ['linux/arm/7', '{"architecture":"arm","os":"linux","variant":"v7"}'],
    ['linux/arm/v6', '{"architecture":"arm","os":"linux","variant":"v6"}'],
    ['linux/armhf', '{"architecture":"arm","os":"linux"}'],
    ['linux/armel', '{"architecture":"arm","os":"linux","variant":"v6"}'],
    ['linux/i386/x', '{"architecture":"386","os":"linux"}'],
    ['macos/arm64', '{"architecture":"arm64","os":"darwin"}'],
    ['linux/new/one', '{"architecture":"new","os":"linux","variant":"one"}'],
  ])('%s', (text, json) => {
    expect(platformJson(parsePlatform(text))).toBe(json);
  });

  test('is completed by what this machine is', () => {
    const { os, architecture } = parsePlatform('linux');
    expect(os).toBe('linux');
    expect(architecture).toBe({ x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64'] ?? process.arch);
    expect(parsePlatform('aarch64').architecture).toBe('arm64');
    expect(parsePlatform('armhf')).toEqual({ os: parsePlatform('arm64').os, architecture: 'arm', variant: undefined });
  });

  test.each(['', 'linux/', '/amd64', 'linux/amd64/v1/x', 'linux/*', 'plan8', 'windows(10.0)/amd64', 'linux/amd 64'])(
    '%p is none',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );
});
