import { describe, expect, test } from 'bun:test';
import { readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type AccessRecord, createAccessLog } from '../../../src/serve/observe/access-log.ts';
import { createLog } from '../../../src/serve/observe/log.ts';
import { openLogs } from '../../../src/serve/observe/logs.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { testSettings } from '../fixture.ts';

const NOW = Date.UTC(2026, 10, 23, 17, 5, 9, 30);
const EXCHANGE: AccessRecord = {
  id: 'run-1',
  at: NOW,
  address: '192.0.2.1',
  user: 'alice',
  method: 'GET',
  url: new URL(
    'https://localhost:5000/auth/token?service=signet&scope=repository:a/b:pull&refresh_token=hunter2&password=x',
  ),
  host: 'localhost:5000',
  agent: 'docker/28 "x"\\\n\u001b[31m',
  status: 200,
  bytes: 17,
  duration: 1.234567,
};

describe('the log', () => {
  function lines(format: 'text' | 'json', level: 'debug' | 'info' | 'warning' | 'error') {
    const written: string[] = [];
    const log = createLog({ level, format, write: (line) => written.push(line), now: () => NOW });
    log.debug('d');
    log.info('started', { url: 'https://localhost:5000', gone: undefined, count: 2 });
    log.warn('odd\u001b[2J\nname', { name: 'a b\n"c"' });
    log.error('failed');
    return written;
  }

  test('is JSON, one object to a line', () => {
    expect(lines('json', 'info')).toEqual([
      '{"time":"2026-11-23T17:05:09.030Z","level":"info","msg":"started","url":"https://localhost:5000","count":2}\n',
      '{"time":"2026-11-23T17:05:09.030Z","level":"warning","msg":"odd\\u001b[2J\\nname","name":"a b\\n\\"c\\""}\n',
      '{"time":"2026-11-23T17:05:09.030Z","level":"error","msg":"failed"}\n',
    ]);
  });

  test('is text without control characters', () => {
    expect(lines('text', 'info')).toEqual([
      '2026-11-23T17:05:09.030Z INFO    started url=https://localhost:5000 count=2\n',
      '2026-11-23T17:05:09.030Z WARNING odd\\u001b[2J\\nname name="a b\\n\\"c\\""\n',
      '2026-11-23T17:05:09.030Z ERROR   failed\n',
    ]);
  });

  test('leaves out what is below its level', () => {
    expect(['debug', 'info', 'warning', 'error'].map((level) => lines('text', level as 'debug').length)).toEqual([
      4, 3, 2, 1,
    ]);
  });
});

describe('the access log', () => {
  function line(format: 'text' | 'json', exchange: AccessRecord): string {
    let written = '';
    createAccessLog(format, (text) => {
      written += text;
    })(exchange);
    return written;
  }

  test('has the combined format, without values that could be secret', () => {
    expect(line('text', EXCHANGE)).toBe(
      '192.0.2.1 - alice [23/Nov/2026:17:05:09 +0000] "GET /auth/token?service=signet&scope=repository%3Aa%2Fb%3Apull&refresh_token=***&password=*** HTTP/1.1" 200 17 "-" "docker/28 \\"x\\"\\\\\\x0a\\x1b[31m"\n',
    );
    expect(
      line('text', { ...EXCHANGE, user: undefined, bytes: undefined, url: new URL('http://a/'), agent: '-' }),
    ).toBe('192.0.2.1 - - [23/Nov/2026:17:05:09 +0000] "GET / HTTP/1.1" 200 - "-" "-"\n');
  });

  test('or is JSON', () => {
    expect(JSON.parse(line('json', EXCHANGE))).toEqual({
      time: '2026-11-23T17:05:09.030Z',
      level: 'info',
      msg: 'request',
      id: 'run-1',
      address: '192.0.2.1',
      user: 'alice',
      method: 'GET',
      target: '/auth/token?service=signet&scope=repository%3Aa%2Fb%3Apull&refresh_token=***&password=***',
      host: 'localhost:5000',
      agent: EXCHANGE.agent,
      status: 200,
      bytes: 17,
      ms: 1.23,
    });
  });

  test('is bounded, whatever a client sends', () => {
    const long = {
      ...EXCHANGE,
      agent: 'a'.repeat(9000),
      url: new URL(`https://a/${'b'.repeat(9000)}`),
      host: 'c'.repeat(9000),
    };
    expect(line('json', long).length).toBeLessThan(3500);
    expect(line('text', long).length).toBeLessThan(2500);
  });
});

describe('the file of the access log', () => {
  test('is private, is added to, and follows a renaming when asked', () => {
    const file = join(temporaryFolder(), 'access.log');
    const logs = openLogs(testSettings({ accessLog: file }), () => {}, Date.now);
    logs.logAccess?.(EXCHANGE);
    renameSync(file, `${file}.1`);
    logs.reopen();
    logs.logAccess?.(EXCHANGE);
    logs.logAccess?.(EXCHANGE);
    logs.close();
    expect(readFileSync(`${file}.1`, 'utf8').split('\n')).toHaveLength(2);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = openLogs(testSettings({ accessLog: file, logFormat: 'json' }), () => {}, Date.now);
    again.logAccess?.(EXCHANGE);
    again.close();
    const last = readFileSync(file, 'utf8').split('\n').at(-2) ?? '';
    expect(JSON.parse(last).status).toBe(200);
  });

  test('must be writable from the start', async () => {
    const file = join(temporaryFolder(), 'missing', 'access.log');
    await failure(() => openLogs(testSettings({ accessLog: file }), () => {}, Date.now), 'access-log-unusable');
  });
});
