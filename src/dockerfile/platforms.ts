/** BuildKit's names for the parts of the platform it builds on, and of the one it builds for. */
const PARTS: readonly string[] = ['PLATFORM', 'OS', 'ARCH', 'VARIANT'];
/** Not set by older versions, and empty for Linux in newer ones. */
const NEWER_PART = 'OSVERSION';
const SIDES = ['BUILD', 'TARGET'] as const;
/** Spellings that mean the same to every builder; the variant of arm64 is left out of the name. */
const PLAIN =
  /^(linux)\/(?:(amd64|386|arm64|ppc64le|s390x|riscv64|loong64|mips64le|mips64)|(amd64)\/(v[234])|(arm)\/(v[5-8])|(arm64)\/v8)$/;

/** The variables that BuildKit sets for `FROM` by itself. */
export const PLATFORM_VARIABLES: readonly string[] = [
  ...SIDES.flatMap((side) => [...PARTS, NEWER_PART].map((part) => `${side}${part}`)),
  'TARGETSTAGE',
];

/** Every platform that an engine may mean by `linux/arm`. */
const ARM_VARIANTS: readonly string[] = ['v5', 'v6', 'v7', 'v8'];

/** The platforms that an engine of this operating system and architecture builds for by default. */
export function platformsOfEngine(platform: string): readonly string[] {
  return platform === 'linux/arm' ? ARM_VARIANTS.map((variant) => `${platform}/${variant}`) : [platform];
}

/** The variables of one side; undefined for a platform whose spelling builders may read in more than one way. */
export function platformVariables(
  side: (typeof SIDES)[number],
  platform: string,
): readonly (readonly [string, string])[] | undefined {
  const [, os, plain, amd64, level, arm, version, arm64] = PLAIN.exec(platform) ?? [];
  const arch = plain ?? amd64 ?? arm ?? arm64;
  if (os === undefined || arch === undefined) return undefined;
  const variant = level ?? version ?? '';
  const name = [os, arch, ...(variant === '' ? [] : [variant])].join('/');
  const values = [name, os, arch, variant];
  return PARTS.map((part, index) => [`${side}${part}`, values[index] ?? ''] as const);
}
