import type { Target } from '../../../src/core/metadata/targets.ts';
import { type Digest, digestHex, digestOf } from '../../../src/core/names/digest.ts';
import type { Served } from '../../support/lying-server.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';

/** The image that the tag `latest` rightly stands for, the one that it stood for before, and the attacker's. */
export const [GOOD, OLD, EVIL] = ['good', 'old', 'evil'].map(someManifest) as [Manifest, Manifest, Manifest];

/** The manifest of an image for no platform at all. */
export interface Manifest extends Served {
  readonly digest: Digest;
}

export function someManifest(name: string): Manifest {
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [], annotations: { name } }),
  );
  return { bytes, digest: digestOf(bytes), type: INDEX };
}

export function targetOf({ bytes, digest }: Pick<Manifest, 'bytes' | 'digest'>): Target {
  return { length: bytes.length, hashes: new Map([['sha256', Buffer.from(digestHex(digest), 'hex')]]) };
}
