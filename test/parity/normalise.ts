/** What differs from run to run, as one run has it. */
export interface Particulars {
  /** The registry: `localhost:40123`. */
  readonly host: string;
  /** The home folder of the person. */
  readonly home: string;
  /** The engine's socket. */
  readonly socket: string;
}

const HEX = /\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b/g;
/** The first digits of a key's ID, where docker asks for its passphrase. */
const SHORT_ID = /(?<=key with ID )[0-9a-f]{7}\b/g;

/**
 * Rewrites a text so that it is the same in every run: host, home, socket and ports by their names; key IDs, digests and
 * layer IDs by the order in which they first appear in `texts`, with their width kept for the sake of tables. Sizes that
 * depend on the machine's busybox become `N`.
 */
export function normalise(texts: readonly string[], { host, home, socket }: Particulars): string[] {
  const ids = new Map<string, string>();
  const nameOf = (id: string) => {
    const known = [...ids].find(([whole]) => whole.startsWith(id) || id.startsWith(whole));
    const name = known?.[1] ?? `id-${ids.size + 1}`;
    if (known === undefined || known[0].length < id.length) {
      if (known !== undefined) ids.delete(known[0]);
      ids.set(id, name);
    }
    return name.padEnd(id.length, '-');
  };
  return texts.map((text) =>
    text
      .replaceAll(`unix://${socket}`, 'unix://ENGINE')
      .replaceAll(socket, 'ENGINE')
      .replaceAll(home, 'HOME')
      .replaceAll(host, 'localhost:REGISTRY')
      .replaceAll(host.replace('localhost', '127.0.0.1'), '127.0.0.1:REGISTRY')
      .replace(/\b(localhost|127\.0\.0\.1):\d{4,5}\b/g, '$1:PORT')
      .replace(HEX, nameOf)
      .replace(SHORT_ID, nameOf)
      .replace(/\bsize: \d+$/gm, 'size: N'),
  );
}
