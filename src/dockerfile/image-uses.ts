import { type NamedField, readNamedFields } from '../core/csv.ts';
import { isSignetError } from '../core/errors/index.ts';
import { DEFAULT_TAG, familiarReference, parseReference } from '../core/names/reference.ts';
import { type Builder, readsHeredocs } from './builder.ts';
import { readDirectives } from './directives.ts';
import { GlobalArgs } from './global-args.ts';
import { heredocsAfter } from './heredoc.ts';
import { type BuilderFlag, type Instruction, readInstruction, type Word, wordsIn } from './instruction.ts';
import { LineReader, type LogicalLine } from './lines.ts';
import { invalid, quotedForMessage, type Span, uncertain } from './text.ts';

/** The parts of a build's command line that determine which images the Dockerfile refers to. */
export interface BuildSettings {
  /** The Dockerfile's name in messages. */
  readonly file: string;
  /** `--build-arg`: values by name. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** The platforms that the build may be for; undefined if only the builder knows. */
  readonly platforms: readonly string[] | undefined;
  /** The platforms that the builder may run on; undefined if only the builder knows. */
  readonly buildPlatforms: readonly string[] | undefined;
  /** `--build-context`: names that refer to something other than an image here, as typed. */
  readonly contexts: ReadonlySet<string>;
  readonly builder: Builder;
}

/** A place in a Dockerfile that names an image to build on or copy from, or a stage. */
export interface ImageUse {
  /** `FILE:LINE` of its instruction. */
  readonly place: string;
  /** The instruction, for messages: `FROM`, `COPY --from`. */
  readonly by: string;
  /** The word in the file, with its quotes and variables. */
  readonly span: Span;
  /**
   * The expanded word, in lower case for stages, which every builder then finds. Unexpanded if there are several
   * values.
   */
  readonly name: string;
  /** False for an earlier stage, `scratch` or a build context, which are not fetched from a registry. */
  readonly isImage: boolean;
}

/** `by` of the image that parses the Dockerfile. */
export const SYNTAX = '# syntax';

const STAGE_NAME = /^[a-z][a-z0-9._-]*$/;
const GIVE_VALUES = 'Give the variables their values: --build-arg NAME=VALUE, or --platform OS/ARCH for the platform.';
const ONE_STAGE_EACH = 'Make each of these names a stage (FROM IMAGE AS NAME), or build for one platform at a time.';
const USE_BUILDKIT = 'Build with BuildKit of Docker Engine 23 or later, or write RUN sh -c and COPY of a file instead.';

/**
 * Lists every place in a Dockerfile that may make a builder fetch an image: `# syntax=`, `FROM`, `COPY --from`,
 * `RUN --mount=…,from=` and the same after `ONBUILD`, including stages that `--target` leaves out.
 *
 * Follows the rules that docker's classic builder, BuildKit and buildah have in common. Throws `dockerfile-invalid` for
 * what none of them builds, `dockerfile-uncertain` for what they could read differently or what only the engine knows.
 */
