import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from '../support/cleanup.ts';
import { makeCertificate } from './fixture.ts';

/** A registry in a process of its own. */
export interface ServerChild {
  readonly pid: number;
  readonly url: string;
  /** The most memory it has had, in bytes. */
  peakMemory(): number;
  /** As `kill -9` does it; returns once the process is gone. */
  kill(): Promise<void>;
}

/** Starts a registry over `folder`, where a certificate is made if there is none. It ends with the tests at the latest. */
export async function startServer(folder: string, environment: Record<string, string> = {}): Promise<ServerChild> {
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  if (!(await Bun.file(certificate).exists())) await makeCertificate(folder);
  const program = join(import.meta.dir, 'server-process.ts');
  const child = Bun.spawn([process.execPath, program, folder, certificate, key], {
    env: { ...process.env, ...environment },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await child.exited;
  };
  atEnd(kill);
  const { value } = await child.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value));
  return {
    pid: child.pid,
    url: `https://127.0.0.1:${port}`,
    peakMemory: () => peakMemoryOf(child.pid),
    kill,
  };
}

export function peakMemoryOf(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
