import { deepStrictEqual, strictEqual } from 'node:assert';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { canonicalText } from '../../../src/core/json/canonical.ts';
import type { JsonValue } from '../../../src/core/json/parse.ts';
import { parseEnvelope, writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import { readRoot, rootJson } from '../../../src/core/metadata/root.ts';
import { readSnapshot, snapshotJson } from '../../../src/core/metadata/snapshot.ts';
import { readTargets, targetsJson } from '../../../src/core/metadata/targets.ts';
import { readTimestamp, timestampJson } from '../../../src/core/metadata/timestamp.ts';
import { BASE_ROLES, type BaseRole, parseDelegation, type RoleName } from '../../../src/core/names/role.ts';
import { baseSigners } from '../../../src/core/verify/signers.ts';
import { verifyThreshold } from '../../../src/core/verify/verify.ts';
import { vector } from '../../core/keys/support.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, words } from '../mutate.ts';
import { json } from '../mutate-json.ts';
import { FILE_ERRORS, SIGNATURE_ERRORS } from './trust-errors.ts';

const ROOT = readRoot(parseEnvelope('root', vector('acme-app/root.json')).signed);
const TARGETS = readTargets('targets', parseEnvelope('targets', vector('acme-app/targets.json')).signed);
const HASHES = new Map([['sha256', Buffer.alloc(32, 1)]]);
const JEFF = parseDelegation('targets/jeff');

const VALUES = [
  ...['"Root"', '"Targets"', '"Snapshot"', '"Timestamp"', '"ecdsa"', '"ecdsa-x509"', '"rsapss"', '"eddsa"', '"sha512"'],
  ...['"2026-12-07T17:40:23.5+02:00"', '"2026-12-07T17:40:23Z"', '"0001-01-01T00:00:00Z"', '"targets/jeff"', '"YWJj"'],
  ...['{"sha256":"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="}', '[""]', '513', '1000000', `"${'f'.repeat(64)}"`],
];
const mutate = anyOf(json(VALUES), json(VALUES), words(VALUES), bytes);

/** One kind of file, and how it is read and written. */
interface Kind {
  readonly role: RoleName;
  readonly seeds: readonly Buffer[];
  rewrite(signed: JsonValue): JsonValue;
}

const KINDS: readonly Kind[] = [
  {
    role: 'root',
    seeds: ['acme-app/root.json', 'roots/1.root.json', 'roots/3.root.json'].map(vector),
    rewrite: (signed) => rootJson(readRoot(signed)),
  },
  {
    role: 'timestamp',
    seeds: ['acme-app/timestamp.json'].map(vector),
    rewrite: (signed) => timestampJson(readTimestamp(signed)),
  },
  {
    role: 'snapshot',
    seeds: ['acme-app/snapshot.json'].map(vector),
    rewrite: (signed) => snapshotJson(readSnapshot(signed)),
  },
  {
    role: 'targets',
    seeds: [vector('acme-app/targets.json'), delegating()],
    rewrite: (signed) => targetsJson(readTargets('targets', signed)),
  },
  {
    role: JEFF,
    seeds: ['acme-app/targets/jeff.json'].map(vector),
    rewrite: (signed) => targetsJson(readTargets(JEFF, signed)),
  },
];

export const METADATA_SUBJECTS = Object.fromEntries([
  ...KINDS.map((kind) => [`metadata-${kind.role.replace('/', '-')}`, () => rewritten(kind)]),
  ...BASE_ROLES.map((role) => [`signatures-${role}`, () => signed(role)]),
]) as Record<string, () => Subject>;

/** A file with what the samples have not: a delegation with keys and paths, a target with more than a digest. */
function delegating(): Buffer {
  const payload = targetsJson({
    ...TARGETS,
    targets: new Map([['a<b>&"c', { length: 1, hashes: HASHES, custom: new Map([['é', [1, null, '\\']]]) }]]),
    delegationKeys: ROOT.keys,
    delegations: [{ name: JEFF, keyIds: [...ROOT.keys.keys()], threshold: 2, paths: ['', 'v/'] }],
  });
  return writeEnvelope(payload, []);
}

/** What is read survives being written: the file written again says the same, and is read as the same. */
function rewritten({ role, seeds, rewrite }: Kind): Subject {
  return {
    seeds,
    mutate,
    refusals: FILE_ERRORS,
    check: (input) => {
      const envelope = parseEnvelope(role, input);
      const payload = rewrite(envelope.signed);
      const file = writtenFile(payload, envelope.signatures);
      if (file === undefined) throw new Refused();
      const again = parseEnvelope(role, file);
      deepStrictEqual(again.signatures, envelope.signatures);
      strictEqual(canonicalText(rewrite(again.signed)), canonicalText(payload));
      strictEqual(writeEnvelope(again.signed, again.signatures).equals(file), true, 'written differently');
    },
  };
}

/** Undefined for what can be read but never written by anyone: control characters (protocol A.2). */
function writtenFile(payload: JsonValue, signatures: Parameters<typeof writeEnvelope>[1]): Buffer | undefined {
  try {
    return writeEnvelope(payload, signatures);
  } catch (error) {
    if (isSignetError(error, 'json-malformed') && /[\u0000-\u001f]/.test(canonicalText(payload))) return undefined;
    throw error;
  }
}

/** A file whose signatures are right says what the owner of the keys has signed, to the byte of its canonical form. */
function signed(role: BaseRole): Subject {
  const file = vector(`acme-app/${role}.json`);
  const original = canonicalText(parseEnvelope(role, file).signed);
  const signers = baseSigners(ROOT, role);
  return {
    seeds: [file],
    mutate,
    refusals: SIGNATURE_ERRORS,
    check: (input) => {
      const envelope = parseEnvelope(role, input);
      verifyThreshold(envelope, signers);
      strictEqual(canonicalText(envelope.signed), original, 'another payload passes for the signed one');
    },
  };
}