export function findImageUses(source: string, settings: BuildSettings): readonly ImageUse[] {
  refuseNul(settings.file, source);
  const { escapeCharacter, syntax } = readDirectives(settings.file, source);
  const finder = new Finder(settings);
  const knowsHeredocs = readsHeredocs(settings.builder, syntax?.name);
  if (syntax !== undefined && settings.builder.obeysSyntax) finder.uses.push({ ...syntax, by: SYNTAX, isImage: true });
  const lines = new LineReader(settings.file, source, escapeCharacter);
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const instruction = readInstruction(line);
    finder.visit(instruction);
    for (const heredoc of heredocsAfter(instruction)) {
      if (!knowsHeredocs) {
        throw uncertain(line.place, `${settings.builder.name} knows no here-documents`, USE_BUILDKIT);
      }
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
    this.args = new GlobalArgs({ ...settings, setsPlatforms: settings.builder.setsPlatforms });
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
    this.base(line, base);
    this.stages++;
    if (stage === undefined) return;
    const ownName = stage.text.toLowerCase();
    if (!STAGE_NAME.test(ownName))
      throw invalid(line.place, `invalid name for build stage: ${quotedForMessage(stage.text)}`);
    this.stageNames.add(ownName);
    this.add(line, 'AS', stage, ownName);
  }

  private base(line: LogicalLine, word: Word): void {
    const [name, ...others] = this.args.expand(word.text) ?? [];
    if (name === undefined) throw unknownBase(line, word);
    if (others.length > 0) this.perPlatform(line, word, [name, ...others]);
    else if (name === '') throw invalid(line.place, `base name (${quotedForMessage(word.text)}) should not be blank`);
    else this.add(line, 'FROM', word, name);
  }

  /** A word with a different value for each platform stays as it is if every value is a stage to every builder. */
  private perPlatform(line: LogicalLine, word: Word, names: readonly string[]): void {
    const isStage = (name: string) => name === 'scratch' || this.stageNames.has(name.toLowerCase());
    const older = this.args.expandAsOlder(word.text);
    if (older === undefined) throw unknownBase(line, word);
    const image =
      names.find((name) => !isStage(name)) ?? older.find((name) => !isStage(name) && completed(name) !== undefined);
    if (image !== undefined) {
      const message = `FROM ${quotedForMessage(word.text)} is another name for each platform, and ${quotedForMessage(image)} is no stage`;
      throw uncertain(line.place, message, ONE_STAGE_EACH);
    }
    this.uses.push({
      place: line.place,
      by: 'FROM',
      span: spanOf(line, word, word.text),
      name: word.text,
      isImage: false,
    });
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
    const field = mountFields(value, line.place, by).find(({ name }) => name === 'from');
    // Quotes may hide a comma, and builders remove them at different points.
    const isHidden = value.includes('"') && /from/i.test(value);
    if (isHidden || (field !== undefined && !isPlain)) {
      throw uncertain(line.place, `${by}: from= is not written plainly`, 'Write --mount without quotes.');
    }
    if (field?.value === undefined) return;
    const before = value.split(',').slice(0, value.split(',').indexOf(`${field.key}=${field.value}`));
    const at = before.reduce((length, each) => length + each.length + 1, valueAt.from);
    const from = at + field.key.length + 1;
    this.source(field.value, { from, to: from + field.value.length }, line, by, /^[0-9]+$/.test(field.value));
  }

  private source(name: string, span: Span, line: LogicalLine, by: string, isDisputed: boolean): void {
    if (name === '') return;
    if (isDisputed || /[$'"\\`]/.test(name)) {
      const next = 'Name a stage or an image: builders disagree on anything else there.';
      throw uncertain(line.place, `${by}=${quotedForMessage(name)} is not read alike by every builder`, next);
    }
    if (this.stageNames.has(name.toLowerCase()) && by.startsWith('ONBUILD')) {
      throw uncertain(
        line.place,
        `${by}=${quotedForMessage(name)} would mean an image where another build has no such stage`,
      );
    }
    this.add(line, by, span, name);
  }

  private add(line: LogicalLine, by: string, within: Span, typed: string): void {
    const span = spanOf(line, within, typed);
    const isStage = this.stageNames.has(typed.toLowerCase());
    const isImage = !isStage && typed !== 'scratch' && !this.isContext(typed, line);
    this.uses.push({ place: line.place, by, span, name: isStage ? typed.toLowerCase() : typed, isImage });
  }

  /** BuildKit compares completed names, buildah compares them as typed. */
  private isContext(name: string, line: LogicalLine): boolean {
    const { contexts } = this.settings;
    if (contexts.has(name)) return true;
    const wanted = completed(name);
    const same = wanted && [...contexts].find((context) => completed(context) === wanted);
    if (same === undefined) return false;
    throw uncertain(
      line.place,
      `${quotedForMessage(name)} is --build-context ${same} to some builders only`,
      'Type both names alike.',
    );
  }
}

function refuseNul(file: string, source: string): void {
  const at = source.indexOf('\0');
  if (at < 0) return;
  const place = `${file}:${source.slice(0, at).split('\n').length}`;
  throw uncertain(place, 'there is a NUL, which no text has', 'Save the Dockerfile as plain text.');
}

/** Throws `dockerfile-uncertain` for what the parsers of docker's versions split differently. */
function mountFields(value: string, place: string, by: string): readonly NamedField[] {
  try {
    return readNamedFields(value);
  } catch (error) {
    if (!isSignetError(error, 'docker-value-unclear')) throw error;
    throw uncertain(place, `${by}=${error.message}`, error.next);
  }
}

function unknownBase({ place }: LogicalLine, { text }: Word): Error {
  return uncertain(place, `the image of FROM ${quotedForMessage(text)} is not known before the build`, GIVE_VALUES);
}

function spanOf(line: LogicalLine, within: Span, typed: string): Span {
  const span = line.spanOf(within);
  if (span !== undefined) return span;
  throw uncertain(
    line.place,
    `the name ${quotedForMessage(typed)} is broken over several lines`,
    'Write it on one line.',
  );
}

function textOf({ line, arguments: rest }: Instruction): string {
  return line.text.slice(rest.from, rest.to);
}

/** Some versions take the next option as the value of a switch. */
function refuseLateFlags({ line, arguments: rest }: Instruction): void {
  const late = wordsIn(line.text, rest).find(({ text }) => text.startsWith('--'));
  if (late !== undefined) throw uncertain(line.place, `${quotedForMessage(late.text)} stands behind the options`);
}

/** Undefined if it is not a reference. */
function completed(name: string): string | undefined {
  try {
    const reference = parseReference(name);
    return familiarReference({ ...reference, tag: reference.tag ?? DEFAULT_TAG });
  } catch (error) {
    if (isSignetError(error, 'reference-invalid')) return undefined;
    throw error;
  }
}
