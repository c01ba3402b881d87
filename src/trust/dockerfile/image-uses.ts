import { isSignetError } from '../../core/errors/index.ts';
import { DEFAULT_TAG, familiarReference, parseReference } from '../../core/names/reference.ts';
import { readDirectives } from './directives.ts';
import { expandWord } from './expand.ts';
import { GlobalArgs } from './global-args.ts';
import { heredocsAfter } from './heredoc.ts';
import { type BuilderFlag, type Instruction, readInstruction, wordsIn } from './instruction.ts';
import { LineReader, type LogicalLine } from './lines.ts';
import { invalid, type Span, shown, uncertain } from './text.ts';

/** What a command line says about a build, as far as it decides which images the Dockerfile means. */
export interface BuildSettings {
  /** The Dockerfile's name in messages. */
  readonly file: string;
  /** `--build-arg`: the values by name. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** `--platform`, where it names exactly one. */
  readonly platform: string | undefined;
  /** `--build-context`: the names that mean something else than an image here, as typed. */
  readonly contexts: ReadonlySet<string>;
  /** Whether the builder knows here-documents, as docker's do or else refuse the file; older buildahs go half the way. */
  readonly heredocs: boolean;
}

/** A place of a Dockerfile that says what to build on or to copy from, or names a stage. */
export interface ImageUse {
  /** `FILE:LINE` of its instruction. */
  readonly place: string;
  /** What asks for it, for messages: `FROM`, `COPY --from`. */
  readonly by: string;
  /** The word in the file, with its quotes and variables. */
  readonly span: Span;
  /** The word as docker reads it; stages in lower case, in which every builder finds them. */
  readonly name: string;
  /** False for what no registry is asked for: an earlier stage, `scratch`, a build context. */
  readonly isImage: boolean;
}

const STAGE_NAME = /^[a-z][a-z0-9._-]*$/;
const GIVE_VALUES = 'Give the variables their values: --build-arg NAME=VALUE, or --platform OS/ARCH for the platform.';

/**
 * Every place of a Dockerfile that may make a builder fetch an image: `# syntax=`, `FROM`, `COPY --from`,
 * `RUN --mount=…,from=` and the same after `ONBUILD`; those of stages that `--target` leaves out as well.
 *
 * Read by the rules that docker's classic builder, BuildKit and buildah have in common. Throws `dockerfile-invalid` for
 * what none of them builds, `dockerfile-uncertain` for what they could read differently or what only the engine knows.
 */
export function findImageUses(source: string, settings: BuildSettings): readonly ImageUse[] {
  const { escapeCharacter, syntax } = readDirectives(settings.file, source);
  const finder = new Finder(settings);
  if (syntax !== undefined) finder.uses.push({ ...syntax, by: '# syntax', isImage: true });
  const lines = new LineReader(settings.file, source, escapeCharacter);
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const instruction = readInstruction(line);
    finder.visit(instruction);
    for (const heredoc of heredocsAfter(instruction)) {
      if (!settings.heredocs) throw uncertain(line.place, 'this builder may not know here-documents');
      lines.skipHeredoc(heredoc);
    }
  }
  finder.end();
  return finder.uses;
}

class Finder {
  readonly uses: ImageUse[] = [];
  private readonly settings: BuildSettings;
  private readonly args: GlobalArgs;
  private readonly stageNames = new Set<string>();
  private stages = 0;

  constructor(settings: BuildSettings) {
    this.settings = settings;
    this.args = new GlobalArgs(settings.buildArgs, settings.platform);
  }

  visit(instruction: Instruction): void {
    const { keyword, line, trigger } = instruction;
    if (keyword === 'from') this.from(instruction);
    else if (this.stages === 0 && keyword === 'arg') this.args.declare(textOf(instruction));
    else if (this.stages === 0) throw invalid(line.place, 'no build stage in current context');
    else this.sources(trigger ?? instruction, trigger === undefined ? '' : 'ONBUILD ');
  }

  end(): void {
    if (this.stages === 0) throw invalid(this.settings.file, 'dockerfile contains no stages to build');
  }

