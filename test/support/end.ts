const GRACE_MS = 20_000;

/**
 * Terminates a child, and kills it if it does not exit within `grace` milliseconds. Returns whether it exited by
 * itself.
 */
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
