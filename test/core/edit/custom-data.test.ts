import { describe, expect, test } from 'bun:test';
import { checkCustom } from '../../../src/core/edit/custom-data.ts';
import { type JsonValue, parseJson } from '../../../src/core/json/parse.ts';
import { failure } from '../../support/failure.ts';
import { Simulator, target } from '../../support/simulator.ts';

describe('custom data', () => {
  test.each(['null', '"ä\\u0021/"', '{"b":[1,true],"a":{}}', '-5'])('%s can be signed by all clients', (text) => {
    expect(() => checkCustom(parseJson(text))).not.toThrow();
  });

  test.each(['"<"', '[">"]', '{"&":1}', '{"a":{"b":"\\u2028"}}', '"\\u2029"'])('%s cannot', async (text) => {
    await failure(() => checkCustom(parseJson(text)), 'change-invalid');
  });

  test('with a control character has no canonical form that can be read', async () => {
    await failure(() => checkCustom('a\tb'), 'json-malformed');
  });

  test('is looked at whenever a target is added, and left as it is in targets that are there', async () => {
    const simulator = await Simulator.start();
    const withCustom = (custom: JsonValue) => ({ ...target(2), custom });
    await failure(
      simulator.edit((editor) => editor.addTarget('targets', 'v2', withCustom('<'))),
      'change-invalid',
    );
    await simulator.edit((editor) => editor.addTarget('targets', 'v2', withCustom('=')));
    expect(simulator.file('targets').toString()).toContain('"custom":"="');
  });
});
