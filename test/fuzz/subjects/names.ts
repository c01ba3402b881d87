import { deepStrictEqual, strictEqual } from 'node:assert';
import { parsePattern } from '../../../src/accounts/identity/grants.ts';
import { parseUserName } from '../../../src/accounts/identity/user-name.ts';
import { type ErrorCode, isSignetError } from '../../../src/core/errors/index.ts';
import { parseDigest } from '../../../src/core/names/digest.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import {
  familiarReference,
  formatReference,
  gunOf,
  parseReference,
  type Reference,
} from '../../../src/core/names/reference.ts';
import { isTargetsRole, parentOf, parseRole } from '../../../src/core/names/role.ts';
import { formatScope, parseScope } from '../../../src/core/scope.ts';
import { formatTime, parseTime } from '../../../src/core/time.ts';
import { checkPath, parsePath } from '../../../src/http/path.ts';
import { parseRepositoryName } from '../../../src/registry/names.ts';
import { formatHostName, parseHostName } from '../../../src/serve/settings/host-name.ts';
import { checkHost } from '../../../src/trust/settings/configuration.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, generated, words } from '../mutate.ts';

const HEX = '0123456789abcdef'.repeat(4);
const PIECES = [
  ...['a', 'b9', 'A', '-', '--', '_', '__', '___', '.', '..', '/', '//', ':', '@', ',', '*', '~', '+', '5000', '443'],
  ...['localhost', 'docker.io', 'index.docker.io', 'library', '_trust', 'sha256:', 'sha512:', HEX, '[::1]', '[', ']'],
  ...['targets', 'targets/', 'root', 'releases', 'repository:', ':pull,push', 'registry', '(plugin)', 'latest'],
  ...[
    ' ',
    'é',
    'İ',
    'ſ',
    '\u202e',
    '\u009b',
    '\n',
    '\0',
    '%2f',
    '%',
    '?',
    '#',
    '\\',
    'tags/list',
    'blobs',
    'manifests',
    'uploads',
  ],
  ...['2026-11-23', 'T12:00:00', '.5', 'Z', '+02:00', '24', '60', '02-30', 'a'.repeat(120), '1'.repeat(16)],
];
const mutate = anyOf(
  words(PIECES),
  bytes,
  generated((dice) => dice.some(9, () => dice.pick(PIECES)).join('')),
);

/** A name: what is accepted is written as it was read, and `holds` of it. */
function name(samples: readonly string[], code: ErrorCode, holds: (text: string) => void): Subject {
  return {
    seeds: samples.map((text) => Buffer.from(text)),
    mutate,
    refusals: [code],
    check: (input) => holds(input.toString('utf8')),
  };
}

const reference = name(
  ['alpine', 'a/b:1.0', `localhost:5000/team/app_x__y--z@sha256:${HEX}`, 'docker.io/library/x:Y.1-2_3', '[::1]:5000/a'],
  'reference-invalid',
  (text) => {
    const read = inAgreement(text);
    deepStrictEqual(parseReference(formatReference(read)), read);
    deepStrictEqual(parseReference(familiarReference(read)), read);
    strictEqual(gunOf(read) as string, `${read.registry}/${read.path}`);
  },
);

const gun = name(['docker.io/library/alpine', 'localhost:5000/a', 'notary'], 'name-invalid', (text) => {
  strictEqual(parseGun(text) as string, text);
  // What it is made for: to be a path below a folder and below /v2/.
  strictEqual(new URL(`https://h/v2/${text}/_trust/`).pathname, `/v2/${text}/_trust/`);
  strictEqual(text.split('/').includes('_trust') || text.startsWith('/') || text.includes('\\'), false);
});

const role = name(['root', 'targets', 'targets/releases', 'targets/a/b_c-d'], 'role-invalid', (text) => {
  const read = parseRole(text);
  strictEqual(read as string, text);
  strictEqual(/^[-a-z0-9_/]+$/.test(text) && text.length < 256 && !/\/\/|\/$/.test(text), true);
  if (isTargetsRole(read) && read !== 'targets') strictEqual(text.startsWith(`${parentOf(read)}/`), true);
});

const digest = name([`sha256:${HEX}`, `sha512:${HEX}${HEX}`], 'digest-invalid', (text) => {
  strictEqual(parseDigest(text) as string, text);
  const [algorithm = '', hex = ''] = text.split(':');
  strictEqual(Buffer.from(hex, 'hex').length * 8, Number(algorithm.slice(3)));
});

const scope = name(
  ['repository:team/app:pull,push', 'registry:catalog:*', 'repository(plugin):localhost:5000/a:pull', 'repository:a:'],
  'name-invalid',
  (text) => {
    const read = parseScope(text);
    deepStrictEqual(parseScope(formatScope(read)), read);
    strictEqual(text.endsWith(`:${read.name}:${read.actions.join(',')}`), true);
  },
);

