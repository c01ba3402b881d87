import { describe, expect, test } from 'bun:test';
import { digestOf } from '../../../src/core/names/digest.ts';
import { parseContainer, parseService } from '../../../src/engine/api/existing.ts';
import { failure } from '../../support/failure.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const ID = digestOf(Buffer.from('image'));
const spec = (Image: unknown) => ({ TaskTemplate: { ContainerSpec: { Image } } });

describe('what exists already', () => {
  test('is a container made from an image with an ID', () => {
    expect(parseContainer(bytes({ Id: 'x', Image: ID, Config: { Image: 'evil:1' } }))).toEqual({ image: ID });
  });

  test('is a service whose specifications name an image', () => {
    expect(parseService(bytes({ Spec: spec('a:1'), PreviousSpec: spec('a:0') }))).toEqual({
      current: 'a:1',
      previous: 'a:0',
    });
    expect(parseService(bytes({ Spec: spec('a:1') }))).toEqual({ current: 'a:1', previous: undefined });
    expect(parseService(bytes({ Spec: { TaskTemplate: { PluginSpec: {} } }, PreviousSpec: null }))).toEqual({
      current: undefined,
      previous: undefined,
    });
  });

  test.each([[{}], [{ Image: 'alpine' }], [{ Image: 7 }], [[]], ['']])('is no container: %j', async (value) => {
    await failure(() => parseContainer(bytes(value)), 'engine-response-invalid');
  });

  test.each([[{ Spec: [] }], [{ Spec: {} }], [{ Spec: spec(7) }], [[]]])('is no service: %j', async (value) => {
    await failure(() => parseService(bytes(value)), 'engine-response-invalid');
  });
});
