import { expandWord, UNKNOWN, type Variables } from './expand.ts';
import { PLATFORM_VARIABLES, platformVariables } from './platforms.ts';
import { isSpace } from './text.ts';

/** What determines the values of the variables in `FROM`. */
interface GlobalValues {
  /** `--build-arg`: values by name. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** The platforms that the build may be for; undefined if only the builder knows. */
  readonly platforms: readonly string[] | undefined;
  /** The platforms that the builder may run on; undefined if only the builder knows. */
  readonly buildPlatforms: readonly string[] | undefined;
  /** Whether the builder sets the platform variables; undefined if unknown. */
  readonly setsPlatforms: boolean | undefined;
}

type Values = Map<string, string | typeof UNKNOWN>;

const DECLARATION = /^([A-Za-z0-9_.-]+)(?:=(.*))?$/s;

/**
 * The variables that `ARG` provides to `FROM` lines: those before the first `FROM`, with the values from the command
 * line. They have several possible values if the build may be for several platforms, or if the builder is unknown.
 */
export class GlobalArgs {
  private readonly buildArgs: ReadonlyMap<string, string>;
  private readonly cases: readonly Values[];
  /** The same in versions up to 2024, in which `ARG NAME` without a value empties a platform variable. */
  private readonly olderCases: readonly Values[];
  private isReadable = true;

  constructor(given: GlobalValues) {
    this.buildArgs = given.buildArgs;
    this.cases = [
      ...(given.setsPlatforms === true ? [] : [new Map()]),
      ...(given.setsPlatforms === false ? [] : platformCases(given)),
    ];
    this.olderCases = this.cases.map((values) => new Map(values));
  }

  /** Every possible expansion of a word, without duplicates; undefined if one of them cannot be predicted. */
  expand(word: string): readonly string[] | undefined {
    return this.readingsIn(this.cases, word);
  }

  /** The same for older versions of the builder, which matter only to words that contain variables. */
  expandAsOlder(word: string): readonly string[] | undefined {
    return this.readingsIn(this.olderCases, word);
  }

  /** Processes the arguments of an `ARG` before the first `FROM`. */
  declare(text: string): void {
    // An escape character may join or split words in ways that differ between builders.
    if (/[\\`]/.test(text)) this.isReadable = false;
    for (const word of quotedWords(text)) {
      const [, name, value] = DECLARATION.exec(word) ?? [];
      if (name === undefined) this.isReadable = false;
      else this.declareOne(name, value);
    }
  }

  private readingsIn(cases: readonly Values[], word: string): readonly string[] | undefined {
    const readings = new Set<string>();
    for (const values of cases) {
      const reading = expandWord(word, this.variablesOf(values));
      if (reading === undefined) return undefined;
      readings.add(reading);
    }
    return [...readings];
  }

  private declareOne(name: string, written: string | undefined): void {
    for (const values of this.cases) this.set(values, name, written);
    for (const values of this.olderCases) this.set(values, name, written ?? '');
  }

  private set(values: Values, name: string, written: string | undefined): void {
    const given = this.buildArgs.get(name);
    if (given !== undefined) values.set(name, given);
    else if (written !== undefined) values.set(name, expandWord(written, this.variablesOf(values)) ?? UNKNOWN);
  }

  private variablesOf(values: Values): Variables {
    return (name) => (this.isReadable ? values.get(name) : UNKNOWN);
  }
}

/** BuildKit's own variables, which `--build-arg` may override, for every platform that the build may be for. */
function platformCases({ buildArgs, platforms, buildPlatforms }: GlobalValues): readonly Values[] {
  const unknown = PLATFORM_VARIABLES.map((name) => [name, UNKNOWN] as const);
  const given = PLATFORM_VARIABLES.flatMap((name) => {
    const value = buildArgs.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const targets = (platforms ?? ['']).map((platform) => platformVariables('TARGET', platform) ?? []);
  const builds = (buildPlatforms ?? ['']).map((platform) => platformVariables('BUILD', platform) ?? []);
  return builds.flatMap((build) =>
    targets.map((target) => new Map<string, string | typeof UNKNOWN>([...unknown, ...build, ...target, ...given])),
  );
}

/** Splits at spaces outside quotes and keeps the quotes. */
function quotedWords(text: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (const char of text) {
    if (quote === '' && isSpace(char)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    word += char;
  }
  return word === '' ? words : [...words, word];
}
