import { describe, expect, test } from 'bun:test';
import { INSPECT } from '../../../../src/cli/commands/trust/inspect.ts';
import { digestHex } from '../../../../src/core/names/digest.ts';
import { RELEASES } from '../../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../../src/core/time.ts';
import { failure } from '../../../support/failure.ts';
import { target } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { empty, fakeImage, loaded, NAME, offline, uninitialised, visitorOf } from '../../fake-session.ts';
import { fails, told } from './transcript.ts';

const inspect = calling(INSPECT);

const HEX = digestHex(fakeImage('v1').digest);
const MISSING = `no signatures or cannot access ${NAME}`;
const STALE =
  'Error while downloading remote metadata, using cached timestamp - this might not be the latest version available remotely\nthe trust server cannot be reached\n';

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

  test('loaded: a tag that no one signed is no error, a digest stands for the whole repository', async () => {
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

describe('expired', () => {
  const expired = async () => {
    const session = await loaded();
    session.env = { NO_COLOR: '1' };
    session.simulator.now += 3 * YEAR + DAY;
    await session.simulator.refresh();
    return session;
  };

  test('as text: what it was, what of it has expired, docker’s error', async () => {
    const session = await expired();
    const { exit, stdout, stderr } = await told(session, inspect, ['--pretty', NAME]);
    expect([exit, stderr]).toEqual([1, `${MISSING}\n`]);
    expect(stdout).toStartWith(
      `
This trust data has expired, and nothing in it is trusted:

  targets expired on 2029-11-22
  targets/alice expired on 2029-11-22
  ${RELEASES} expired on 2029-11-22

Signatures for ${NAME}

SIGNED TAG   DIGEST${' '.repeat(61)}SIGNERS
v1           ${HEX}   alice

List of signers and their keys for ${NAME}
`,
    );
  });

  test('as text: of one tag, and the first one ends it', async () => {
    const { exit, stdout } = await told(await expired(), inspect, ['--pretty', `${NAME}:v2`, NAME]);
    expect(exit).toBe(1);
    expect(stdout).toContain(`\nNo signatures for ${NAME}:v2\n`);
    expect(stdout.split('This trust data has expired')).toHaveLength(2);
  });

  test('as JSON: docker’s', async () => {
    expect(await told(await expired(), inspect, [NAME])).toEqual({ ...fails(MISSING), stdout: '[]\n' });
  });

  test('of what is refused for another reason, too, nothing is shown', async () => {
    const session = await expired();
    await (await session.repository()).inspect();
    session.simulator.replace('targets', Buffer.from('{}'));
    session.simulator.relist();
    const { exit, stdout } = await told(session, inspect, ['--pretty', NAME]);
    expect([exit, stdout]).toEqual([1, '']);
  });
});

test('a name that a terminal would act upon is escaped in the text; the JSON has it as docker has', async () => {
  const session = await loaded();
  const name = 'v1\u202e\u009b2J\u061c';
  await (await session.repository()).publish((editor) => editor.addTarget(RELEASES, name, target(2)));
  await inspect(session, ['--pretty', NAME]);
  expect(session.printed).toContain('\n"v1\\u202e\\u009b2J\\u061c"   ');
  expect(session.printed).not.toMatch(/[\u0080-\u009f\u061c\u202e]/);
  session.printed = '';
  await inspect(session, [NAME]);
  expect(json(session.printed)[0]?.SignedTags).toContainEqual(expect.objectContaining({ SignedTag: name }));
});
