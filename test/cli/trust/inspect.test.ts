import { describe, expect, test } from 'bun:test';
import { inspect } from '../../../src/cli/trust/inspect.ts';
import { digestHex } from '../../../src/core/names/digest.ts';
import { failure } from '../../support/failure.ts';
import { empty, fakeImage, loaded, NAME, offline, uninitialised, visitorOf } from '../fake-session.ts';

const HEX = digestHex(fakeImage('v1').digest);
const MISSING = `no signatures or cannot access ${NAME}`;
const STALE =
  'Error while downloading remote metadata, using cached timestamp - this might not be the latest version available remotely\n';

const json = (text: string) =>
  JSON.parse(text) as { Name: string; SignedTags: unknown[]; Signers: { Name: string }[] }[];

describe('as JSON', () => {
  test('uninitialised: an empty list, and why', async () => {
    const session = await uninitialised();
    expect(await inspect(session, [NAME])).toBe(1);
    expect(session.output).toEqual({ stdout: '[]\n', stderr: `${MISSING}\n` });
  });

  test('empty: keys, and neither tags nor signers', async () => {
    const session = await empty();
    expect(await inspect(session, [NAME])).toBe(0);
    const [image] = json(session.printed);
    expect(image).toMatchObject({ Name: NAME, SignedTags: [], Signers: [] });
    expect(session.printed).toMatch(/ {8}"AdministrativeKeys": \[\n {12}\{\n {16}"Name": "Root",\n {16}"Keys": \[\n/);
  });

  test('loaded: the tag, its digest, who signed it', async () => {
    const session = await loaded();
    expect(await inspect(session, [`${NAME}:v1`])).toBe(0);
    const [image] = json(session.printed);
    expect(image).toMatchObject({ Name: `${NAME}:v1`, Signers: [{ Name: 'alice' }] });
    expect(image?.SignedTags).toEqual([{ SignedTag: 'v1', Digest: HEX, Signers: ['alice'] }]);
  });

  test('loaded: a tag that nobody signed is no error, a digest stands for the whole repository', async () => {
    const session = await loaded();
    expect(await inspect(session, [`${NAME}:v2`, `${NAME}@${fakeImage('v1').digest}`])).toBe(0);
    expect(json(session.printed).map(({ SignedTags }) => SignedTags.length)).toEqual([0, 1]);
  });

  test('offline, seen before: what is cached, with a warning', async () => {
    const session = await offline();
    expect(await inspect(session, [NAME])).toBe(0);
    expect(json(session.printed)).toHaveLength(1);
    expect(session.output.stderr).toBe(STALE);
  });

  test('offline, never seen: an error', async () => {
    const session = visitorOf(await offline());
    expect(await inspect(session, [NAME])).toBe(1);
    expect(session.output).toEqual({ stdout: '[]\n', stderr: `${MISSING}\n` });
  });

  test('what can be shown is shown beside what cannot', async () => {
    const session = await loaded();
    expect(await inspect(session, [`${NAME}/UPPER`, NAME])).toBe(1);
    expect(json(session.printed).map(({ Name }) => Name)).toEqual([NAME]);
    expect(session.errors).toContain('must be lowercase\n');
  });
});

describe('as text', () => {
  test('uninitialised: the error alone', async () => {
    const session = await uninitialised();
    const error = await failure(inspect(session, ['--pretty', NAME]), 'trust-data-missing');
    expect([error.message, session.printed]).toEqual([MISSING, '']);
  });

  test('empty: says so', async () => {
    const session = await empty();
    await inspect(session, ['--pretty', NAME]);
    expect(session.printed).toStartWith(`\nNo signatures for ${NAME}\n\n\nAdministrative keys for ${NAME}\n\n`);
    expect(session.printed).toMatch(/\n {2}Repository Key:\t[0-9a-f]{64}\n {2}Root Key:\t[0-9a-f]{64}\n$/);
  });

  test('loaded: two repositories are two lines apart, and the first error ends it', async () => {
    const session = await loaded();
    await failure(inspect(session, ['--pretty', NAME, NAME, 'UPPER', NAME]), 'reference-invalid');
    const [before, first, second, ...others] = session.printed.split(`Signatures for ${NAME}\n`);
    expect([before, others]).toEqual(['\n', []]);
    expect(first).toEndWith('\n\n\n\n');
    expect(second).toStartWith(`\nSIGNED TAG   DIGEST${' '.repeat(61)}SIGNERS\nv1           ${HEX}   alice\n\n`);
    expect(second).toMatch(/\nSIGNER {4}KEYS\nalice {5}[0-9a-f]{12}\n\n/);
  });
});
