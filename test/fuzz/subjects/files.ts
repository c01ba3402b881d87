import { deepStrictEqual, strictEqual } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { parseJson } from '../../../src/core/json/parse.ts';
import type { PublicKey } from '../../../src/core/keys/public-key.ts';
import { digestOf } from '../../../src/core/names/digest.ts';
import { parseDelegation } from '../../../src/core/names/role.ts';
import { parseManifest } from '../../../src/registry/manifest.ts';
import { verifyManifest } from '../../../src/remote/registry/manifest.ts';
import { readSettings } from '../../../src/serve/settings/read-settings.ts';
import { SETTING_NAMES, SETTINGS } from '../../../src/serve/settings/settings.ts';
import { type Change, type DelegationChange, formatChange, parseChange } from '../../../src/store/change.ts';
import { formatAuth, readAuth } from '../../../src/store/credential.ts';
import { parseHelperAnswer } from '../../../src/store/credential-helper.ts';
import { DockerConfig } from '../../../src/store/docker-config.ts';
import { openFirst, vector } from '../../core/keys/support.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, words } from '../mutate.ts';
import { json } from '../mutate-json.ts';

const texts = (...samples: string[]) => samples.map((text) => Buffer.from(text));

const ALICE = parseDelegation('targets/alice');
const NOTHING: DelegationChange = {
  ...{ threshold: 0, addKeys: [], removeKeys: [], addPaths: [], removePaths: [], clearPaths: false },
};

function changes(key: PublicKey): readonly Change[] {
  const hashes = new Map([['sha256', Buffer.alloc(32, 1)]]);
  return [
    {
      kind: 'add-target',
      role: 'targets',
      name: 'v1 <é>',
      target: { length: 528, hashes, custom: new Map([['b', ['<', 1]]]) },
    },
    { kind: 'remove-target', role: ALICE, name: 'v1' },
    {
      kind: 'create-delegation',
      role: ALICE,
      delegation: { ...NOTHING, threshold: 1, addKeys: [key], addPaths: ['', 'v'] },
    },
    {
      kind: 'update-delegation',
      role: ALICE,
      delegation: { ...NOTHING, removeKeys: [key.id], removePaths: ['v'], clearPaths: true },
    },
    { kind: 'remove-delegation', role: ALICE },
    { kind: 'purge-keys', below: 'targets', keys: [key.id] },
    { kind: 'witness', role: ALICE },
  ];
}

/** A staged change is written as it was read. The content inside of it is mutated as the document that it is. */
function change(): Subject {
  const inside = json(['"targets/alice"', '"targets/*"', '{"threshold":1}', '"create"', '"delegation"', '"witness"']);
  return {
    seeds: changes(openFirst(vector('keys/ed25519-pkcs8.pem')).publicKey).map(formatChange),
    mutate: anyOf(inside, bytes, (input, dice, others) => {
      const [, data = ''] = /"data":"([^"]*)"/.exec(input.toString('latin1')) ?? [];
      const content = inside(Buffer.from(data, 'base64'), dice, others);
      return Buffer.from(input.toString('latin1').replace(data, content.toString('base64')), 'latin1');
    }),
    refusals: ['changelist-invalid'],
    check: (input) => {
      const read = parseChange(input, 'it');
      const written = writtenChange(read);
      if (written === undefined) throw new Refused();
      deepStrictEqual(parseChange(written, 'it'), read);
    },
  };
}

/** Undefined for what Notary can stage but nobody can sign: control characters (protocol A.2). */
function writtenChange(read: Change): Buffer | undefined {
  try {
    return formatChange(read);
  } catch (error) {
    if (isSignetError(error, 'json-malformed')) return undefined;
    throw error;
  }
}

/** Docker's configuration: what can be read can be edited, and is then read as edited. */
function dockerConfig(): Subject {
  const folder = temporaryFolder();
  return {
    seeds: texts(
      '{\n\t"auths": {\n\t\t"reg": {\n\t\t\t"auth": "YTpi"\n\t\t}\n\t},\n\t"credsStore": "pass",\n\t"x": [1, {"y": null}]\n}',
      '{"credHelpers":{"gcr.io":"gcloud"},"auths":{}}',
      '',
    ),
    mutate: anyOf(json(['{"auths":{}}', '"auths"', 'null']), bytes),
    refusals: ['docker-config-invalid'],
    check: (input) => {
      writeFileSync(join(folder, 'config.json'), input);
      const config = DockerConfig.read(folder).with(['auths', 'new'], new Map([['auth', 'x']]));
      deepStrictEqual(config.auths.get('new'), new Map([['auth', 'x']]));
      deepStrictEqual(config.with(['auths', 'new'], undefined).auths.get('new'), undefined);
      for (const server of ['reg', 'gcr.io']) strictEqual(typeof (config.credHelper(server) ?? ''), 'string');
    },
  };
}

