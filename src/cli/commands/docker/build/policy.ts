import { SignetError } from '../../../../core/errors/index.ts';
import { quoted } from '../../../../core/printable.ts';

/** Words of Rego after which a parenthesis does not start a call. */
const KEYWORDS = 'if in not else some every contains and or'.split(' ');
/** Functions of Rego and buildx that only compute a value. */
const PURE = new Set(
  `abs all any ceil concat count endswith floor format_int indexof indexof_n intersection lower max min print product
  re_match rem replace round sort split sprintf startswith substring sum to_number trim trim_left trim_prefix trim_right
  trim_space trim_suffix type_name union upper is_array is_boolean is_null is_number is_object is_set is_string cast_array
  cast_boolean cast_null cast_object cast_set cast_string load_json verify_git_signature verify_http_pgp_signature
  artifact_attestation github_attestation docker_github_builder docker_github_builder_bundle
  docker_github_builder_signature docker_github_builder_tag github_release_attestation`.split(/\s+/),
);
const PURE_PACKAGES = new Set(
  `array base64 base64url bits glob hex json numbers object rand regex semver strings time units urlquery uuid
  yaml`.split(/\s+/),
);
const REPLACING = 'pin_image';
const LITERALS = /#[^\n]*|"(?:[^"\\\n]|\\.)*"|`[^`]*`/g;
const IMPORTS = /\bimport\b\s*([^\s]*)/g;
const CALLS = /([A-Za-z_][A-Za-z0-9_]*(?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*)\s*\(/g;
/** The head of a function: nothing inside a rule can have this form. */
const HEADS = /^(?:default[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)\([^()]*\)[ \t]*(?:if\b|:=)/gm;
const ALLOWED_IMPORT = /^(?:rego\.v1|future\.keywords(?:\.(?:if|in|contains|every))?)$/;

/**
 * Checks that a build policy of buildx (0.31 and later) can only deny images: `pin_image`, and future functions like
 * it, would replace a signed image by another. Only functions known to compute a value may be called, and no other file
 * may be imported. Throws `build-option-unsafe`.
 */
export function refuseReplacingPolicy(name: string, text: string): void {
  const code = text.replace(LITERALS, (literal) => (literal.startsWith('#') ? '' : '""'));
  if (/["`$]/.test(code.replaceAll('""', ''))) throw unsafe(name, 'has text that is not plain');
  if (/\bwith\b/.test(code)) throw unsafe(name, 'replaces functions by "with"');
  for (const [, path = ''] of code.matchAll(IMPORTS)) {
    if (!ALLOWED_IMPORT.test(path)) throw unsafe(name, `imports ${quoted(path)}`);
  }
  const own = [...code.matchAll(HEADS)].map(([, head]) => head).filter((head) => head !== REPLACING);
  for (const [, written = ''] of code.matchAll(CALLS)) {
    const called = written.replace(/\s+/g, '');
    const [first = '', ...rest] = called.split('.');
    const isKnown = rest.length === 0 ? [...KEYWORDS, ...PURE, ...own].includes(called) : PURE_PACKAGES.has(first);
    if (!isKnown) throw unsafe(name, `calls ${quoted(called)}`);
  }
}

function unsafe(name: string, what: string): SignetError {
  const message = `the build policy ${name} ${what}, which may replace images after they are checked`;
  const next = 'Under trust every image is a signed digest already: let the policy only allow and deny.';
  return new SignetError('build-option-unsafe', message, { next });
}
