import { type Builder, type BuildSettings, findImageUses } from '../../src/dockerfile/index.ts';

export const BUILDKIT: Builder = { name: 'BuildKit', obeysSyntax: true, knowsHeredocs: true, setsPlatforms: true };
export const CLASSIC: Builder = {
  name: 'the classic builder',
  obeysSyntax: false,
  knowsHeredocs: false,
  setsPlatforms: false,
};

/** Settings of a plain `docker build .`, with exceptions. */
export function settings(
  changes: Partial<Omit<BuildSettings, 'buildArgs' | 'contexts'>> & {
    readonly buildArgs?: Readonly<Record<string, string>>;
    readonly contexts?: readonly string[];
  } = {},
): BuildSettings {
  return {
    file: 'Dockerfile',
    platforms: undefined,
    buildPlatforms: undefined,
    builder: BUILDKIT,
    ...changes,
    buildArgs: new Map(Object.entries(changes.buildArgs ?? {})),
    contexts: new Set(changes.contexts),
  };
}

/** The images that the Dockerfile needs. */
export function images(source: string, changes: Parameters<typeof settings>[0] = {}): string[] {
  return findImageUses(source, settings(changes))
    .filter(({ isImage }) => isImage)
    .map(({ name }) => name);
}
