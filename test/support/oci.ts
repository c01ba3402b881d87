import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { busyboxArchive } from './busybox.ts';
import { temporaryFolder } from './temp.ts';

/** An image for several platforms in a folder, which skopeo reads as `oci:`. */
export interface Layout {
  /** For skopeo: `oci:<folder>:<tag>`. */
  readonly name: string;
  /** The index, and the manifests by architecture. */
  readonly index: Content;
  readonly manifests: ReadonlyMap<string, Content>;
}

/** Content with its descriptor. */
export interface Content {
  readonly digest: string;
  readonly bytes: Buffer;
}

const TYPE = 'application/vnd.oci.image';

/** Writes an image of Debian's busybox that prints `text`, for the given architectures, with one index. */
export async function writeLayout(architectures: readonly string[], text: string): Promise<Layout> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  const store = (bytes: Buffer): Content => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(folder, 'blobs/sha256', hex), bytes);
    return { digest: `sha256:${hex}`, bytes };
  };
  const storeJson = (value: unknown) => store(Buffer.from(JSON.stringify(value)));

  const files = await busyboxArchive();
  const layer = store(gzipSync(files));
  const manifests = new Map(
    architectures.map((architecture) => {
      const config = storeJson({
        architecture,
        os: 'linux',
        config: { Cmd: ['echo', text] },
        rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(files).digest('hex')}`] },
      });
      const manifest = storeJson({
        schemaVersion: 2,
        mediaType: `${TYPE}.manifest.v1+json`,
        config: descriptor('config', config),
        layers: [descriptor('layer', layer)],
      });
      return [architecture, manifest];
    }),
  );
  const index = storeJson({
    schemaVersion: 2,
    mediaType: `${TYPE}.index.v1+json`,
    manifests: [...manifests].map(([architecture, manifest]) => ({
      ...descriptor('manifest', manifest),
      platform: { architecture, os: 'linux' },
    })),
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const entry = { schemaVersion: 2, manifests: [{ ...descriptor('index', index), annotations }] };
  writeFileSync(join(folder, 'index.json'), JSON.stringify(entry));
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return { name: `oci:${folder}:latest`, index, manifests };
}

function descriptor(kind: 'config' | 'layer' | 'manifest' | 'index', { digest, bytes }: Content) {
  const suffix = kind === 'layer' ? 'layer.v1.tar+gzip' : `${kind}.v1+json`;
  return { mediaType: `${TYPE}.${suffix}`, digest, size: bytes.length };
}
