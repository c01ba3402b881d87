import { describe, expect, test } from 'bun:test';
import { isSignetError } from '../../src/core/errors/index.ts';
import { digestOf } from '../../src/core/names/digest.ts';
import { type ParsedManifest, parseManifest } from '../../src/registry/manifest.ts';
import {
  content,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  descriptor,
  image,
  imageIndex,
  OCI_INDEX,
  OCI_MANIFEST,
} from './fixture.ts';

const [CONFIG, LAYER, LAYER_2] = [content(1, 10), content(2, 20), content(3, 30)];

describe('an image', () => {
  test('needs its configuration and layers', () => {
    for (const mediaType of [OCI_MANIFEST, DOCKER_MANIFEST]) {
      const bytes = image(CONFIG, [LAYER, LAYER_2], { mediaType });
      const manifest = parsed(bytes, mediaType);
      expect(manifest.mediaType).toBe(mediaType);
      expect(manifest.bytes).toEqual(bytes);
      expect(manifest.blobs).toEqual([CONFIG, LAYER, LAYER_2].map((blob) => digestOf(blob)));
      expect(manifest.manifests).toEqual([]);
      expect(manifest.foreign).toEqual([]);
      expect(manifest.subject).toBeUndefined();
    }
  });

  test('may leave layers elsewhere, if it says where and their type allows it', () => {
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const layers = [
      { ...descriptor(foreign, LAYER), urls: ['https://example.com/layer'] },
      descriptor(foreign, LAYER_2),
      { ...descriptor('application/vnd.oci.image.layer.v1.tar', CONFIG), urls: ['https://example.com/layer'] },
    ];
    const manifest = parsed(changed(image(CONFIG, []), { layers }));
    expect(manifest.foreign).toEqual([digestOf(LAYER)]);
    expect(manifest.blobs).toEqual([CONFIG, LAYER_2, CONFIG].map((blob) => digestOf(blob)));
  });

  test('has the type of its configuration as type of artifact, unless it names another', () => {
    expect(parsed(image(CONFIG, [])).artifactType).toBe('application/vnd.oci.image.config.v1+json');
    expect(parsed(image(CONFIG, [], { artifactType: 'application/sbom' })).artifactType).toBe('application/sbom');
    expect(parsed(image(CONFIG, [], { artifactType: '' })).artifactType).toBe(
      'application/vnd.oci.image.config.v1+json',
    );
  });

  test('has a descriptor with its annotations, whatever their names', () => {
    const annotations = '{"__proto__":"p","2":"two","1":"one","quote\\"":"line\\nend"}';
    const bytes = Buffer.from(image(CONFIG, []).toString().replace(/\}$/, `,"annotations":${annotations}}`));
    const found = parsed(bytes).descriptor;
    expect(found).toEndWith(`"annotations":${annotations}}`);
    expect(JSON.parse(found)).toMatchObject({
      mediaType: OCI_MANIFEST,
      digest: digestOf(bytes),
      size: bytes.length,
      artifactType: 'application/vnd.oci.image.config.v1+json',
    });
  });

  test('may be about a subject, in the OCI format', () => {
    const subject = digestOf(LAYER);
    expect(parsed(image(CONFIG, [], { subject })).subject).toBe(subject);
    expect(parsed(changed(imageIndex([LAYER]), { subject: descriptor(OCI_MANIFEST, LAYER) })).subject).toBe(subject);
    const docker = image(CONFIG, [], { subject, mediaType: DOCKER_MANIFEST });
    expect(parsed(docker, DOCKER_MANIFEST).subject).toBeUndefined();
  });
});

describe('an index', () => {
  test('needs its manifests', () => {
    for (const mediaType of [OCI_INDEX, DOCKER_LIST]) {
      const manifest = parsed(imageIndex([LAYER, LAYER_2], mediaType), mediaType);
      expect(manifest.manifests).toEqual([digestOf(LAYER), digestOf(LAYER_2)]);
      expect(manifest.blobs).toEqual([]);
    }
  });

  test('may list other indexes, and content of other types, which is a blob then', () => {
    const manifests = [descriptor(OCI_INDEX, LAYER), descriptor('application/other', LAYER_2)];
    const manifest = parsed(changed(imageIndex([]), { manifests }));
    expect(manifest.manifests).toEqual([digestOf(LAYER)]);
    expect(manifest.blobs).toEqual([digestOf(LAYER_2)]);
  });

  test('has a type of artifact only if it names one', () => {
    expect(parsed(imageIndex([])).artifactType).toBeUndefined();
    expect(JSON.parse(parsed(imageIndex([])).descriptor)).not.toHaveProperty('artifactType');
    expect(parsed(changed(imageIndex([]), { artifactType: 'application/x' })).artifactType).toBe('application/x');
  });
});

