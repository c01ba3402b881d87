import { expect, test } from 'bun:test';
import { limitBody } from '../../src/serve/body-limit.ts';
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
