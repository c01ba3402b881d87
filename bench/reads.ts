/**
 * Reads of trust data: `signet serve --auth off` beside nginx, which serves the same bytes as static files with one
 * worker, by turns, over TLS with connections that are kept alive. Each figure is the median of the rounds; ratios are
 * those of one round. Needs `wrk` and, to compare with it, `nginx` (Debian: wrk, nginx-light), and `npm run build`:
 *
 *     npx bun bench/reads.ts [OTHER-SIGNET]
 *
 * OTHER-SIGNET is another executable, of the version before a change for example.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Editor } from '../src/core/edit/editor.ts';
import { parseJson } from '../src/core/json/parse.ts';
import { parsePublicKey } from '../src/core/keys/public-key.ts';
import { digestHex, digestOf } from '../src/core/names/digest.ts';
import { parseGun } from '../src/core/names/gun.ts';
import { DAY } from '../src/core/time.ts';
import { TestKeys } from '../test/support/test-keys.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 3);
const CONNECTIONS = [16, 128];
const BY_CHECKSUM = 'root.SHA256.json';
const GUN = parseGun('localhost/bench/app');

interface Server {
  readonly name: string;
  readonly url: string;
  /** What a file of the kind is called that changes with each repository. */
  readonly named: Map<string, string>;
  stop(): Promise<void>;
}

interface Figures {
  readonly perSecond: number;
  /** In milliseconds. */
  readonly p99: number;
}

if (!isInstalled('wrk')) throw new Error('wrk is needed: apt-get install wrk');
const folder = mkdtempSync(join(tmpdir(), 'signet-bench-'));
const [certificate, key] = makeCertificate();
const servers: Server[] = [];
try {
  const signet = await startSignet('signet', join(import.meta.dir, '../dist/signet'));
  servers.push(signet);
  const files = await publish(signet);
  const [other] = process.argv.slice(2);
  if (other !== undefined) {
    servers.push(await startSignet('other', other));
    await publish(servers.at(-1) ?? signet);
  }
  if (isInstalled('nginx')) servers.push(await startNginx(files));
  for (const connections of CONNECTIONS) {
    for (const file of ['timestamp.json', 'root.json', BY_CHECKSUM]) measure(file, connections);
  }
} finally {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true });
}

/** The first round only makes everything warm. */
function measure(file: string, connections: number): void {
  const rounds = Array.from({ length: ROUNDS + 1 }, (_, round) => {
    const inTurn = round % 2 === 0 ? servers : servers.toReversed();
    return new Map(
      inTurn.map(({ name, url, named }) => [
        name,
        load(`${url}/v2/${GUN}/_trust/tuf/${named.get(file) ?? file}`, connections),
      ]),
    );
  }).slice(1);
  const label = `GET ${file}, ${connections} connections`;
  const cells = servers.map(({ name }) => {
    const perSecond = median(rounds.map((round) => round.get(name)?.perSecond ?? 0));
    const p99 = median(rounds.map((round) => round.get(name)?.p99 ?? 0));
    return `${name} ${Math.round(perSecond)}/s p99 ${p99.toFixed(1)} ms`;
  });
  const ratios = servers.slice(1).map(({ name }) => {
    const ratio = median(rounds.map((r) => (r.get('signet')?.perSecond ?? 0) / (r.get(name)?.perSecond ?? 1)));
    return `${ratio.toFixed(2)} of ${name}`;
  });
  console.log([`${label}:`, ...cells, ...ratios].join('  '));
}

function load(url: string, connections: number): Figures {
  const wrk = ['--latency', '--threads', '1', '--connections', String(connections), '--duration', `${SECONDS}s`, url];
  const { stdout } = spawnSync('wrk', wrk, { encoding: 'utf8' });
  const [, perSecond] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  if (perSecond === undefined || stdout.includes('Non-2xx')) throw new Error(`wrk: ${stdout}`);
  return { perSecond: Number(perSecond), p99: Number(p99) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1) };
}

