import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Argument, type Flag, type Group, isGroup, type Takes, usageOf } from '../src/cli/line/declaration.ts';
import { flagAbout, flagLabel } from '../src/cli/line/help.ts';
import { VERSION } from '../src/version.ts';
import { type AnyCommand, declarations } from './declarations.ts';
import { ROOT } from './paths.ts';

/** Where the reference pages are, below the root of the project. */
const REFERENCE = 'docs/reference';

type Declared = AnyCommand | Group<never>;

function paragraphsOf(text: string): readonly string[] {
  return text.split('\n\n').map((paragraph) => paragraph.replaceAll('\n', ' '));
}

/** What a page says of a command or a group, before it becomes roff or Markdown. */
interface Page {
  /** Without the program: `trust sign`. */
  readonly path: string;
  readonly summary: string;
  readonly synopsis: string;
  readonly sections: readonly Section[];
}

interface Section {
  readonly title: string;
  readonly paragraphs?: readonly string[];
  /** What is named, and what there is to say of it. */
  readonly rows?: readonly (readonly [name: string, about: string])[];
}

const MEANINGS: Readonly<Record<Exclude<Takes, readonly string[]>, string>> = {
  image: 'An image, with its tag or digest.',
  repository: 'A repository, as docker names it.',
  target: 'The name of a target: for an image, its tag.',
  role: 'A role: root, targets, snapshot, timestamp or a delegation such as targets/releases.',
  key: 'The ID or the name of a key.',
  signer: 'The name of a signer.',
  registry: 'The host of a registry.',
  file: 'A file.',
  folder: 'A folder.',
  text: '',
};
/** The exit codes that all commands share. */
const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'It was done.'],
  [1, 'It failed, or the number of arguments is wrong; standard error says why.'],
  [125, 'An option is wrong.'],
];

/** The manual page of each command and group, by its file name: `signet-trust-sign.1`. */
export async function manualPages(): Promise<ReadonlyMap<string, string>> {
  const pages = await Promise.all((await shownDeclarations()).map(pageOf));
  return new Map(pages.map((page) => [`signet-${page.path.replaceAll(' ', '-')}.1`, roff(page)]));
}

/** The reference page of each command and group, and their index, by its path below the root: `docs/reference/trust-sign.md`. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const pages = await Promise.all((await shownDeclarations()).map(pageOf));
  const index = `# Commands of Signet

Generated from the declarations of the commands by \`bun scripts/manual.ts\`. The same is in the manual pages of a build,
\`dist/man\`, and, without examples and exit codes, in each command's \`--help\`.

| command | what it does |
|---|---|
${pages.map(({ path, summary }) => `| [signet ${path}](${fileOf(path)}) | ${cell(summary)} |`).join('\n')}
`;
  return new Map([
    [`${REFERENCE}/README.md`, index],
    ...pages.map((page) => [`${REFERENCE}/${fileOf(page.path)}`, markdown(page)] as const),
  ]);
}

/** The reference pages below `root` that are not what they would be if they were generated now, one line each. */
export async function findStalePages(root: string): Promise<string[]> {
  const wanted = await referencePages();
  const folder = join(root, REFERENCE);
  const there = existsSync(folder) ? readdirSync(folder).map((name) => `${REFERENCE}/${name}`) : [];
  const stale = [...wanted].filter(
    ([path, text]) => !there.includes(path) || readFileSync(join(root, path), 'utf8') !== text,
  );
  const superfluous = there.filter((path) => !wanted.has(path));
  const cure = 'run: bun scripts/manual.ts';
  return [
    ...stale.map(([path]) => `${path} is not what the commands declare; ${cure}`),
    ...superfluous.map((path) => `${path} is of no command; ${cure}`),
  ];
}

/** Writes the manual pages into a folder, which it makes. */
export async function writeManual(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of await manualPages()) writeFileSync(join(folder, name), text);
}

async function shownDeclarations(): Promise<readonly Declared[]> {
  return (await declarations()).map(({ told }) => told).filter(({ isHidden }) => isHidden !== true);
}

async function pageOf(told: Declared): Promise<Page> {
  return isGroup(told) ? groupPage(told) : commandPage(told);
}

async function groupPage(group: Group<never>): Promise<Page> {
  const { path, lists } = group;
  const sections = lists.map(async ([title, entries]) => {
    const rows = entries.map(async ([name, load]) => [`signet ${path} ${name}`, sentence(await load())] as const);
    return { title, rows: await Promise.all(rows) };
  });
  return { path, summary: summaryOf(group), synopsis: `signet ${path} COMMAND`, sections: await Promise.all(sections) };
}

