/**
 * Pushes and pulls 1 GiB in several blobs of random content, as docker does (a POST, a PATCH of unknown length, a PUT;
 * three at a time), with Signet's registry and with docker's own (Debian's `docker-registry`), by turns. Both store into
 * a folder of the same disk and speak TLS; curl is the client. Run it with `npx bun bench/registry.ts`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MiB = 1024 * 1024;
const BLOBS = 8;
const BLOB_MIB = 128;
const AT_A_TIME = 3;
const ROUNDS = 6;
const CURL = ['curl', '--silent', '--show-error', '--fail', '--http1.1', '--insecure'];

interface Server {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

interface Blob {
  readonly file: string;
  readonly digest: string;
}

interface Measured {
  readonly seconds: number;
  /** CPU seconds of the server in its own code, and in the system for it. */
  readonly user: number;
  readonly system: number;
}

/** One round with one server. */
interface Round {
  readonly push: Measured;
  readonly pull: Measured;
  /** In MiB. */
  readonly peakMemory: number;
}

const folder = mkdtempSync(join(tmpdir(), 'signet-bench-'));
const ticksPerSecond = Number(await output(['getconf', 'CLK_TCK']));
try {
  const [certificate, key] = await makeCertificate();
  const blobs = await makeBlobs();
  const rounds = { signet: [] as Round[], docker: [] as Round[] };
  const servers = [
    ['signet', startSignet],
    ['docker', startDocker],
  ] as const;
  // The first round only makes the machine warm; its figures do not count.
  for (let round = 0; round <= ROUNDS; round++) {
    // Who comes second finds memory that the first has just given back, so they change places.
    for (const [name, start] of round % 2 === 0 ? servers : servers.toReversed()) {
      const measured = await measureRound(await start(join(folder, `${name}-${round}`), certificate, key), blobs);
      rmSync(join(folder, `${name}-${round}`), { recursive: true });
      if (round > 0) rounds[name].push(measured);
    }
  }
  report(rounds.signet, rounds.docker);
} finally {
  rmSync(folder, { recursive: true });
}

async function measureRound(server: Server, blobs: readonly Blob[]): Promise<Round> {
  try {
    const push = await measure(server, () => inParallel(blobs, (blob) => pushBlob(server, blob)));
    const pull = await measure(server, () => inParallel(blobs, (blob) => pullBlob(server, blob)));
    return { push, pull, peakMemory: peakMemoryOf(server.pid) };
  } finally {
    await server.stop();
  }
}

async function measure(server: Server, work: () => Promise<void>): Promise<Measured> {
  const [before, start] = [cpuOf(server.pid), performance.now()];
  await work();
  const [after, end] = [cpuOf(server.pid), performance.now()];
  return {
    seconds: (end - start) / 1000,
    user: after.user - before.user,
    system: after.system - before.system,
  };
}

async function pushBlob({ url }: Server, { file, digest }: Blob): Promise<void> {
  const begun = await output([...CURL, '-X', 'POST', '-D', '-', '-o', '/dev/null', `${url}/v2/bench/blobs/uploads/`]);
  const upload = locationIn(begun, url);
  const chunked = ['-H', 'Transfer-Encoding: chunked', '-H', 'Expect:'];
  const patched = await output([...CURL, '-X', 'PATCH', '-D', '-', '-o', '/dev/null', ...chunked, '-T', file, upload]);
  const finish = new URL(locationIn(patched, url));
  finish.searchParams.set('digest', digest);
  await output([...CURL, '-X', 'PUT', '-o', '/dev/null', '-H', 'Content-Length: 0', finish.href]);
}

async function pullBlob({ url }: Server, { digest }: Blob): Promise<void> {
  await output([...CURL, '-o', '/dev/null', `${url}/v2/bench/blobs/${digest}`]);
}

function locationIn(head: string, base: string): string {
  const [, location] = /^location: *(\S+)/im.exec(head) ?? [];
  if (location === undefined) throw new Error(`no Location in ${head}`);
  return new URL(location, base).href;
}

