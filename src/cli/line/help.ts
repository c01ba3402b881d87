import { type Command, type Described, type Flag, type Group, usageOf } from './declaration.ts';

/** The longest line of a help text. Docker leaves the last of 80 columns free. */
const COLUMNS = 79;
/** The minimum width of the names in a list of commands. */
const NAMES = 11;
const GAP = 3;
/** The name of a value in the help, if its flag does not give one. */
const WORDS = { switch: '', value: 'string', number: 'int', list: 'list' } as const;

/** A name and its description in a list of commands. */
type Row = readonly [name: string, about: string];

/** The help text of a command, in docker's layout. */
export function helpText(command: Omit<Command, 'run'>): string {
  const { program = 'docker', path, summary, details, notes, layout, flags } = command;
  const shown = flags.filter(({ isHidden }) => isHidden !== true);
  const parts = [
    `Usage:  ${program} ${path} ${usageOf(command)}`,
    summary,
    ...(details === undefined ? [] : [details]),
    ...(shown.length === 0 ? [] : [`Options:\n${optionLines(shown, layout)}`]),
    ...(notes === undefined ? [] : [notes]),
  ];
  return `${layout === 'wide' ? '\n' : ''}${parts.join('\n\n')}\n`;
}

/** The help text of a group: its lists of commands with their summaries. */
export async function groupHelp<Context>(group: Group<Context>): Promise<string> {
  const { program = 'docker', path, summary, layout } = group;
  const lists = await Promise.all(
    group.lists.map(async ([title, entries]) => {
      const rows = await Promise.all(entries.map(async ([name, load]) => [name, await load()] as const));
      return [title, rows.filter(([, { isHidden }]) => isHidden !== true)] as const;
    }),
  );
  const names = lists.flatMap(([, rows]) => rows.map(([name]) => name.length));
  const width = layout === 'wide' ? Math.max(...names) + GAP : Math.max(NAMES, ...names) + 1;
  const shown = lists.map(([title, rows]) =>
    listText(
      title,
      rows.map(([name, told]) => [name, firstLine(told)]),
      width,
    ),
  );
  return [
    `${layout === 'wide' ? '\n' : ''}Usage:  ${program} ${path} COMMAND`,
    summary,
    ...shown,
    `Run '${program} ${path} COMMAND --help' for more information on a command.\n`,
  ].join('\n\n');
}

/** A list of commands under its title, without a final line end. */
export function listText(title: string, rows: readonly Row[], width: number = NAMES + 1): string {
  return [`${title}:`, ...rows.map(([name, about]) => `  ${name.padEnd(width)}${about}`)].join('\n');
}

/** A command's summary in a list. */
export function firstLine({ summary }: Described): string {
  return summary.split('\n', 1)[0] ?? '';
}

/** A flag in a help text, without its description: `-o, --output string`. */
export function flagLabel({ name, short, type, word }: Flag): string {
  const value = word ?? WORDS[type];
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === '' ? '' : ` ${value}`}`;
}

/** A flag's description and its default. */
export function flagAbout({ about, default: value, type, word }: Flag): string {
  if (value === undefined) return about;
  return `${about} (default ${type === 'value' && word === undefined ? JSON.stringify(value) : value})`;
}

function optionLines(flags: readonly Flag[], layout: Described['layout']): string {
  const labels = flags.map((flag) => `  ${flag.short === undefined ? '    ' : ''}${flagLabel(flag)}`);
  const indent = Math.max(...labels.map((label) => label.length)) + GAP;
  return flags
    .map((flag, index) => {
      const lines = layout === 'wide' ? [flagAbout(flag)] : wrapped(flagAbout(flag), COLUMNS - indent);
      return `${(labels[index] ?? '').padEnd(indent)}${lines.join(`\n${' '.repeat(indent)}`)}`;
    })
    .join('\n');
}

/** Parts that are not broken over lines: a word, a command in quotes, and a flag's default. */
const UNBROKEN = /(?:\(default [^)]*\)|"[^"]*"|\S)+/g;

/** Wraps a text at spaces and at its own line breaks. */
function wrapped(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    for (const [word] of line.matchAll(UNBROKEN)) {
      const longer = `${lines.at(-1)} ${word}`;
      if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  });
}
