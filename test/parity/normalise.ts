/** What differs from run to run, as one run has it. */
export interface Particulars {
  /** The registry: `localhost:40123`. */
  readonly host: string;
  /** The home folder of the person. */
  readonly home: string;
  /** The engine's socket. */
  readonly socket: string;
}

/** Whole and shortened digests and key IDs; of seven digits where docker asks for a key's passphrase. */
const ID = /\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b|(?<=key with ID )[0-9a-f]{7}\b/g;
/** What docker's library logs. */
const LOGS = /^time="[^"]*" level=.*\n/gm;
/** Steps of a layer's download that are reported, or not, as time allows. */
const PASSING = /^\S+: (?:Waiting|Verifying Checksum|Download complete|Layer already exists)\n/gm;
/** The steps of a layer on a terminal, each of which overwrites the one before. */
const STEPS = /(?:\u001b\[1A\u001b\[2K[^\u001b]*\u001b\[1B)+/g;

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
      .replace(ID, nameOf)
      .replace(LOGS, '')
      .replace(/\b\w{3} \w{3} \d{1,2} \d\d:\d\d:\d\d UTC \d{4}$/gm, 'DATE')
      .replace(PASSING, '')
      .replace(STEPS, '(steps of a layer)\n')
      .replace(/\bsize: \d+$/gm, 'size: N'),
  );
}
