import { expect, test } from 'bun:test';
import { SignetError } from '../../src/core/errors/index.ts';
import { admitBody, bodyOf, readBody } from '../../src/http/body.ts';
import type { Call } from '../../src/http/call.ts';
import { failure } from '../support/failure.ts';
import { callOf } from '../support/routes.ts';

const UNLIMITED = Number.POSITIVE_INFINITY;
const ERRORS = {
  tooLarge: () => new SignetError('manifest-too-large', 'too large for its reader'),
  interrupted: (cause: unknown) => new SignetError('body-interrupted', 'it broke off', { cause }),
};

function streamed(...pieces: readonly number[]): Request {
  const body = new ReadableStream({
    start(controller) {
      for (const size of pieces) controller.enqueue(new Uint8Array(size));
      controller.close();
    },
  });
  return new Request('https://localhost/', { method: 'POST', body });
}

function declared(length: string): Request {
  return new Request('https://localhost/', { method: 'POST', body: 'x', headers: { 'Content-Length': length } });
}

function call(request: Request, limit: number, memory = 0, keep: Call['keep'] = () => {}): Call {
  return callOf(request, { body: { limit, memory }, keep });
}

async function lengthOf(of: Call): Promise<number> {
  return (await readBody(of, UNLIMITED, ERRORS)).length;
}

test('a longer body is refused before it is read if its length is declared', async () => {
  admitBody(call(declared('10'), 10));
  const error = await failure(() => admitBody(call(declared('11'), 10)), 'too-large');
  expect(error.httpStatus).toBe(413);
  await failure(() => admitBody(call(declared('99999999999999999999'), 10)), 'too-large');
  admitBody(call(declared('1, 1'), 0));
  await failure(lengthOf(call(declared('1, 1'), 0)), 'too-large');
});

test('a body of unknown length breaks off after the limit', async () => {
  admitBody(call(streamed(11), 10));
  expect(await lengthOf(call(streamed(4, 6), 10))).toBe(10);
  await failure(lengthOf(call(streamed(4, 6, 1), 10)), 'too-large');
  await failure(lengthOf(call(streamed(11), 10)), 'too-large');
  await failure(lengthOf(call(streamed(1), 0)), 'too-large');
});

test('its reader has a limit and errors of its own', async () => {
  const read = (request: Request) => readBody(call(request, UNLIMITED), 10, ERRORS);
  expect((await read(streamed(4, 6))).length).toBe(10);
  await failure(read(streamed(4, 6, 1)), 'manifest-too-large');
  const unread = declared('11');
  await failure(read(unread), 'manifest-too-large');
  expect(unread.bodyUsed).toBe(false);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new TypeError('gone')) });
  const request = () => new Request('https://localhost/', { method: 'POST', body: broken });
  await failure(read(request()), 'body-interrupted');
});

test('what breaks off is the error of the transport if its reader has none', async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new TypeError('gone')) });
  const request = new Request('https://localhost/', { method: 'POST', body: broken });
  const pieces = bodyOf(call(request, UNLIMITED));
  await expect(pieces.next()).rejects.toThrow(new TypeError('gone'));
});

test('a request without a body has an empty one', async () => {
  expect(await lengthOf(call(new Request('https://localhost/'), 0))).toBe(0);
});

test('bytes are counted before they are taken, all at once if their number is declared, none of what is passed on', async () => {
  const counted: number[] = [];
  const count = (bytes: number) => void counted.push(bytes);
  const whole = call(declared('10'), 10, 10, count);
  admitBody(whole);
  expect(await lengthOf(whole)).toBe(1);
  expect(counted.splice(0)).toEqual([10]);
  const pieces = call(streamed(4, 6), UNLIMITED, 5, count);
  admitBody(pieces);
  expect(await lengthOf(pieces)).toBe(10);
  expect(counted.splice(0)).toEqual([4, 5]);
  await lengthOf(call(streamed(4, 6), UNLIMITED, 0, count));
  expect(counted).toEqual([]);
  const refuse = () => {
    throw new SignetError('network-busy', 'too much');
  };
  await failure(() => admitBody(call(declared('10'), 10, 10, refuse)), 'network-busy');
  await failure(lengthOf(call(streamed(1), 10, 10, refuse)), 'network-busy');
});