const login: Subject = {
  seeds: texts('{"auth":"YWxpY2U6c2VjcmV0"}', '{"auth":"YWxpY2U6","identitytoken":"r.t"}', '{"registrytoken":"x"}'),
  mutate: anyOf(json(['"YTpiOmM="', '"OmE="', '"YToA"']), bytes),
  refusals: ['docker-config-invalid', 'json-malformed', 'json-duplicate-key', 'json-number-unsafe', 'json-too-deep'],
  check: (input) => {
    const read = readAuth(parseJson(input, { numbers: 'any' }), 'reg');
    if (read === undefined) throw new Refused();
    // What has no user name is kept elsewhere by docker; written here, it would be no login.
    if (read.username === '' && read.password.length > 0) throw new Refused();
    deepStrictEqual(readAuth(formatAuth(read), 'reg'), read);
  },
};

const helperAnswer: Subject = {
  seeds: texts('{"ServerURL":"reg","Username":"alice","Secret":"s3cret"}\n', '{"Username":"<token>","Secret":"r.t"}'),
  mutate: anyOf(json(['"<token>"', '"username"']), bytes),
  refusals: ['credential-helper-answer-invalid'],
  check: (input) => {
    const read = parseHelperAnswer(input);
    if (read === undefined) throw new Refused();
    strictEqual(read.identityToken === undefined || (read.username === '' && read.password.length === 0), true);
  },
};

const OCI = 'application/vnd.oci.image';
const SOME_DIGEST = digestOf(Buffer.from('x'));
const descriptor = (type: string) => `{"mediaType":"${type}","digest":"${SOME_DIGEST}","size":1}`;
const TYPES = [
  `${OCI}.manifest.v1+json`,
  `${OCI}.index.v1+json`,
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** What Signet's registry takes, Signet's client takes from it: as the same digest and the same kind of document. */
const manifest: Subject = {
  seeds: texts(
    `${TYPES[0]}\n{"schemaVersion":2,"config":${descriptor('c')},"layers":[${descriptor('l')}],"annotations":{"a":"b"}}`,
    `${TYPES[1]}\n{"schemaVersion":2,"mediaType":"${TYPES[1]}","manifests":[${descriptor(TYPES[0] ?? '')}],"subject":${descriptor('s')}}`,
    `${TYPES[2]}\n{"schemaVersion":2,"mediaType":"${TYPES[2]}","config":${descriptor('c')},"layers":[]}`,
  ),
  mutate: (input, dice, others) => {
    const [type = '', document = ''] = cutLine(input);
    const body = json([
      ...TYPES.map((name) => `"${name}"`),
      descriptor('x'),
      '"fsLayers"',
      '"Manifests"',
      '2',
      '"layers"',
    ]);
    const changed = body(
      Buffer.from(document),
      dice,
      others.map((other) => Buffer.from(cutLine(other)[1] ?? '')),
    );
    const header = dice.chance(0.9) ? type : words([...TYPES, ';', ' ', 'A'])(Buffer.from(type), dice, others);
    return Buffer.concat([Buffer.from(header), Buffer.from('\n'), changed]);
  },
  refusals: ['manifest-invalid'],
  check: (input) => {
    const [contentType = '', document = ''] = cutLine(input);
    const content = Buffer.from(document, 'utf8');
    const kept = parseManifest(content, contentType, digestOf(content));
    const received = { bytes: content, contentType: kept.mediaType, claimedDigest: kept.digest, wanted: kept.digest };
    const got = clientReading(received);
    deepStrictEqual([got.digest, got.mediaType, got.size], [kept.digest, kept.mediaType, content.length]);
  },
};

function clientReading(received: Parameters<typeof verifyManifest>[0]) {
  try {
    return verifyManifest(received);
  } catch (cause) {
    throw new Error('the client refuses what the registry takes', { cause });
  }
}

/** The settings file of `signet serve`: what is accepted is within what each setting says of itself. */
function settings(): Subject {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.json');
  return {
    seeds: texts(
      '{}',
      '{"listen":"127.0.0.1:5000","names":["registry.example.com"],"tokenLifetime":"5m","maxBlob":"20GiB","publicPull":["team/*"]}',
      '{"tls":false,"behindProxy":true,"logLevel":"debug","maxRequests":7,"accessLog":"off","gunPrefixes":["a/"]}',
    ),
    mutate: anyOf(
      json(SETTING_NAMES.flatMap((name) => [`"${name}"`, `{"${name}":"1"}`, '"90s"', '"on"', '["x"]'])),
      bytes,
    ),
    refusals: ['setting-unknown', 'setting-invalid', 'settings-conflict', 'settings-unreadable', 'json-unexpected'],
    check: (input) => {
      writeFileSync(file, input);
      const read = readSettings({ folder, file });
      for (const name of SETTING_NAMES) {
        const { type, default: otherwise } = SETTINGS[name] as {
          type: { show(value: unknown): string };
          default: unknown;
        };
        strictEqual(typeof type.show(read[name] ?? otherwise), 'string');
      }
      strictEqual(read.tls || read.behindProxy || /^(?:localhost|127\.|::1)/.test(read.listen.host), true);
    },
  };
}

export const FILE_SUBJECTS = {
  change,
  'docker-config': dockerConfig,
  login: () => login,
  'helper-answer': () => helperAnswer,
  manifest: () => manifest,
  settings,
};

function cutLine(input: Buffer): string[] {
  const text = input.toString('utf8');
  const at = text.indexOf('\n');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
