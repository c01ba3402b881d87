const GRACE_MS = 20_000;

/** Asks a child to end, and kills it if it does not within `grace` milliseconds. Returns whether it ended by itself. */
export async function endChild(
  child: Bun.Subprocess,
  grace = GRACE_MS,
  signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM',
): Promise<boolean> {
  child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), grace);
  await child.exited;
  clearTimeout(killer);
  return child.signalCode !== 'SIGKILL';
}