const grant = name(['team/app', 'team/*', 'docker.io/library/*', 'localhost:5000/*'], 'grant-invalid', (text) => {
  strictEqual(parsePattern(text) as string, text);
  strictEqual(/^[^*]*(?:\/\*)?$/.test(text), true);
});

const userName = name(['alice', 'a9', 'build-bot_2'], 'user-name-invalid', (text) => {
  // Everything below a user's name is this registry's, never another host's.
  strictEqual(parseUserName(text) as string, text);
  strictEqual(parseReference(`${text}/app`).registry, 'docker.io');
});

const time = name(
  ['2026-12-07T17:40:23.91170194Z', '2116-07-03T17:56:36-05:00', '0001-01-01T00:00:00Z'],
  'time-invalid',
  (text) => {
    const read = parseTime(text);
    strictEqual(Math.abs(parseTime(formatTime(read)) - read) < 1000, true);
    strictEqual(
      new Date(read).toISOString(),
      new Date(Date.parse(text.replace(/\.(\d{1,3})\d*/, '.$1'))).toISOString(),
    );
  },
);

const registryPath = name(
  ['/v2/team/app/manifests/latest', '/v2/a/blobs/uploads/', '/v2/tags/tags/list', `/v2/a/blobs/sha256:${HEX}`],
  'repository-name-invalid',
  (text) => {
    const read = parsePath(text);
    if (read.service !== 'registry' || read.name === undefined) throw new Refused();
    parseRepositoryName(read.name);
    const url = new URL('https://h/');
    url.pathname = text;
    strictEqual(decodeURIComponent(text).startsWith(`/v2/${read.name}/${read.rest}`), true);
  },
);

const requestPath = name(['/v2/a/b', '/', '/auth/token', '/a%20b'], 'path-invalid', (text) => {
  const url = new URL('https://h/');
  url.pathname = text;
  checkPath(url.pathname);
  const decoded = url.pathname.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  strictEqual(/\/\.{1,2}(?:\/|$)|\/\/|[\\\0]/.test(decoded), false);
});

const hostName = name(['localhost', '127.0.0.1:5000', '[::1]:443', 'registry.example.com'], 'name-invalid', (text) => {
  const read = parseHostName(text);
  if (read === undefined) throw new Refused();
  deepStrictEqual(parseHostName(formatHostName(read)), read);
});

const registryHost = name(['localhost:5000', 'docker.io', '[::1]:5000'], 'name-invalid', (text) => {
  strictEqual(parseReference(`${checkHost(text)}/a`).registry, text);
});

export const NAME_SUBJECTS = {
  reference: () => reference,
  gun: () => gun,
  role: () => role,
  digest: () => digest,
  scope: () => scope,
  grant: () => grant,
  'user-name': () => userName,
  time: () => time,
  'registry-path': () => registryPath,
  'request-path': () => requestPath,
  'host-name': () => hostName,
  'registry-host': () => ({ ...registryHost, refusals: ['name-invalid', 'reference-invalid'] as const }),
};

/** The reference, where docker reads the same or refuses it too. */
function inAgreement(text: string): Reference {
  const theirs = referenceOfDocker(text);
  try {
    const read = parseReference(text);
    strictEqual(formatReference(read), theirs, 'docker reads it otherwise');
    return read;
  } catch (error) {
    if (isSignetError(error)) strictEqual(theirs, undefined, 'docker accepts it');
    throw error;
  }
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const ANCHORED = new RegExp(
  `^((?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);
const REPOSITORY = new RegExp(`^(?:(${DOMAIN})/)?(${COMPONENT}(?:/${COMPONENT})*)$`);

/**
 * The reference as docker's own library normalises it, by its regular expressions and in its order; undefined where it
 * refuses the text.
 */
function referenceOfDocker(text: string): string | undefined {
  if (/^[a-f0-9]{64}$/.test(text)) return undefined;
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isHost = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  const host = isHost ? first : 'docker.io';
  const domain = host === 'index.docker.io' ? 'docker.io' : host;
  const rest = isHost ? text.slice(slash + 1) : text;
  const remainder = domain === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest;
  const remote = remainder.includes(':') ? remainder.slice(0, remainder.indexOf(':')) : remainder;
  if (remote.toLowerCase() !== remote) return undefined;
  const [, whole = '', tag, digestText] = ANCHORED.exec(`${domain}/${remainder}`) ?? [];
  const [, registry, path = ''] = REPOSITORY.exec(whole) ?? [];
  if (registry === undefined || whole.length > 255) return undefined;
  if (
    digestText !== undefined &&
    !/^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/.test(digestText)
  )
    return undefined;
  // The one difference that is wanted: SHA-384 is no digest here.
  if (digestText?.startsWith('sha384')) return undefined;
  return `${registry}/${path}${tag === undefined ? '' : `:${tag}`}${digestText === undefined ? '' : `@${digestText}`}`;
}
