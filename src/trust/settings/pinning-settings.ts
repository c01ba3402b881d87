import { dirname, resolve } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import type { JsonObject, JsonValue } from '../../core/json/parse.ts';
import { isKeyId } from '../../core/names/key-id.ts';
import { DOCKER_HUB, gunOf, looksLikeDockerHub, parseReference } from '../../core/names/reference.ts';
import { quoted } from '../../core/printable.ts';

/** Pins as configured; files are given by their paths, which `readPinning` reads. */
export interface PinningSettings {
  /** Key IDs and absolute paths of certificates by GUN, or by a prefix of GUNs ending in `*`. */
  readonly certs: ReadonlyMap<string, readonly string[]>;
  /** Absolute path of a bundle of authorities by prefix of GUNs, with or without a trailing `*`. */
  readonly ca: ReadonlyMap<string, string>;
  /** Undefined if it is not configured. */
  readonly tofu: TofuSetting | undefined;
}

type TofuSetting = 'on' | 'off' | 'ask';

export const NO_PINS: PinningSettings = { certs: new Map(), ca: new Map(), tofu: undefined };

/** Suffixes that may complete the beginning of an image's name. */
const COMPLETIONS: readonly string[] = ['', 'x', 'x/x', '/x/x', '.x/x/x', '1/x/x'];

/**
 * Reads the member `trustPinning` of `signet.json`; `file` is its path, to which the paths in it are relative. Entries
 * that could never apply are refused, because they would silently not protect. Throws `configuration-invalid` or
 * `json-unexpected`.
 */
export function parsePinning(value: JsonValue, file: string): PinningSettings {
  const fields = new Fields(value, 'trustPinning', ['certs', 'ca', 'tofu', 'disableTofu'], 'refuse');
  return {
    certs: new Map(
      [...fields.map('certs')].map(([pattern, pins]) => [checkNames(pattern), readPins(pattern, pins, file)]),
    ),
    ca: readAuthorities(fields.map('ca'), file),
    tofu: readTofu(fields),
  };
}

/** Parses `on`, `off` or `ask`; `where` names it in errors. Throws `configuration-invalid`. */
export function parseTofu(text: string, where: string): TofuSetting {
  if (text === 'on' || text === 'off' || text === 'ask') return text;
  throw invalid(`${where} is ${quoted(text)}, not one of on, off, ask`);
}

function readPins(pattern: string, value: JsonValue, file: string): readonly string[] {
  const where = `trustPinning: certs of ${quoted(pattern)}`;
  if (!Array.isArray(value) || value.length === 0) throw invalid(`${where} is not a list of at least one key`);
  return value.map((pin) => {
    if (typeof pin === 'string' && isKeyId(pin)) return pin;
    if (typeof pin === 'string' && /\/|\.(?:crt|pem)$/.test(pin)) return resolve(dirname(file), pin);
    throw invalid(`${where}: ${quoted(String(pin))} is neither a key ID nor the path of a certificate (.crt, .pem)`);
  });
}

function readAuthorities(value: JsonObject, file: string): PinningSettings['ca'] {
  const bundles = new Map<string, string>();
  const prefixes = new Set<string>();
  for (const [pattern, path] of value) {
    const where = `trustPinning: ca of ${quoted(pattern)}`;
    const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : pattern;
    if (pattern === '') throw invalid(`${where}: write "*" for every repository`);
    if (prefixes.has(prefix)) throw invalid(`${where} stands twice, with and without *`);
    if (typeof path !== 'string' || path === '') throw invalid(`${where} is not the path of a file`);
    prefixes.add(prefix);
    checkNames(`${prefix}*`);
    bundles.set(pattern, resolve(dirname(file), path));
  }
  return bundles;
}

function readTofu(fields: Fields): TofuSetting | undefined {
  const [tofu, disabled] = [fields.raw('tofu'), fields.raw('disableTofu')];
  if (tofu !== undefined && disabled !== undefined) throw invalid('trustPinning has both tofu and disableTofu');
  if (disabled !== undefined) return fields.boolean('disableTofu') ? 'off' : 'on';
  return tofu === undefined ? undefined : parseTofu(fields.string('tofu'), 'trustPinning: tofu');
}

/**
 * Checks that the pattern is some image's GUN, or a prefix that is empty or at least a complete host:
 * `registry.example.com*` would match the names of `registry.example.com.evil.example` too.
 */
function checkNames(pattern: string): string {
  const isExact = !pattern.endsWith('*');
  const start = isExact ? pattern : pattern.slice(0, -1);
  if (!isExact && start !== '' && !start.includes('/')) {
    throw new SignetError(
      'configuration-invalid',
      `trustPinning: ${quoted(start, 300)} may be the beginning of several hosts' names`,
      { next: `Write the host whole, with a slash behind it: ${quoted(`${start}/*`, 300)}` },
    );
  }
  if (looksLikeDockerHub(start.slice(0, Math.max(0, start.indexOf('/'))))) {
    throw invalid(`trustPinning: no repository has the name ${quoted(pattern, 300)}; Docker Hub is ${DOCKER_HUB}`);
  }
  const guns = (isExact ? [''] : COMPLETIONS).map((rest) => gunOfText(start + rest));
  if (guns.some((gun) => (isExact ? gun === start : gun?.startsWith(start)))) return pattern;
  const [likely] = guns;
  const hint = likely === undefined || !isExact ? '' : `; is ${likely} meant?`;
  throw invalid(`trustPinning: no repository has the name ${quoted(pattern, 300)}${hint}`);
}

function gunOfText(text: string): string | undefined {
  try {
    return gunOf(parseReference(text));
  } catch {
    return undefined;
  }
}

function invalid(why: string): SignetError {
  return new SignetError('configuration-invalid', why);
}
