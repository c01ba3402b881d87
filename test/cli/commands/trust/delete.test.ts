import { describe, expect, test } from 'bun:test';
import { ADD } from '../../../../src/cli/commands/trust/add.ts';
import { DELETE } from '../../../../src/cli/commands/trust/delete.ts';
import { INIT } from '../../../../src/cli/commands/trust/init.ts';
import { PUBLISH } from '../../../../src/cli/commands/trust/publish.ts';
import { calling } from '../../calling.ts';
import { loaded, NAME, offline, uninitialised } from '../../fake-session.ts';
import { says, told } from './transcript.ts';

const add = calling(ADD);
const deleteCollection = calling(DELETE);
const init = calling(INIT);
const publish = calling(PUBLISH);

const HERE = says(`Deleted the trust data of ${NAME} here.\n`);
const EVERYWHERE = says(`Deleted the trust data of ${NAME} here and from trust.example.com.\n`);
const QUESTION = `Delete the trust data of ${NAME} from trust.example.com, for everybody?`;
const STAGED = ['--stage', '--size', '1', '--sha256', 'ab'.repeat(32), NAME, 'v2'];

describe('delete', () => {
  test('forgets what is trusted and staged here; keys stay, and so does what the server has', async () => {
    const session = await loaded();
    const [before, keys] = [session.simulator.state, await session.keys.list()];
    await told(session, add, STAGED);
    expect(await told(session, deleteCollection, [NAME])).toEqual(HERE);
    const repository = await session.repository();
    expect(await repository.source.cache.read(repository.gun, 'root')).toBeUndefined();
    expect(await told(session, publish, [NAME])).toEqual(says(`Nothing to change in ${NAME}.\n`));
    expect(session.simulator.state).toBe(before);
    expect(await session.keys.list()).toEqual(keys);
  });

  test('offline, and if there is nothing', async () => {
    expect(await told(await offline(), deleteCollection, [NAME])).toEqual(HERE);
    expect(await told(await uninitialised(), deleteCollection, [NAME])).toEqual(HERE);
  });

  test('makes a repository free that was only prepared, or is gone from the server', async () => {
    const session = await uninitialised();
    await told(session, init, ['--stage', NAME]);
    await told(session, deleteCollection, [NAME]);
    expect((await told(session, init, [NAME])).exit).toBe(0);
    await (await session.repository()).read();
    await session.simulator.remove();
    expect((await told(session, init, [NAME])).exit).toBe(1);
    await told(session, deleteCollection, [NAME]);
    expect((await told(session, init, [NAME])).exit).toBe(0);
  });
});

describe('delete --remote', () => {
  test('asks first', async () => {
    const session = await loaded();
    const before = session.simulator.state;
    session.answers.push('n', 'y');
    expect(await told(session, deleteCollection, ['--remote', NAME])).toEqual(says('Nothing was done.\n'));
    expect(session.simulator.state).toBe(before);
    expect(await told(session, deleteCollection, ['--remote', NAME])).toEqual(EVERYWHERE);
    expect(session.simulator.state.size).toBe(0);
    expect(session.asked).toEqual([QUESTION, QUESTION]);
  });

  test('--yes does not', async () => {
    const session = await loaded();
    expect(await told(session, deleteCollection, ['--remote', '-y', NAME])).toEqual(EVERYWHERE);
    expect([session.asked, session.simulator.state.size]).toEqual([[], 0]);
  });

  test('where the server refuses, nothing is lost here', async () => {
    const session = await offline();
    await told(session, add, STAGED);
    expect((await told(session, deleteCollection, ['--remote', '-y', NAME])).exit).toBe(1);
    session.simulator.isOffline = false;
    expect(await told(session, publish, [NAME])).toEqual(says(`Published to ${NAME}.\n`));
  });
});
