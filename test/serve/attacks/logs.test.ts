import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/temp.ts';
import { basic, Target } from './target.ts';
import { ELSEWHERE, exchange, HOST, request } from './wire.ts';

// Nothing that a request says can write a line of its own into a log, or reach the terminal that it is read on.

const file = join(temporaryFolder(), 'access.log');
const inText = await Target.start({ args: [`--access-log=${file}`] });
const inJson = await Target.start({ args: ['--access-log=stderr', '--log-level=debug', '--log-format=json'] });

const LINES = ['\n', '\r\n', '\r', '%0a', '%0d%0a', '\u0085', '\u2028', '%e2%80%a8'];
const TERMINAL = ['\x1b[2J', '\x9b2J', '%1b[2J', '\x07', '%9b2J', '\x08'];
const MARK = 'FORGED 2026-11-23 level=info msg=started';
/** What ends a line, or moves the cursor of a terminal. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

async function attack(target: Target): Promise<void> {
  for (const sign of [...LINES, ...TERMINAL]) {
    const text = `${sign}${MARK}`;
    const { Authorization } = basic(`alice${text}`, 'x');
    const encoded = encodeURIComponent(text);
    for (const bytes of [
      request(`GET /v2/${text}`, HOST),
      request(`GET /v2/${encoded}/manifests/x`, HOST),
      request(`GET /v2/?scope=${encoded}&account=${encoded}&${encoded}=x`, HOST),
      request('GET /v2/', HOST, `User-Agent: ${text}`),
      request('GET /v2/', `Host: ${text}`),
      request('GET /v2/', HOST, `X-Forwarded-For: ${text}`, `Referer: ${text}`),
      request('GET /auth/token', HOST, `Authorization: ${Authorization}`),
      request(`GET /v2/${encoded}/_trust/tuf/root.json`, HOST),
    ]) {
      await exchange(target, Buffer.from(bytes, 'utf8'));
      await exchange(target, bytes);
    }
  }
}

test('the access log as text has one line for each request', async () => {
  await inText.withstands(() => attack(inText));
  await inText.server.stop();
  const log = readFileSync(file, 'utf8');
  const lines = log.trimEnd().split('\n');
  expect(
    lines.filter(
      (line) =>
        !/^127\.0\.0\.\d+ - [a-z-]+ \[[^\]]+\] "(?:[^"\\]|\\.)*" \d{3} (?:\d+|-) "-" "(?:[^"\\]|\\.)*"$/.test(line),
    ),
  ).toEqual([]);
  expect(lines.some((line) => line.startsWith(`${ELSEWHERE} - - [`))).toBe(true);
  expect(CONTROL.exec(log)).toBeNull();
}, 120_000);

test('the log as JSON has one object on each line, without control characters', async () => {
  await inJson.withstands(() => attack(inJson));
  await inJson.server.stop();
  const lines = inJson.server.log().trimEnd().split('\n');
  const entries = lines.filter((line) => line.startsWith('{'));
  for (const line of entries) expect(typeof (JSON.parse(line) as { msg: unknown }).msg).toBe('string');
  expect(lines.filter((line) => line.includes('FORGED') && !line.startsWith('{"time":"'))).toEqual([]);
  expect(entries.filter((line) => CONTROL.test(line))).toEqual([]);
}, 120_000);
