import { describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFakeEngine, stream } from '../engine/fake-engine.ts';
import { makeAuthority } from '../remote/certificates.ts';
import { serve, type TestServer } from '../remote/servers.ts';
import { type LyingServer, startLyingServer } from '../support/lying-server.ts';
import { run, runInTerminal } from '../support/run.ts';
import { target } from '../support/simulator.ts';
import { temporaryFolder } from '../support/temp.ts';

const SOURCES = join(import.meta.dir, '../../src');
const MAIN = join(SOURCES, 'cli/main.ts');
/** Clears the screen, goes to the line's start, turns text round, hides, colours by a C1 control, rings, tags, and ends. */
const HOSTILE = 'ev\u001b[2J\u001b]0;title\u0007\r\u202e\u200b\u2066\u009b31m\u0008\u007f\u00ad\u{e0041}\u3164\u2028il';
/** As much of it as the name of a target may have. */
const HOSTILE_TAG = 'ev\u202e\u200b\u00adil';
/** Nothing of this may stand in output; a line feed and a tab may. */
const RAW = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** What is left of the hostile text in every form in which it may be shown. */
const TRACE = /ev[^a-z]/;
const authority = makeAuthority('the authority');
const certificate = authority.issue(['localhost']);

/** A person's folder, and the environment to run Signet in. */
interface Home {
  readonly folder: string;
  readonly env: Record<string, string>;
}

function home(files: Readonly<Record<string, unknown>> = {}, env: Readonly<Record<string, string>> = {}): Home {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return {
    folder,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      DOCKER_CONFIG: folder,
      SIGNET_DEBUG: '1',
      TERM: 'xterm',
      ...env,
    },
  };
}

function trusting(server: TestServer, files: Readonly<Record<string, unknown>> = {}): Home & { readonly host: string } {
  const made = home(files);
  const { host } = new URL(server.origin);
  mkdirSync(join(made.folder, 'tls', host), { recursive: true });
  writeFileSync(join(made.folder, 'tls', host, 'ca.crt'), authority.cert);
  return { ...made, host };
}

/** Somebody who trusts a server's certificate, and enforces. */
function visiting(server: LyingServer, env: Readonly<Record<string, string>> = {}): Home {
  const made = home({}, { DOCKER_CONTENT_TRUST: '1', ...env });
  mkdirSync(join(made.folder, 'tls', server.host), { recursive: true });
  writeFileSync(join(made.folder, 'tls', server.host, 'ca.crt'), readFileSync(server.authority));
  return made;
}

/** The same with an engine that does not have the image, and says `answer` when it is to pull it. */
function pulling(server: LyingServer, answer: () => Response): Home {
  const engine = startFakeEngine({ answer: ({ path }) => (path === '/images/create' ? answer() : undefined) });
  return visiting(server, { DOCKER_HOST: engine.host });
}

async function withHostileTag(): Promise<LyingServer> {
  const server = await startLyingServer({ now: Date.now() });
  await server.simulator.edit((editor) => editor.addTarget('targets', HOSTILE_TAG, target(7)));
  return server;
}

