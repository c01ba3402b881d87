import { parseArgs } from 'node:util';
import { SignetError } from '../../../core/errors/index.ts';
import { printable } from '../../../core/printable.ts';

/** An option of a command: a switch, or one with a value where `argument` names it. */
export interface Option {
  readonly name: string;
  readonly argument?: string;
  readonly about: string;
}

/** What a command takes, and what its help says. */
export interface Usage {
  readonly name: string;
  /** The names of its arguments, all required. */
  readonly args: readonly string[];
  /** One line. */
  readonly about: string;
  readonly details?: string;
  readonly options: readonly Option[];
}

/** Parsed arguments: what is not there is undefined. */
export interface Given {
  readonly args: readonly string[];
  switch(option: string): boolean;
  value(option: string): string | undefined;
}

const PROGRAM = 'signet user';

type Row = readonly [left: string, right: string];

/** Exit code for what is wrong with a flag, as in docker; a wrong number of arguments is 1 there. */
export const WRONG_FLAG = 125;

/** Parses the arguments of a command. Throws `usage` in docker's words, with docker's exit codes. */
export function parseUsage(usage: Usage, args: readonly string[]): Given {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(usage.options.map(({ name, argument }) => [name, { type: typeOf(argument) }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const positionals: string[] = [];
  const options = new Map<string, string | undefined>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind === 'option') options.set(token.name, checkOption(usage, token.name, token.rawName, token.value));
  }
  if (positionals.length !== usage.args.length) fail(usage, requirement(usage));
  return {
    args: positionals,
    switch: (option) => options.has(option),
    value: (option) => options.get(option),
  };
}

/** The help of one command, laid out as docker's. */
export function helpOf(usage: Usage): string {
  const rows = [...usage.options]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, argument, about }): Row => [
        argument === undefined ? `      --${name}` : `      --${name} ${argument}`,
        about,
      ],
    );
  const line = [`Usage:  ${PROGRAM}`, usage.name, '[OPTIONS]', ...usage.args].join(' ');
  const details = usage.details === undefined ? '' : `\n${usage.details}\n`;
  return `\n${line}\n\n${usage.about}\n${details}\nOptions:\n${columns(rows)}`;
}

/** The help of the whole group. */
export function groupHelp(usages: readonly Usage[]): string {
  const rows = usages.map(({ name, about }): Row => [`  ${name}`, about]);
  return `
Usage:  ${PROGRAM} COMMAND

Manage users and what they may do

Commands:
${columns(rows)}
Run '${PROGRAM} COMMAND --help' for more information on a command.
`;
}

function columns(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 3;
  return rows.map(([left, right]) => `${left.padEnd(width)}${right}\n`).join('');
}

function checkOption(usage: Usage, name: string, rawName: string, value: string | undefined): string | undefined {
  const option = usage.options.find((known) => known.name === name && rawName === `--${name}`);
  if (option === undefined) return fail(usage, `unknown flag: ${printable(rawName, 100)}`, WRONG_FLAG);
  if (option.argument !== undefined && value === undefined)
    return fail(usage, `flag needs an argument: ${rawName}`, WRONG_FLAG);
  if (option.argument === undefined && value !== undefined)
    return fail(usage, `flag takes no value: ${rawName}`, WRONG_FLAG);
  return value;
}

function requirement({ name, args }: Usage): string {
  const { length } = args;
  if (length === 0) return `"${PROGRAM} ${name}" accepts no arguments.`;
  return `"${PROGRAM} ${name}" requires exactly ${length} argument${length === 1 ? '' : 's'}.`;
}

function typeOf(argument: string | undefined): 'string' | 'boolean' {
  return argument === undefined ? 'boolean' : 'string';
}

function fail(usage: Usage, message: string, exitCode = 1): never {
  throw new SignetError('usage', message, { exitCode, next: `See '${PROGRAM} ${usage.name} --help'.` });
}