  private from({ line, arguments: rest }: Instruction): void {
    const [base, as, stage, ...more] = wordsIn(line.text, rest);
    const isNamed = as?.text.toLowerCase() === 'as' && stage !== undefined;
    if (base === undefined || more.length > 0 || (as !== undefined && !isNamed)) {
      throw invalid(line.place, 'FROM requires either one or three arguments');
    }
    const name = expandWord(base.text, this.args.variables);
    if (name === undefined) {
      throw uncertain(line.place, `the image of FROM ${shown(base.text)} is not known before the build`, GIVE_VALUES);
    }
    if (name === '') throw invalid(line.place, `base name (${shown(base.text)}) should not be blank`);
    this.add(line, 'FROM', base, name);
    this.stages++;
    if (stage === undefined) return;
    const ownName = stage.text.toLowerCase();
    if (!STAGE_NAME.test(ownName)) throw invalid(line.place, `invalid name for build stage: ${shown(stage.text)}`);
    this.stageNames.add(ownName);
    this.add(line, 'AS', stage, ownName);
  }

  private sources(instruction: Instruction, when: string): void {
    const { keyword, line, flags } = instruction;
    if (keyword === 'copy' || keyword === 'add') refuseLateFlags(instruction);
    for (const flag of flags) {
      if (flag.name === 'from') this.copySource(flag, line, `${when}COPY --from`);
      if (flag.name === 'mount') this.mountSource(flag, line, `${when}RUN --mount`);
    }
  }

  private copySource(flag: BuilderFlag, line: LogicalLine, by: string): void {
    const isIndex = /^[0-9]+$/.test(flag.value);
    if (!isIndex) this.source(flag.value, flag.valueAt, line, by, flag.value === 'scratch');
    else if (!by.startsWith('ONBUILD') && Number(flag.value) >= this.stages - 1) {
      throw invalid(line.place, `invalid stage index ${flag.value}`);
    }
  }

  private mountSource({ value, valueAt, isPlain }: BuilderFlag, line: LogicalLine, by: string): void {
    let at = valueAt.from;
    for (const field of value.split(',')) {
      const [key = ''] = field.split('=', 1);
      const from = at + key.length + 1;
      at += field.length + 1;
      if (!/\bfrom\b/i.test(key)) continue;
      // Quotes may hide a comma, and builders take them away in different orders.
      const isClear = isPlain && key.toLowerCase() === 'from' && !value.includes('"');
      if (!isClear) throw uncertain(line.place, `${by}: from= is not written plainly`, 'Write --mount without quotes.');
      const name = field.slice(key.length + 1);
      this.source(name, { from, to: from + name.length }, line, by, /^[0-9]+$/.test(name));
    }
  }

  private source(name: string, span: Span, line: LogicalLine, by: string, isDisputed: boolean): void {
    if (name === '') return;
    if (isDisputed || /[$'"\\`]/.test(name)) {
      const next = 'Name a stage or an image: builders disagree on anything else there.';
      throw uncertain(line.place, `${by}=${shown(name)} is not read alike by every builder`, next);
    }
    if (this.stageNames.has(name.toLowerCase()) && by.startsWith('ONBUILD')) {
      throw uncertain(line.place, `${by}=${shown(name)} would mean an image where another build has no such stage`);
    }
    this.add(line, by, span, name);
  }

  private add(line: LogicalLine, by: string, within: Span, typed: string): void {
    const span = line.spanOf(within);
    if (span === undefined) {
      throw uncertain(line.place, `the name ${shown(typed)} is broken over several lines`, 'Write it on one line.');
    }
    const isStage = this.stageNames.has(typed.toLowerCase());
    const isImage = !isStage && typed !== 'scratch' && !this.isContext(typed, line);
    this.uses.push({ place: line.place, by, span, name: isStage ? typed.toLowerCase() : typed, isImage });
  }

  /** BuildKit compares names as it completes them, buildah as they are typed. */
  private isContext(name: string, line: LogicalLine): boolean {
    const { contexts } = this.settings;
    if (contexts.has(name)) return true;
    const wanted = completed(name);
    const same = wanted && [...contexts].find((context) => completed(context) === wanted);
    if (same === undefined) return false;
    throw uncertain(
      line.place,
      `${shown(name)} is --build-context ${same} to some builders only`,
      'Type both names alike.',
    );
  }
}

function textOf({ line, arguments: rest }: Instruction): string {
  return line.text.slice(rest.from, rest.to);
}

/** Some versions read an option behind a switch with a value of its own. */
function refuseLateFlags({ line, arguments: rest }: Instruction): void {
  const late = wordsIn(line.text, rest).find(({ text }) => text.startsWith('--'));
  if (late !== undefined) throw uncertain(line.place, `${shown(late.text)} stands behind the options`);
}

/** Undefined for what is no reference. */
function completed(name: string): string | undefined {
  try {
    const reference = parseReference(name);
    return familiarReference({ ...reference, tag: reference.tag ?? DEFAULT_TAG });
  } catch (error) {
    if (isSignetError(error, 'reference-invalid')) return undefined;
    throw error;
  }
}