/** Founds a repository; returns what the server then serves, by its names. */
async function publish({ url, named }: Server): Promise<ReadonlyMap<string, Buffer>> {
  const base = `${url}/v2/${GUN}/_trust/tuf/`;
  const get = async (name: string) => Buffer.from(await (await send(`${base}${name}`)).bytes());
  const now = Date.now();
  const keys = new TestKeys();
  const keyOf = async (role: string) => parsePublicKey(parseJson(await get(`${role}.key`)), role);
  const editor = Editor.create({
    root: [keys.makeRoot(GUN, now - DAY)],
    targets: keys.make(),
    snapshot: await keyOf('snapshot'),
    timestamp: await keyOf('timestamp'),
  });
  editor.addTarget('targets', 'latest', { length: 528, hashes: new Map([['sha256', Buffer.alloc(32)]]) });
  const form = new FormData();
  for (const [role, bytes] of await editor.sign(keys, now)) {
    form.append('files', new Blob([new Uint8Array(bytes)]), role);
  }
  await send(base, { method: 'POST', body: form });
  const [timestamp, current] = [await get('timestamp.json'), await get('root.json')];
  const byChecksum = `root.${digestHex(digestOf(current))}.json`;
  named.set(BY_CHECKSUM, byChecksum);
  return new Map([
    ['timestamp.json', timestamp],
    ['root.json', current],
    [byChecksum, current],
  ]);
}

async function send(url: string, init: BunFetchRequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, tls: { rejectUnauthorized: false } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}

async function startSignet(name: string, program: string): Promise<Server> {
  const port = freePort();
  const data = join(folder, name);
  const tls = ['--tls-certificate', certificate, '--tls-key', key];
  const settings = ['--auth', 'off', '--max-requests', '4096', '--data', data, ...tls];
  const child = Bun.spawn([program, 'serve', '--listen', `127.0.0.1:${port}`, ...settings], {
    stdout: 'ignore',
    stderr: 'ignore',
  });
  return started(
    { name, url: `https://127.0.0.1:${port}`, named: new Map(), stop: () => stopped(child) },
    '/_signet/health',
  );
}

async function startNginx(files: ReadonlyMap<string, Buffer>): Promise<Server> {
  const port = freePort();
  const root = join(folder, 'nginx');
  for (const [name, bytes] of files) {
    const path = join(root, 'v2', GUN, '_trust/tuf', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  const configuration = join(root, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${root}/tmp;`,
  );
  writeFileSync(
    configuration,
    `worker_processes 1; daemon off; master_process off; pid ${root}/pid; error_log stderr crit;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; open_file_cache max=100; sendfile on; ${temporary.join(' ')}
  server { listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key}; root ${root}; } }`,
  );
  const child = Bun.spawn(['nginx', '-c', configuration, '-p', root], { stdout: 'ignore', stderr: 'inherit' });
  const url = `https://127.0.0.1:${port}`;
  const named = new Map([...files.keys()].map((file) => [file.replace(/[0-9a-f]{64}/, 'SHA256'), file]));
  return started({ name: 'nginx', url, named, stop: () => stopped(child) }, `/v2/${GUN}/_trust/tuf/root.json`);
}

async function started(server: Server, path: string): Promise<Server> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const answer = await fetch(server.url + path, { tls: { rejectUnauthorized: false } }).catch(() => undefined);
    if (answer?.ok) return server;
    await Bun.sleep(20);
  }
  throw new Error(`${server.name} does not start`);
}

async function stopped(child: Bun.Subprocess): Promise<void> {
  child.kill();
  await child.exited;
}

function makeCertificate(): readonly [certificate: string, key: string] {
  const [cert, privateKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const made = spawnSync('openssl', [...request.split(' '), '-keyout', privateKey, '-out', cert]);
  if (made.status !== 0) throw new Error('openssl cannot make a certificate');
  return [cert, privateKey];
}

function isInstalled(program: string): boolean {
  return Bun.which(program, { PATH: `${process.env.PATH}:/usr/sbin` }) !== null;
}

function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
