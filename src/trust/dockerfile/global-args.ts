import { expandWord, type Variables } from './expand.ts';
import { isSpace } from './text.ts';

/** Set by BuildKit from the platforms of the engine and of the build. */
const PLATFORM_VARIABLES: readonly string[] = ['BUILD', 'TARGET'].flatMap((side) =>
  ['PLATFORM', 'OS', 'OSVERSION', 'ARCH', 'VARIANT'].map((part) => side + part),
);
/** Spellings of a platform that every builder passes on unchanged. */
const PLAIN_PLATFORM = /^(linux)\/(?:(amd64|arm64|386|ppc64le|s390x|riscv64)|(arm)\/(v[5-7]))$/;
const DECLARATION = /^([A-Za-z0-9_.-]+)(?:=(.*))?$/s;

/** The variables that `ARG` gives to the `FROM` lines: those before the first of them, with what the command line sets. */
export class GlobalArgs {
  private readonly buildArgs: ReadonlyMap<string, string>;
  private readonly known = new Map<string, string | undefined>();

  /** `platform` is that of the whole build, where the command line names exactly one. */
  constructor(buildArgs: ReadonlyMap<string, string>, platform: string | undefined) {
    this.buildArgs = buildArgs;
    for (const name of [...PLATFORM_VARIABLES, 'TARGETSTAGE']) this.known.set(name, undefined);
    for (const [name, value] of targetVariables(platform)) this.known.set(name, value);
    for (const name of this.known.keys()) if (buildArgs.has(name)) this.known.set(name, buildArgs.get(name));
  }

  get variables(): Variables {
    return this.known;
  }

  /** Takes the arguments of an `ARG` before the first `FROM`. */
  declare(text: string): void {
    for (const word of quotedWords(text)) {
      const [, name, value] = DECLARATION.exec(word) ?? [];
      if (name === undefined) this.forget();
      else if (this.buildArgs.has(name)) this.known.set(name, this.buildArgs.get(name));
      else if (value !== undefined) this.known.set(name, expandWord(value, this.known));
    }
    // An escape character may join or part words in ways that differ between builders.
    if (/[\\`]/.test(text)) this.forget();
  }

  /** After a declaration that cannot be read, no name's value is certain. */
  private forget(): void {
    const { known } = this;
    const isName = known.has.bind(known);
    known.has = (name) => isName(name) || true;
    known.get = () => undefined;
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
