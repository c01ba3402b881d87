import { SignetError } from '../../core/errors/index.ts';
import { quoted } from '../../core/printable.ts';

/** What an image is built for, in the terms of OCI and Go: `linux`, `arm`, `v7`. */
interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

const PART = /^[A-Za-z0-9_.-]+$/;
const OS_PART = /^[A-Za-z0-9_-]+$/;
/** Names that mean an operating system if they stand alone; all others mean an architecture. */
const SYSTEMS: ReadonlySet<string> = new Set([
  ...['aix', 'android', 'darwin', 'dragonfly', 'freebsd', 'hurd', 'illumos', 'ios', 'js', 'linux', 'nacl', 'netbsd'],
  ...['openbsd', 'plan9', 'solaris', 'windows', 'zos'],
]);
const ARCHITECTURES: ReadonlySet<string> = new Set([
  ...['386', 'amd64', 'amd64p32', 'arm', 'armbe', 'arm64', 'arm64be', 'loong64', 'mips', 'mipsle', 'mips64'],
  ...['mips64le', 'mips64p32', 'mips64p32le', 'ppc', 'ppc64', 'ppc64le', 'riscv', 'riscv64', 's390', 's390x'],
  ...['sparc', 'sparc64', 'wasm'],
]);
/** Other spellings, with the variant that they imply. */
const SPELLINGS: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  i386: ['386', ''],
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};
const NODE_SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
const NODE_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/**
 * Parses `os[/arch[/variant]]`, or an architecture alone, as docker does; missing parts are this machine's. Versions
 * and features of systems (`windows(10.0.17763)`) are not supported. Throws `usage`.
 */
export function parsePlatform(text: string): Platform {
  const [first = '', ...rest] = text.split('/');
  const isReadable = OS_PART.test(first) && rest.length <= 2 && rest.every((part) => PART.test(part));
  if (!isReadable) throw invalid(text, 'is not of the form os[/arch[/variant]]');
  const [arch, variant = ''] = rest;
  if (arch !== undefined) return { os: systemOf(first), ...architectureOf(arch, variant) };
  const os = systemOf(first);
  if (SYSTEMS.has(os)) return { os, ...architectureOf(NODE_ARCHITECTURES[process.arch] ?? process.arch, '') };
  const alone = architectureOf(first, '');
  if (!ARCHITECTURES.has(alone.architecture)) throw invalid(text, 'is neither an operating system nor an architecture');
  return { os: NODE_SYSTEMS[process.platform] ?? process.platform, ...alone };
}

/** A platform in the JSON form of the Engine API. */
export function platformJson({ os, architecture, variant }: Platform): string {
  return JSON.stringify({ architecture, os, ...(variant === undefined ? {} : { variant }) });
}

function systemOf(text: string): string {
  const os = text.toLowerCase();
  return os === 'macos' ? 'darwin' : os;
}

function architectureOf(text: string, typed: string): Pick<Platform, 'architecture' | 'variant'> {
  const spelled = text.toLowerCase();
  const [architecture, implied] = SPELLINGS[spelled] ?? [spelled];
  return { architecture, variant: variantOf(architecture, implied ?? typed.toLowerCase(), typed !== '') };
}

/** Default variants are left out, as containerd does. */
function variantOf(architecture: string, variant: string, isTyped: boolean): string | undefined {
  if (architecture === 'amd64') return variant === 'v1' ? undefined : variant || undefined;
  if (architecture === 'arm64') {
    if (/^v?8(?:\.0)?$/.test(variant) || variant === '') return isTyped ? 'v8' : undefined;
    return variant === '9' || variant === '9.0' || variant === 'v9.0' ? 'v9' : variant;
  }
  if (architecture !== 'arm') return variant || undefined;
  const full = /^[5-8]$/.test(variant) ? `v${variant}` : variant || 'v7';
  return full === 'v7' && !isTyped ? undefined : full;
}

function invalid(text: string, reason: string): SignetError {
  return new SignetError('usage', `${quoted(text, 100)} ${reason}`);
}
