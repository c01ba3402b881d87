import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AnyCommand, declarations, declaredCommands } from '../../../scripts/declarations.ts';
import { ROOT } from '../../../scripts/paths.ts';
import { parseCommand } from '../../../src/cli/line/command.ts';
import { argumentCounts, isGroup } from '../../../src/cli/line/declaration.ts';
import { groupHelp, helpText } from '../../../src/cli/line/help.ts';
import { flagOf, SETTING_NAMES } from '../../../src/serve/settings/settings.ts';

const ROOM = join(ROOT, 'src/cli/commands');

const all = await declarations();
const commands = await declaredCommands();
const sources = new Map(
  readdirSync(ROOM, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [join(ROOM, path), readFileSync(join(ROOM, path), 'utf8')]),
);

/** The source of a command, and of what it imports for it within the room of commands. */
function sourceOf({ path }: AnyCommand): string {
  const declares = (text: string) =>
    text.includes(`path: '${path}',`) || (path.startsWith('user ') && text.includes(`described('${path.slice(5)}',`));
  const found = [...sources].filter(([, text]) => declares(text)).map(([file]) => file);
  for (const file of found) {
    const imported = [...(sources.get(file) ?? '').matchAll(/from '([^']+)';/g)].map(([, to = '']) =>
      join(dirname(file), to),
    );
    found.push(...imported.filter((each) => sources.has(each) && !found.includes(each)));
  }
  return found.map((file) => sources.get(file)).join('');
}

test('every declaration is called by the words of its path', () => {
  expect(all.map(({ told }) => told.path)).toEqual(all.map(({ words }) => words));
});

describe('each group', () => {
  const groups = all.flatMap(({ told }) => (isGroup(told) ? [[told.path, told] as const] : []));

  test.each(groups)('%s lists its commands in order, with what they say of themselves', async (_, group) => {
    const help = await groupHelp(group);
    for (const [title, entries] of group.lists) {
      const names = entries.map(([name]) => name);
      expect([title, names]).toEqual([title, names.toSorted()]);
      for (const [name, load] of entries) {
        const { summary } = await load();
        expect(help).toMatch(new RegExp(`^  ${name} +${RegExp.escape(summary)}$`, 'm'));
      }
    }
  });
});

describe('each command', () => {
  const table = commands.map((command) => [command.path, command] as const);

  test.each(table)('%s tells of all its flags, in lines of 80 unless they are too long for that', (_, command) => {
    const help = helpText(command);
    const told = [...help.matchAll(/^ {2}(?:-(.), | {4})--([a-z0-9-]+) /gm)].map(([, short, name]) => [name, short]);
    expect(told).toEqual(command.flags.map(({ name, short }) => [name, short]));
    if (command.layout === 'wide') return;
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test.each(table)('%s takes each of its flags once, and no two of one letter', (_, command) => {
    const names = command.flags.flatMap(({ name, short }) => [
      `--${name}`,
      ...(short === undefined ? [] : [`-${short}`]),
    ]);
    expect(names).toEqual([...new Set(names)]);
    const args = Array.from({ length: argumentCounts(command.args).min }, () => 'x');
    for (const { name, type } of command.flags) {
      const parsed = parseCommand(command, [type === 'switch' ? `--${name}` : `--${name}=1`, ...args]);
      expect([name, parsed.values(name)]).toEqual([name, [type === 'switch' ? 'true' : '1']]);
    }
  });

  test.each(table)('%s reads each of its flags', (_, command) => {
    // A flag that the command does not ask for by its name would be taken, and have no effect.
    const settings = command.path === 'serve' ? SETTING_NAMES.map(flagOf) : [];
    const source = sourceOf(command);
    const isRead = (name: string) =>
      new RegExp(`\\w\\((?:parsed, )?'${name}'[,)]|\\['${name}', /|[\\[,] ?'${name}'[\\],].*\\.map\\(`).test(source);
    expect(command.flags.map(({ name }) => name).filter((name) => !settings.includes(name) && !isRead(name))).toEqual(
      [],
    );
  });

  test.each(table)(
    '%s names an argument as repeated only at its end, and as optional only behind those that are not',
    (_, command) => {
      const { args } = command;
      expect(args.slice(0, -1).filter(({ isRepeated }) => isRepeated)).toEqual([]);
      const optional = args.map(({ isOptional = false }) => isOptional);
      expect(optional).toEqual(optional.toSorted((a, b) => Number(a) - Number(b)));
    },
  );
});
