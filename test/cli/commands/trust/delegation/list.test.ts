import { describe, expect, test } from 'bun:test';
import { DELEGATION_LIST } from '../../../../../src/cli/commands/trust/delegation/list.ts';
import { parseDelegation } from '../../../../../src/core/names/role.ts';
import { calling } from '../../../calling.ts';
import { empty, loaded, NAME } from '../../../fake-session.ts';
import { says, told } from '../transcript.ts';
import { BOB, idOf } from './world.ts';

const listDelegations = calling(DELEGATION_LIST);

describe('delegation list', () => {
  test('empty', async () => {
    const session = await empty();
    expect(await told(session, listDelegations, [NAME])).toEqual(says(`No delegations in ${NAME}.\n`));
  });

  test('sorted, with what does not fit on a line below it', async () => {
    const session = await loaded();
    const [one, two] = [await session.keys.create('one'), await session.keys.create('two')];
    await (await session.repository()).publish((editor) => {
      editor.addDelegation(parseDelegation('targets/zoe'), [one.publicKey], []);
      editor.addDelegation(BOB, [one.publicKey, two.publicKey], ['v', 'w x', 'y'], 2);
    });
    const alice = await idOf(session, 'alice');
    const column = (id: string) => id.padEnd(67);
    expect(await told(session, listDelegations, [NAME])).toEqual(
      says(
        [
          `ROLE               PATHS            ${column('KEY IDS')}THRESHOLD\n`,
          `targets/alice      "" <all paths>   ${column(alice)}1\n`,
          `targets/bob        v                ${column(one.id)}2\n`,
          `                   "w x"            ${column(two.id)}\n`,
          `                   y                ${column('')}\n`,
          `targets/releases   "" <all paths>   ${column(alice)}1\n`,
          `targets/zoe                         ${column(one.id)}1\n`,
        ].join(''),
      ),
    );
  });
});
