import { expect, test } from 'bun:test';
import { programFolder } from './package.ts';

/** Wrong uses of the library, each with what the compiler says. `given` has what openTrust and others return. */
const MISUSES: Readonly<Record<string, readonly [code: string, error: string]>> = {
  'a text is no digest': ["const digest: Digest = 'sha256:00';", 'TS2322'],
  'nor is it a reference': ["await decide('alpine:3.20', client.evidence());", 'TS2345'],
  'a decision has to be looked at before the image is used': ['decision.use;', 'TS2339'],
  'one that refuses has no image': ["if (decision.verdict === 'refused') decision.use;", 'TS2339'],
  'one that permits has no error': ["if (decision.verdict === 'tag-signed') decision.error;", 'TS2339'],
  'only a signed tag is sure to have a tag': ['permitted(decision).tag;', 'TS2339'],
  'evidence comes with pins': [
    'await decide(image, { rules: client.evidence().rules, collectionOf: client.evidence().collectionOf, now: Date.now });',
    'TS2741',
  ],
  'a decision cannot be rewritten': ["if (decision.verdict === 'tag-signed') decision.use = image;", 'TS2540'],
  'a verified file cannot be added to a collection': ["collection.set.targets.set('targets', undefined);", 'TS2339'],
  'an image is signed by digest': ["await signImages(repository, [{ tag: '1.0', digest: '1.0', size: 1 }]);", 'TS2322'],
  'with its size': ["await signImages(repository, [{ tag: '1.0', digest }]);", 'TS2741'],
  'a repository is opened with permissions': ['client.repository(image);', 'TS2554'],
  'that exist': ["client.repository(image, ['sign']);", 'TS2322'],
  'clients come from openTrust': ['new TrustClient(undefined as never);', 'TS1361'],
  'and repositories from clients': ['new Repository(undefined as never, undefined as never);', 'TS1361'],
  'codes are of the catalogue': ["isSignetError(undefined, 'not-signed');", 'TS2345'],
  'errors have no other code': ["new SignetError('not-signed', 'x');", 'TS2345'],
  'options are known': ["await openTrust({ home: '/root' });", 'TS2353'],
  'passphrases are bytes that can be wiped': [
    "await openTrust({ passphrases: { existing: async () => 'secret', fresh: async () => Buffer.of() } });",
    'TS2322',
  ],
  'what became of a publication is one of three': ["if (publication.kind === 'failed') throw publication;", 'TS2367'],
};

const PREAMBLE = `import { decide, isSignetError, openTrust, permitted, signImages, SignetError } from 'signet';
import type { CollectionView, Decision, Digest, Publication, Reference, Repository, TrustClient } from 'signet';
declare const client: TrustClient;
declare const repository: Repository;
declare const image: Reference;
declare const digest: Digest;
declare const decision: Decision<Reference>;
declare const collection: CollectionView;
declare const publication: Publication;
`;

test('wrong uses do not compile, for the reason that they are wrong', async () => {
  const folder = await programFolder();
  const names = Object.keys(MISUSES);
  const misuses = Object.values(MISUSES);
  misuses.forEach(([code], index) => {
    folder.write(`misuse${index}`, `${PREAMBLE}export async function misuse() {\n${code}\n}\n`);
  });
  const { stdout } = await folder.checkTypes();
  const found = new Map<string, string[]>();
  for (const [, index, line, error = ''] of stdout.matchAll(/^misuse(\d+)\.mts\((\d+),\d+\): error (TS\d+)/gm)) {
    const name = names[Number(index)] ?? '';
    // The line below the preamble and the function's head.
    const place = Number(line) === PREAMBLE.split('\n').length + 1 ? error : `${error} in line ${line}`;
    found.set(name, [...(found.get(name) ?? []), place]);
  }
  const expected = Object.entries(MISUSES).map(([name, [, error]]) => [name, [error]]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  expect(stdout.split('\n').filter((line) => line !== '' && !/^(?:misuse\d+\.mts| )/.test(line))).toEqual([]);
}, 120_000);
