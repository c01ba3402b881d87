import { expect, test } from 'bun:test';
import { SignetError } from '../../src/core/errors/index.ts';
import { limitBody } from '../../src/http/body-limit.ts';
import { failure } from '../support/failure.ts';

function streamed(...chunks: readonly number[]): Request {
  const body = new ReadableStream({
    start(controller) {
      for (const size of chunks) controller.enqueue(new Uint8Array(size));
      controller.close();
    },
  });
  return new Request('https://localhost/', { method: 'POST', body });
}

function declared(length: string): Request {
  return new Request('https://localhost/', { method: 'POST', body: 'x', headers: { 'Content-Length': length } });
}

test('a longer body is refused before it is read where its length is declared', async () => {
  limitBody(declared('10'), 10);
  const error = await failure(() => limitBody(declared('11'), 10), 'too-large');
  expect(error.httpStatus).toBe(413);
  await failure(() => limitBody(declared('99999999999999999999'), 10), 'too-large');
});

test('a body of unknown length breaks off after the limit', async () => {
  expect((await limitBody(streamed(4, 6), 10).bytes()).length).toBe(10);
  await failure(limitBody(streamed(4, 6, 1), 10).bytes(), 'too-large');
  await failure(limitBody(streamed(11), 10).bytes(), 'too-large');
  await failure(limitBody(streamed(1), 0).bytes(), 'too-large');
});

test('a request without a body, or without a limit, stays as it is', () => {
  const get = new Request('https://localhost/');
  expect(limitBody(get, 0)).toBe(get);
  const post = streamed(1);
  expect(limitBody(post, Number.POSITIVE_INFINITY)).toBe(post);
});

test('bytes are counted before they are taken: all at once where their number is declared', async () => {
  const counted: number[] = [];
  const count = (bytes: number) => void counted.push(bytes);
  limitBody(declared('10'), 10, count);
  expect((await limitBody(streamed(4, 6), Number.POSITIVE_INFINITY, count).bytes()).length).toBe(10);
  expect(counted).toEqual([10, 4, 6]);
  const refuse = () => {
    throw new SignetError('network-busy', 'too much');
  };
  await failure(() => limitBody(declared('10'), 10, refuse), 'network-busy');
  await failure(limitBody(streamed(1), 10, refuse).bytes(), 'network-busy');
});
