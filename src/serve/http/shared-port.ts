import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Linux' numbers of these options (asm-generic/socket.h). */
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const SO_ATTACH_REUSEPORT_CBPF = 51;
/** `return 1` as a classic BPF program (linux/filter.h): one instruction of a code, two jumps and a value. */
const CHOOSE_SECOND = Uint32Array.of(0x06, 1);
const LISTENING = '0A';

interface Native {
  setOption(descriptor: number, option: number, value: NodeJS.TypedArray): boolean;
  addressOf(value: NodeJS.TypedArray): bigint;
}

/** What a listener and the next one need to stand on one port. */
interface SharedPort {
  /** To be called once the second listener is open: from now on it gets every new connection. */
  chooseSecond(): void;
}

/**
 * Lets a second listener of this process stand on the port of the first, so that no connection is lost when the one takes
 * over from the other: a listener that closes resets what waits in its queue. Each of the two is a group of one
 * beforehand; the program stays with the group, and chooses the only one if there is no second.
 *
 * Undefined if the system has no such means, as all but Linux.
 */
export async function sharePort(port: number): Promise<SharedPort | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const native = await openNative();
    const setAll = (option: number, value: NodeJS.TypedArray) =>
      listenersOn(port).map((descriptor) => native.setOption(descriptor, option, value));
    if (!setAll(SO_REUSEPORT, Int32Array.of(1)).includes(true)) return undefined;
    // Without the program the system shares connections out between the two, which loses none while both are open.
    const program = BigUint64Array.of(1n, native.addressOf(CHOOSE_SECOND));
    return { chooseSecond: () => void setAll(SO_ATTACH_REUSEPORT_CBPF, program) };
  } catch {
    return undefined;
  }
}

/** Loaded for the few moments in which a certificate changes. */
async function openNative(): Promise<Native> {
  const { dlopen, ptr } = await import('bun:ffi');
  const { symbols } = dlopen('libc.so.6', {
    setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
  });
  return {
    setOption: (descriptor, option, value) =>
      symbols.setsockopt(descriptor, SOL_SOCKET, option, ptr(value), value.byteLength) === 0,
    addressOf: (value) => BigInt(ptr(value)),
  };
}

/** Descriptors of this process that listen on the port. */
function listenersOn(port: number): readonly number[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n')) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (state === LISTENING && local.endsWith(end)) inodes.add(`socket:[${inode}]`);
    }
  }
  return readdirSync('/proc/self/fd')
    .filter((name) => inodes.has(targetOf(name)))
    .map(Number);
}

function targetOf(name: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    return '';
  }
}
