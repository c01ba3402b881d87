import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';

const TOP = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'];
const DOCUMENTS = [...TOP, ...new Bun.Glob('docs/**/*.md').scanSync(ROOT)].sort();
const DECISIONS = readdirSync(join(ROOT, 'docs/decisions')).filter((name) => name !== 'README.md');
const HEADINGS = ['Context', 'Decision', 'Consequences', 'What would make us change it'];
/** A path that a document names as code: from the root, or from src as documents leave that out. `dist` may not be built. */
const PATHS = /`(?!dist\/)((?:[a-z][\w.-]*\/)+[\w.*-]+)`/g;

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const prose = (path: string) => read(path).replaceAll(/^```.*?^```$/gms, '');

describe('links of the documents', () => {
  const links = DOCUMENTS.flatMap((document) =>
    [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => ({ document, link })),
  );

  test('lead to files that exist', () => {
    const local = links.filter(({ link }) => !/^(?:https:|#)/.test(link));
    expect(local.length).toBeGreaterThan(30);
    const missing = local.filter(
      ({ document, link }) => !existsSync(join(ROOT, dirname(document), link.replace(/#.*/, ''))),
    );
    expect(missing).toEqual([]);
  });

  test('lead to headings that exist', () => {
    const anchored = links.filter(({ link }) => /^[^:]*#/.test(link));
    expect(anchored.length).toBeGreaterThan(5);
    const missing = anchored.filter(({ document, link }) => {
      const [file = '', anchor = ''] = link.split('#');
      return !anchorsOf(file === '' ? document : join(dirname(document), file)).includes(anchor);
    });
    expect(missing).toEqual([]);
  });
});

describe('decisions', () => {
  test('are numbered without gaps, and all of them are in the list', () => {
    expect(DECISIONS.length).toBeGreaterThan(10);
    const numbers = DECISIONS.map((name) => Number(name.slice(0, 4))).sort((one, other) => one - other);
    expect(numbers).toEqual(DECISIONS.map((_, index) => index + 1));
    const list = read('docs/decisions/README.md');
    const listed = DECISIONS.filter((name) =>
      list.includes(`| [${Number(name.slice(0, 4))}](${name}) | ${titleOf(name)} |`),
    );
    expect(listed).toEqual(DECISIONS);
  });

  test('have the same four headings, and their number in the title', () => {
    for (const name of DECISIONS) {
      const headings = [...read(`docs/decisions/${name}`).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      expect([name, headings]).toEqual([name, HEADINGS]);
    }
  });

  test('name files that exist', () => {
    const missing = ['README.md', ...DECISIONS].flatMap((name) =>
      [...prose(`docs/decisions/${name}`).matchAll(PATHS)]
        .map(([, path = '']) => path)
        .filter((path) => !['', 'src'].some((folder) => exists(join(folder, path))))
        .map((path) => `${name}: ${path}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('the workflow of public CI', () => {
  interface Step {
    readonly uses?: string;
    readonly run?: string;
  }
  const { jobs } = Bun.YAML.parse(read('.github/workflows/ci.yml')) as {
    jobs: Record<string, { steps: readonly Step[] }>;
  };
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('calls scripts of package.json alone, the checks and all tests among them', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const own = [...Object.keys(scripts).map((name) => `npm run ${name}`), 'npm test'];
    const commands = steps.flatMap(({ run }) => run ?? []);
    expect(commands.filter((command) => !own.includes(command))).toEqual([]);
    expect(commands).toEqual(expect.arrayContaining(['npm run check', 'npm test']));
  });

  test('uses actions of GitHub alone, by major version', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(1);
    expect(actions.filter((action) => !/^actions\/[a-z-]+@v\d+$/.test(action))).toEqual([]);
  });

  test('issue forms are YAML, and have what GitHub demands', () => {
    const folder = '.github/ISSUE_TEMPLATE';
    const forms = readdirSync(join(ROOT, folder));
    expect(forms.sort()).toEqual(['bug.yml', 'wish.yml']);
    for (const form of forms) {
      const { name, description, body } = Bun.YAML.parse(read(`${folder}/${form}`)) as Record<string, unknown>;
      expect([form, typeof name, typeof description, Array.isArray(body)]).toEqual([form, 'string', 'string', true]);
    }
  });
});

/** The names that headings have as targets of links: lower case, hyphens for blanks, nothing else but letters and digits. */
function anchorsOf(document: string): readonly string[] {
  return [...prose(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function titleOf(name: string): string | undefined {
  return /^# \d+\. (.*)$/m.exec(read(`docs/decisions/${name}`))?.[1];
}

function exists(path: string): boolean {
  return path.includes('*') ? [...new Bun.Glob(path).scanSync(ROOT)].length > 0 : existsSync(join(ROOT, path));
}