async function inParallel(blobs: readonly Blob[], work: (blob: Blob) => Promise<void>): Promise<void> {
  const waiting = [...blobs];
  const worker = async () => {
    for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) await work(blob);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

async function startSignet(data: string, certificate: string, key: string): Promise<Server> {
  await mkdir(data);
  const program = join(import.meta.dir, '..', 'test', 'registry', 'server-process.ts');
  const child = Bun.spawn([process.execPath, program, data, certificate, key], { stdout: 'pipe', stderr: 'inherit' });
  const { value } = await child.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value));
  return running('Signet', `https://127.0.0.1:${port}`, child);
}

async function startDocker(data: string, certificate: string, key: string): Promise<Server> {
  await mkdir(data);
  const port = freePort();
  const configuration = join(data, 'config.yml');
  await Bun.write(
    configuration,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${data} } }
http: { addr: "127.0.0.1:${port}", tls: { certificate: ${certificate}, key: ${key} } }
`,
  );
  const child = Bun.spawn(['docker-registry', 'serve', configuration], { stdout: 'ignore', stderr: 'ignore' });
  const url = `https://127.0.0.1:${port}`;
  while (!(await answers(url))) await Bun.sleep(20);
  return running("docker's", url, child);
}

function running(name: string, url: string, child: Bun.Subprocess): Server {
  const stop = async () => {
    child.kill();
    await child.exited;
  };
  return { name, url, pid: child.pid, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/v2/`, { tls: { rejectUnauthorized: false } })).ok;
  } catch {
    return false;
  }
}

function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

async function makeCertificate(): Promise<[string, string]> {
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const command =
    'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  await output([...command.split(' '), '-addext', names, '-keyout', key, '-out', certificate]);
  return [certificate, key];
}

async function makeBlobs(): Promise<Blob[]> {
  const blobs: Blob[] = [];
  for (let number = 0; number < BLOBS; number++) {
    const file = join(folder, `blob-${number}`);
    const hasher = new Bun.CryptoHasher('sha256');
    const writer = Bun.file(file).writer();
    for (let block = 0; block < BLOB_MIB; block++) {
      const bytes = Buffer.alloc(MiB);
      for (let at = 0; at < MiB; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
      hasher.update(bytes);
      writer.write(bytes);
      await writer.flush();
    }
    await writer.end();
    blobs.push({ file, digest: `sha256:${hasher.digest('hex')}` });
  }
  return blobs;
}

function cpuOf(pid: number): { user: number; system: number } {
  // The name of the program, in parentheses, may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return { user: Number(fields[11]) / ticksPerSecond, system: Number(fields[12]) / ticksPerSecond };
}

function peakMemoryOf(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

async function output(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdout: 'pipe', stderr: 'pipe' });
  const [text, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${errors}`);
  return text;
}

function report(signet: readonly Round[], docker: readonly Round[]): void {
  console.log(`${BLOBS} blobs of ${BLOB_MIB} MiB, ${AT_A_TIME} at a time, median of ${ROUNDS} rounds`);
  for (const direction of ['push', 'pull'] as const) {
    const ours = middle(signet.map((round) => round[direction]));
    const theirs = middle(docker.map((round) => round[direction]));
    console.log(`${direction}  Signet    ${describe(ours)}`);
    console.log(`      docker's  ${describe(theirs)}`);
    const speed = theirs.seconds / ours.seconds;
    const cpu = (ours.user + ours.system) / (theirs.user + theirs.system);
    console.log(`      ratio     ${speed.toFixed(2)} of the throughput, ${cpu.toFixed(2)} of the CPU time`);
  }
  const memory = [signet, docker].map((rounds) => Math.max(...rounds.map((round) => round.peakMemory)).toFixed(0));
  console.log(`peak memory  Signet ${memory[0]} MiB, docker's ${memory[1]} MiB`);
}

function describe({ seconds, user, system }: Measured): string {
  const throughput = ((BLOBS * BLOB_MIB) / seconds).toFixed(0).padStart(5);
  return `${throughput} MiB/s, ${(user + system).toFixed(2)} s CPU (${user.toFixed(2)} user, ${system.toFixed(2)} system)`;
}

/** Each figure's median for itself. */
function middle(all: readonly Measured[]): Measured {
  const median = (figure: (measured: Measured) => number) =>
    all.map(figure).sort((a, b) => a - b)[Math.floor((all.length - 1) / 2)] ?? Number.NaN;
  return {
    seconds: median(({ seconds }) => seconds),
    user: median(({ user }) => user),
    system: median(({ system }) => system),
  };
}
