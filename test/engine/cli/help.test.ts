import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHelp } from '../../../src/engine/cli/help.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dir, '../fixtures', `${name}.txt`), 'utf8');
const learn = (name: string, ...command: string[]) => parseHelp(fixture(name), command);

function row(name: string, flag: string, ...command: string[]) {
  const found = learn(name, ...command).flags.find(({ long }) => long === flag);
  return found && [found.short, found.takesValue];
}

describe('parseHelp', () => {
  test.each([
    ['docker-28/docker', [], 11, false, false],
    ['docker-28/run', ['run'], 104, false, true],
    ['docker-28/create', ['create'], 101, false, true],
    ['docker-28/exec', ['exec'], 9, false, true],
    ['docker-28/build', ['build'], 30, true, true],
    ['docker-28/pull', ['pull'], 4, true, true],
    ['docker-28/push', ['push'], 4, true, true],
    ['docker-28/service-create', ['service', 'create'], 73, false, true],
    ['docker-28/service-update', ['service', 'update'], 92, true, true],
    ['docker-20.10/docker', [], 11, false, false],
    ['docker-20.10/run', ['run'], 96, false, true],
    ['docker-20.10/create', ['create'], 93, false, true],
    ['docker-20.10/exec', ['exec'], 9, false, true],
    ['docker-20.10/build', ['build'], 29, true, true],
    ['docker-20.10/pull', ['pull'], 4, true, true],
    ['docker-20.10/push', ['push'], 3, true, true],
    ['docker-20.10/service-create', ['service', 'create'], 71, false, true],
    ['docker-20.10/service-update', ['service', 'update'], 90, true, true],
    ['podman-4.3/run', ['run'], 131, false, true],
    ['podman-4.3/push', ['push'], 14, true, true],
    ['podman-4.3/pull', ['pull'], 11, true, true],
    ['podman-4.3/build', ['build'], 89, true, false],
    ['buildx/build', ['build'], 35, true, true],
  ] as const)('%s', (name, command, count, interspersed, needsArgument) => {
    const syntax = learn(name, ...command);
    expect(syntax.flags.length).toBe(count);
    expect(syntax.interspersed).toBe(interspersed);
    expect(syntax.needsArgument).toBe(needsArgument);
    const names = syntax.flags.flatMap(({ long, short }) => [long, short].filter((each) => each !== undefined));
    expect(new Set(names).size).toBe(names.length);
  });

  test('tells switches from options with a value', () => {
    expect(row('docker-28/run', 'interactive', 'run')).toEqual(['i', false]);
    expect(row('docker-28/run', 'hostname', 'run')).toEqual(['h', true]);
    expect(row('docker-28/run', 'gpus', 'run')).toEqual([undefined, true]);
    expect(row('docker-28/run', 'sig-proxy', 'run')).toEqual([undefined, false]);
    expect(row('docker-28/run', 'disable-content-trust', 'run')).toEqual([undefined, false]);
    expect(row('docker-20.10/docker', 'context')).toEqual(['c', true]);
    expect(row('docker-20.10/docker', 'tlsverify')).toEqual([undefined, false]);
    expect(row('podman-4.3/run', 'detach-keys', 'run')).toEqual([undefined, true]);
    expect(row('podman-4.3/build', 'layers', 'build')).toEqual([undefined, false]);
    expect(row('buildx/build', 'secret', 'build')).toEqual([undefined, true]);
    expect(row('buildx/build', 'load', 'build')).toEqual([undefined, false]);
  });

  test('does not take the text of a description for an option', () => {
    const { flags } = parseHelp(
      'Usage:  docker x [OPTIONS] NAME\n\nOptions:\n      --a string   Like\n                   --b, but more\n  -c, --cc         Yes\n\nExamples:\n  -d, --dd   No\n',
      ['x'],
    );
    expect(flags.map(({ long }) => long)).toEqual(['a', 'cc']);
  });

  test('knows values that may be left out, and options with a short name only', () => {
    const { flags } = parseHelp(
      'Usage:  docker x [OPTIONS] NAME\n\nOptions:\n      --a string[="x y"]   One\n      --b[=none]           Two\n  -c string                Three\n  -d                       Four\n',
      ['x'],
    );
    expect(flags).toEqual([
      { long: 'a', short: undefined, takesValue: false },
      { long: 'b', short: undefined, takesValue: false },
      { long: undefined, short: 'c', takesValue: true },
      { long: undefined, short: 'd', takesValue: false },
    ]);
  });

  test('refuses the help of another command, and what is no help', () => {
    const unreadable = expect.objectContaining({ code: 'docker-help-unreadable' });
    expect(() => learn('docker-28/docker', 'buildx', 'build')).toThrow(unreadable);
    expect(() => learn('docker-28/run', 'create')).toThrow(unreadable);
    expect(() => learn('docker-28/run')).toThrow(unreadable);
    expect(() => parseHelp('Usage:  docker buildx [OPTIONS] COMMAND\n', [])).toThrow(unreadable);
    expect(() => parseHelp('', ['run'])).toThrow(unreadable);
    expect(() => parseHelp('', [])).toThrow(unreadable);
    expect(() => parseHelp('Usage:  docker x [OPTIONS]\n\nOptions:\n  -ab, --long   What\n', ['x'])).toThrow(
      unreadable,
    );
  });

  test('knows a command by its aliases, in both forms that docker lists them in', () => {
    const usage = 'Usage:  docker image rm [OPTIONS] IMAGE [IMAGE...]\n\nAliases:\n';
    const long = `${usage}  docker image rm, docker image remove, docker rmi\n`;
    for (const command of [['image', 'rm'], ['image', 'remove'], ['rmi']]) {
      expect(parseHelp(long, command).needsArgument).toBe(true);
    }
    expect(parseHelp(`${usage}  rm, rmi, remove\n`, ['image', 'remove']).needsArgument).toBe(true);
    expect(() => parseHelp(long, ['image', 'prune'])).toThrow(
      expect.objectContaining({ code: 'docker-help-unreadable' }),
    );
  });

  test('the help of buildx is that of docker builder', () => {
    const { flags } = parseHelp(
      'Usage:  docker buildx [OPTIONS] COMMAND\n\nOptions:\n      --builder string   Which\n',
      ['builder'],
    );
    expect(flags).toEqual([{ long: 'builder', short: undefined, takesValue: true }]);
  });

  test('reads the help of buildx under every name of a build', () => {
    expect(learn('buildx/build', 'image', 'build')).toEqual(learn('buildx/build', 'buildx', 'build'));
  });
});