describe('the media type', () => {
  test('comes from the header, the document, or both', () => {
    const silent = changed(image(CONFIG, []), { mediaType: undefined });
    expect(parsed(silent, OCI_MANIFEST).mediaType).toBe(OCI_MANIFEST);
    expect(parsed(image(CONFIG, []), undefined).mediaType).toBe(OCI_MANIFEST);
    expect(parsed(image(CONFIG, []), `${OCI_MANIFEST}; charset=utf-8`).mediaType).toBe(OCI_MANIFEST);
  });

  test('must be one, and one that is known', () => {
    const silent = changed(image(CONFIG, []), { mediaType: undefined });
    refused(silent, undefined);
    refused(silent, DOCKER_MANIFEST);
    refused(image(CONFIG, []), DOCKER_MANIFEST);
    refused(image(CONFIG, []), 'application/json');
    refused(image(CONFIG, [], { mediaType: 'application/vnd.docker.distribution.manifest.v1+json' }), undefined);
    refused(image(CONFIG, [], { mediaType: 'application/vnd.oci.image.config.v1+json' }), undefined);
  });

  test('decides what the document is; it may not look like the other kind', () => {
    refused(image(CONFIG, []), OCI_INDEX);
    refused(changed(image(CONFIG, []), { mediaType: undefined }), OCI_INDEX);
    refused(changed(imageIndex([]), { mediaType: undefined }), OCI_MANIFEST);
    refused(changed(image(CONFIG, []), { manifests: [] }), OCI_MANIFEST);
    refused(changed(imageIndex([]), { layers: [] }), OCI_INDEX);
    refused(changed(imageIndex([]), { config: descriptor('x', CONFIG) }), OCI_INDEX);
  });
});

test('malformed documents are refused', () => {
  const good = image(CONFIG, [LAYER]);
  const text = good.toString();
  refused(Buffer.from(''));
  refused(Buffer.from('[]'));
  refused(Buffer.from(`${text}x`));
  refused(Buffer.from(text.replace('"schemaVersion"', '"schemaVersion":2,"schemaVersion"')));
  refused(Buffer.from(text.replace('"layers"', '"Layers"')));
  refused(changed(good, { schemaVersion: 1 }));
  refused(changed(good, { schemaVersion: '2' }));
  refused(changed(good, { config: undefined }));
  refused(changed(good, { config: null }));
  refused(changed(good, { layers: {} }));
  refused(changed(good, { layers: [null] }));
  refused(changed(good, { layers: [{ ...descriptor('x', LAYER), digest: 'sha256:short' }] }));
  refused(changed(good, { layers: [{ ...descriptor('x', LAYER), digest: `md5:${'0'.repeat(32)}` }] }));
  refused(changed(good, { layers: [{ ...descriptor('x', LAYER), size: -1 }] }));
  refused(changed(good, { layers: [{ ...descriptor('x', LAYER), size: 1.5 }] }));
  refused(changed(good, { layers: [{ ...descriptor('x', LAYER), urls: ['file:///etc/passwd'] }] }));
  refused(changed(good, { layers: [{ digest: digestOf(LAYER), size: 20 }] }));
  refused(changed(good, { subject: 'sha256' }));
  refused(changed(good, { annotations: { a: 1 } }));
  expect(parsed(changed(good, { layers: null, unknown: 1.5 })).blobs).toEqual([digestOf(CONFIG)]);
});

function parsed(bytes: Buffer, contentType?: string): ParsedManifest {
  return parseManifest(bytes, contentType, digestOf(bytes));
}

function refused(bytes: Buffer, contentType?: string): void {
  try {
    parsed(bytes, contentType);
  } catch (error) {
    if (isSignetError(error, 'manifest-invalid')) return;
    throw error;
  }
  throw new Error(`accepted ${contentType}: ${bytes}`);
}

/** The document with other members; `undefined` removes one. */
function changed(bytes: Buffer, members: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), ...members }));
}
