import { expandWord, UNKNOWN, type Variables } from './expand.ts';
import { isSpace } from './text.ts';

/** Set by BuildKit from the platforms of the engine and of the build. */
const ENGINE_VARIABLES: readonly string[] = [
  ...['BUILDPLATFORM', 'BUILDOS', 'BUILDOSVERSION', 'BUILDARCH', 'BUILDVARIANT'],
  ...['TARGETPLATFORM', 'TARGETOS', 'TARGETOSVERSION', 'TARGETARCH', 'TARGETVARIANT', 'TARGETSTAGE'],
];
/** Spellings of a platform that every builder passes on unchanged. */
const PLAIN_PLATFORM = /^(linux)\/(?:(amd64|arm64|386|ppc64le|s390x|riscv64)|(arm)\/(v[5-7]))$/;
const DECLARATION = /^([A-Za-z0-9_.-]+)(?:=(.*))?$/s;

/** The variables that `ARG` gives to the `FROM` lines: those before the first of them, with what the command line sets. */
export class GlobalArgs {
  private readonly buildArgs: ReadonlyMap<string, string>;
  private readonly values = new Map<string, string | typeof UNKNOWN>();
  private isReadable = true;

  /** `platform` is that of the whole build, where the command line names exactly one. */
  constructor(buildArgs: ReadonlyMap<string, string>, platform: string | undefined) {
    this.buildArgs = buildArgs;
    for (const name of ENGINE_VARIABLES) this.values.set(name, UNKNOWN);
    for (const [name, value] of targetVariables(platform)) this.values.set(name, value);
    for (const name of ENGINE_VARIABLES) this.set(name, buildArgs.get(name));
  }

  readonly variables: Variables = (name) => (this.isReadable ? this.values.get(name) : UNKNOWN);

  /** Takes the arguments of an `ARG` before the first `FROM`. */
  declare(text: string): void {
    // An escape character may join or part words in ways that differ between builders.
    if (/[\\`]/.test(text)) this.isReadable = false;
    for (const word of quotedWords(text)) {
      const [, name, value] = DECLARATION.exec(word) ?? [];
      if (name === undefined) this.isReadable = false;
      else if (this.buildArgs.has(name)) this.set(name, this.buildArgs.get(name));
      else if (value !== undefined) this.set(name, expandWord(value, this.variables) ?? UNKNOWN);
    }
  }

  private set(name: string, value: string | typeof UNKNOWN | undefined): void {
    if (value !== undefined) this.values.set(name, value);
  }
}

function targetVariables(platform: string | undefined): readonly (readonly [string, string])[] {
  const [, os, plainArch, arm, variant] = PLAIN_PLATFORM.exec(platform ?? '') ?? [];
  const arch = plainArch ?? arm;
  if (platform === undefined || os === undefined || arch === undefined) return [];
  return [
    ['TARGETPLATFORM', platform],
    ['TARGETOS', os],
    ['TARGETOSVERSION', ''],
    ['TARGETARCH', arch],
    ['TARGETVARIANT', variant ?? ''],
  ];
}

/** Cuts at spaces outside quotes; the quotes stay. */
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