function program(folder: string, name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** A command to run, and where. */
interface Scene {
  readonly home: Home;
  readonly words: readonly string[];
  /** On a terminal, progress is shown in place, by sequences of Signet's own. */
  readonly hasProgress?: boolean;
}

/** What the display of progress may send. */
const PROGRESS = /\u001b\[\d+[AB]|\u001b\[2K|\r/g;
const hostileError = {
  errors: [{ code: HOSTILE, message: HOSTILE, detail: HOSTILE }],
  details: HOSTILE,
  message: HOSTILE,
};

/** Where texts of others come from, with a command that shows each. */
const SOURCES_OF_TEXT: Readonly<Record<string, () => Promise<Scene>>> = {
  'the error of a registry at a login': async () => {
    const server: TestServer = serve((_, url) => {
      if (url.pathname === '/token') return Response.json(hostileError, { status: 500 });
      const challenge = `Bearer realm="${server.origin}/token"`;
      return new Response('', { status: 401, headers: { 'WWW-Authenticate': challenge } });
    }, certificate);
    const { host, ...at } = trusting(server);
    return { home: at, words: ['login', '-u', 'alice', '-p', 'x', host] };
  },
  'the error of a registry that is asked for a manifest': async () => {
    const server = await startLyingServer({ now: Date.now() });
    server.lies.set('/v2/acme/app/manifests/c', () => Response.json(hostileError, { status: 500 }));
    return { home: visiting(server), words: ['trust', 'sign', '--remote', `${server.gun}:c`] };
  },
  'the rejection by a trust server': async () => {
    const server = await startLyingServer({ now: Date.now() });
    const detail = { Name: 'ErrBadTargets', Error: { Msg: HOSTILE } };
    const errors = [{ code: 'INVALID_UPDATE', message: HOSTILE, detail }];
    server.lies.set('', () => Response.json({ errors }, { status: 400 }));
    for (const name of ['root', 'timestamp']) server.lies.set(name, () => Response.json({}, { status: 404 }));
    const passphrases = {
      DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'passphrase',
      DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'passphrase',
    };
    const at = visiting(server, passphrases);
    return { home: at, words: ['trust', 'init', server.gun] };
  },
  'the media type of a manifest': async () => {
    const server = await startLyingServer({ now: Date.now() });
    const headers = { 'Content-Type': 'ev\u009b31m/il' };
    server.lies.set('/v2/acme/app/manifests/c', () => new Response('{}', { headers }));
    return { home: visiting(server), words: ['trust', 'sign', '--remote', `${server.gun}:c`] };
  },
  'the tags of a repository': async () => {
    const server = await withHostileTag();
    return { home: visiting(server), words: ['trust', 'inspect', '--pretty', server.gun] };
  },
  'the tags of a repository, as JSON': async () => {
    const server = await withHostileTag();
    return { home: visiting(server), words: ['trust', 'inspect', server.gun] };
  },
  'the targets of a collection': async () => {
    const server = await withHostileTag();
    return { home: visiting(server), words: ['trust', 'list', server.gun] };
  },
  'the steps of a pull': async () => {
    const server = await startLyingServer({ now: Date.now() });
    const steps = [
      { id: HOSTILE, status: HOSTILE },
      { id: HOSTILE, status: HOSTILE, progressDetail: { current: 5, total: 10 } },
      { status: HOSTILE },
    ];
    return {
      home: pulling(server, () => stream(...steps)),
      words: ['pull', `${server.gun}:latest`],
      hasProgress: true,
    };
  },
  'the error that ends a pull': async () => {
    const server = await startLyingServer({ now: Date.now() });
    const answer = () => stream({ error: HOSTILE, errorDetail: { message: HOSTILE } });
    return { home: pulling(server, answer), words: ['pull', `${server.gun}:latest`] };
  },
  'the error that ends a pull for `run`': async () => {
    const server = await startLyingServer({ now: Date.now() });
    const answer = () => stream({ error: HOSTILE, errorDetail: { message: HOSTILE } });
    return { home: pulling(server, answer), words: ['run', `${server.gun}:latest`] };
  },
  'the refusal of an engine': async () => {
    const server = await startLyingServer({ now: Date.now() });
    const answer = () => Response.json({ message: HOSTILE }, { status: 500 });
    return { home: pulling(server, answer), words: ['pull', `${server.gun}:latest`] };
  },
  'the authority in a certificate': async () => {
    const server = serve(() => new Response('{}'), makeAuthority('ev\u202e\u009b31mil').issue(['localhost']));
    const env = { DOCKER_CONTENT_TRUST_SERVER: server.origin };
    return { home: home({}, env), words: ['trust', 'list', 'registry.example/a/b'] };
  },
  'the name of a context': async () => {
    const server = await startLyingServer({ now: Date.now() });
    return { home: visiting(server, { DOCKER_CONTEXT: HOSTILE }), words: ['pull', `${server.gun}:latest`] };
  },
  'the name of a user in config.json': async () => {
    const server = serve(() => new Response('{}'), certificate);
    const { host } = new URL(server.origin);
    const { host: _, ...at } = trusting(server, {
      'config.json': { auths: { [host]: { username: HOSTILE, password: 'x' } } },
    });
    return { home: at, words: ['login', host] };
  },
  'the name of a helper in config.json': async () => ({
    home: home({ 'config.json': { credsStore: HOSTILE } }),
    words: ['logout', 'registry.example'],
  }),
  'a broken config.json': async () => ({
    home: home({ 'config.json': `{"auths":{"${HOSTILE.replaceAll(/[\u0000-\u001f]/g, '')}":3}}` }),
    words: ['login', '-u', 'a', '-p', 'b', 'ev/il\u001b'],
  }),
  'what a credential helper says': async () => {
    const at = home({ 'config.json': { credsStore: 'evil' } });
    program(at.folder, 'docker-credential-evil', `printf '%s' "$TEXT"; exit 1`);
    return {
      home: { ...at, env: { ...at.env, PATH: `${at.folder}:${at.env.PATH}`, TEXT: HOSTILE } },
      words: ['logout', 'registry.example'],
    };
  },
  'a member of signet.json': async () => ({
    home: home({ 'signet.json': { [HOSTILE]: 1 } }),
    words: ['trust', 'inspect', 'alpine'],
  }),
  'a variable of the environment': async () => ({
    home: home({}, { DOCKER_CONTENT_TRUST_SERVER: `http://${HOSTILE}` }),
    words: ['trust', 'list', 'registry.example/a/b'],
  }),
  'the name of the docker command': async () => ({
    home: home({}, { SIGNET_DOCKER: HOSTILE }),
    words: ['images'],
  }),
  'the command line': async () => ({ home: home(), words: ['trust', 'key', 'load', HOSTILE] }),
  'an option of the command line': async () => ({ home: home(), words: ['trust', 'inspect', `--${HOSTILE}`] }),
  'an image on the command line': async () => ({ home: home(), words: ['trust', 'inspect', '--pretty', HOSTILE] }),
  'the role in a key file': async () => {
    const at = home();
    mkdirSync(join(at.folder, 'trust/private'), { recursive: true, mode: 0o700 });
    writeFileSync(
      join(at.folder, 'ev.pem'),
      `-----BEGIN PRIVATE KEY-----\nrole: ${HOSTILE}\n\nAAAA\n-----END PRIVATE KEY-----\n`,
    );
    return { home: at, words: ['trust', 'key', 'load', join(at.folder, 'ev.pem'), '--name', `ev${HOSTILE}`] };
  },
};

describe('text from outside does nothing to a terminal', () => {
  for (const [name, prepare] of Object.entries(SOURCES_OF_TEXT)) {
    test(name, async () => {
      const { home: at, words, hasProgress = false } = await prepare();
      const piped = await run([process.execPath, MAIN, ...words], { env: at.env, cwd: at.folder });
      expect(piped.stdout + piped.stderr).toMatch(TRACE);
      expect(piped.stdout).not.toMatch(RAW);
      expect(piped.stderr).not.toMatch(RAW);
      const shown = await runInTerminal([process.execPath, MAIN, ...words], [], { env: at.env, cwd: at.folder });
      expect(shown.stdout).toMatch(TRACE);
      expect(hasProgress ? shown.stdout.replaceAll(PROGRESS, '') : shown.stdout).not.toMatch(RAW);
    });
  }

  test('and JSON says what it said', async () => {
    const server = await withHostileTag();
    const { env } = visiting(server);
    const { stdout } = await run([process.execPath, MAIN, 'trust', 'inspect', server.gun], { env });
    const [{ SignedTags: tags }] = JSON.parse(stdout);
    expect(tags.map(({ SignedTag: name }: { SignedTag: string }) => name)).toContain(HOSTILE_TAG);
  });

  test('and nothing but the one place writes to the terminal', () => {
    const writers = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .filter((name) =>
        /process\.(?:stdout|stderr)|process\[|console\.|\/dev\/tty|writeSync\((?:1|2|STDOUT|STDERR)\b/.test(
          readFileSync(join(SOURCES, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''),
        ),
      );
    // The server's log escapes its own lines; progress-output.ts asks for the width of the terminal.
    expect(writers.sort()).toEqual(['cli/terminal/streams.ts', 'serve/observe/logs.ts']);
  });
});