/** The summary without the full stops that some of docker's have. */
function summaryOf({ summary }: Declared): string {
  return summary.replaceAll('\n', ' ').replace(/\.$/, '');
}

function sentence(told: Declared): string {
  return `${summaryOf(told)}.`;
}

function commandPage(command: AnyCommand): Page {
  const { path, details, notes, args, examples = [], exitCodes = [], json = [] } = command;
  const flags = command.flags.filter(({ isHidden }) => isHidden !== true);
  const described = args
    .map((argument) => [argument.name, aboutArgument(argument)] as const)
    .filter(([, about]) => about !== '');
  const codes = new Map([...EXIT_CODES, ...exitCodes]);
  const sections: readonly (Section | false)[] = [
    details !== undefined && { title: 'Description', paragraphs: paragraphsOf(details) },
    described.length > 0 && { title: 'Arguments', rows: described },
    flags.length > 0 && { title: 'Options', rows: flags.map((flag) => [flagLabel(flag), aboutFlag(flag)]) },
    notes !== undefined && { title: 'Notes', paragraphs: paragraphsOf(notes) },
    json.length > 0 && { title: 'JSON fields', rows: json },
    examples.length > 0 && { title: 'Examples', rows: examples.map(({ about, line }) => [`signet ${line}`, about]) },
    { title: 'Exit codes', rows: [...codes].sort(([a], [b]) => a - b).map(([code, meaning]) => [`${code}`, meaning]) },
  ];
  const synopsis = `signet ${path} ${usageOf(command)}`.trim();
  return { path, summary: summaryOf(command), synopsis, sections: sections.filter((section) => section !== false) };
}

function aboutArgument({ takes, isOptional, isRepeated }: Argument): string {
  const about = typeof takes === 'string' ? MEANINGS[takes] : `One of ${takes.join(', ')}.`;
  const optional = isOptional === true ? ' May be left out.' : '';
  return `${about}${optional}${isRepeated === true ? ' May be repeated.' : ''}`.trim();
}

function aboutFlag(flag: Flag): string {
  return `${flagAbout(flag).replaceAll('\n', ' ')}${flag.type === 'list' && !/may be repeated/.test(flag.about) ? ', may be repeated' : ''}.`;
}

function roff({ path, summary, synopsis, sections }: Page): string {
  const name = `signet-${path.replaceAll(' ', '-')}`;
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "Signet ${VERSION}" "Signet"`,
    '.SH NAME',
    `${roffText(name)} \\- ${roffText(summary)}`,
    '.SH SYNOPSIS',
    `.B ${roffText(synopsis)}`,
    ...sections.flatMap(({ title, paragraphs = [], rows = [] }) => [
      `.SH ${title.toUpperCase()}`,
      ...paragraphs.flatMap((paragraph, index) => [...(index === 0 ? [] : ['.PP']), roffText(paragraph)]),
      ...rows.flatMap(([label, about]) => ['.TP', `.B ${roffText(label)}`, roffText(about)]),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Text that roff prints as it stands: no requests, escapes or typographic hyphens. */
function roffText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\(rs')
    .replaceAll('-', '\\-')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function markdown({ path, summary, synopsis, sections }: Page): string {
  const parts = [
    `# signet ${path}`,
    `${summary}.`,
    `\`\`\`text\n${synopsis}\n\`\`\``,
    ...sections.flatMap(({ title, paragraphs = [], rows = [] }) => [
      `## ${title}`,
      ...paragraphs,
      ...(rows.length === 0
        ? []
        : [
            ['| | |', '|---|---|', ...rows.map(([label, about]) => `| \`${cell(label)}\` | ${cell(about)} |`)].join(
              '\n',
            ),
          ]),
    ]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** A cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function fileOf(path: string): string {
  return `${path.replaceAll(' ', '-')}.md`;
}

async function writeReference(): Promise<void> {
  const pages = await referencePages();
  rmSync(join(ROOT, REFERENCE), { recursive: true, force: true });
  mkdirSync(join(ROOT, REFERENCE), { recursive: true });
  for (const [path, text] of pages) writeFileSync(join(ROOT, path), text);
  console.log(`wrote ${pages.size} pages into ${REFERENCE}`);
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  await (folder === undefined ? writeReference() : writeManual(folder));
}
