import { SignetError } from '../core/errors/index.ts';
import { Fields } from '../core/json/fields.ts';
import { type JsonObject, type JsonValue, parseJson } from '../core/json/parse.ts';
import { type Digest, parseDigest } from '../core/names/digest.ts';
import { printable } from '../core/printable.ts';

/** Documents that describe one image (or artifact), and documents that list such documents. */
const IMAGE_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const INDEX_TYPES: ReadonlySet<string> = new Set([
  OCI_INDEX,
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const OCI_PREFIX = 'application/vnd.oci.';
/** An index of ten thousand images has fewer. */
const MAX_VALUES = 100_000;

/** Layers that may stay at the URLs they name instead of in the registry. */
const FOREIGN_LAYERS: ReadonlySet<string> = new Set([
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
]);

/** A manifest or index, and what it asks of the repository it is pushed to. */
export interface ParsedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** Blobs that must be in the repository. */
  readonly blobs: readonly Digest[];
  /** Manifests that must be in the repository. */
  readonly manifests: readonly Digest[];
  /** Layers that may be in the repository or elsewhere. */
  readonly foreign: readonly Digest[];
  /** What it says something about, in the repository or not. */
  readonly subject: Digest | undefined;
  readonly artifactType: string | undefined;
  /** Its descriptor in a list of referrers, as JSON text. */
  readonly descriptor: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly urls: readonly string[];
}

/**
 * Parses a manifest that is named by `digest` and came with the media type `contentType` (protocol F.5).
 *
 * One document must have one meaning: a media type inside must be the one outside, and an image must not look like an
 * index. Throws `manifest-invalid`.
 */
export function parseManifest(bytes: Buffer, contentType: string | undefined, digest: Digest): ParsedManifest {
  try {
    return parse(bytes, contentType, digest);
  } catch (error) {
    if (!(error instanceof SignetError)) throw error;
    throw error.within('manifest-invalid', error.message);
  }
}

function parse(bytes: Buffer, contentType: string | undefined, digest: Digest): ParsedManifest {
  const document = new Fields(
    parseJson(bytes, { numbers: 'any', values: MAX_VALUES }),
    'the manifest',
    [
      'schemaVersion',
      'mediaType',
      'artifactType',
      'config',
      'layers',
      'fsLayers',
      'manifests',
      'subject',
      'annotations',
    ],
    'ignore',
  );
  if (document.integer('schemaVersion') !== 2) refuse('schemaVersion is not 2');
  const mediaType = mediaTypeOf(document, contentType);
  const isIndex = INDEX_TYPES.has(mediaType);
  const isOci = mediaType.startsWith(OCI_PREFIX);
  const content = isIndex ? indexContent(document) : imageContent(document);
  const annotations = stringMap(document.map('annotations'));
  const artifactType = document.optionalString('artifactType') || content.configType;
  return {
    digest,
    mediaType,
    bytes,
    blobs: content.blobs,
    manifests: content.manifests,
    foreign: content.foreign,
    subject: isOci ? optionalDescriptor(document.raw('subject'))?.digest : undefined,
    artifactType,
    descriptor: descriptorText({ mediaType, digest, size: bytes.length, artifactType, annotations }),
  };
}

function mediaTypeOf(document: Fields, contentType: string | undefined): string {
  const inside = document.optionalString('mediaType') || undefined;
  const outside = contentType?.split(';', 1)[0]?.trim() || undefined;
  const mediaType = outside ?? inside;
  if (mediaType === undefined) refuse('it has no media type');
  if (inside !== undefined && inside !== mediaType)
    refuse(`its mediaType is ${printable(inside)}, its Content-Type ${printable(mediaType)}`);
  if (!IMAGE_TYPES.has(mediaType) && !INDEX_TYPES.has(mediaType)) {
    refuse(`the media type ${printable(mediaType, 200)} is not supported`);
  }
  if (inside === undefined && !mediaType.startsWith(OCI_PREFIX)) refuse('mediaType is missing');
  return mediaType;
}

interface Content {
  readonly blobs: readonly Digest[];
  readonly manifests: readonly Digest[];
  readonly foreign: readonly Digest[];
  readonly configType: string | undefined;
}

function imageContent(document: Fields): Content {
  if (document.raw('manifests') !== undefined) refuse('an image must not have manifests');
  const config = optionalDescriptor(document.raw('config'));
  if (config === undefined) refuse('config is missing');
  const layers = document.array('layers').map(parseDescriptor);
  const isForeign = (layer: Descriptor) => FOREIGN_LAYERS.has(layer.mediaType) && layer.urls.length > 0;
  const stored = layers.filter((layer) => !isForeign(layer));
  return {
    blobs: [config, ...stored].map(({ digest }) => digest),
    manifests: [],
    foreign: layers.filter(isForeign).map(({ digest }) => digest),
    configType: config.mediaType,
  };
}

function indexContent(document: Fields): Content {
  if (['config', 'layers', 'fsLayers'].some((member) => document.raw(member) !== undefined)) {
    refuse('an index must not have layers or config');
  }
  const entries = document.array('manifests').map(parseDescriptor);
  const isManifest = ({ mediaType }: Descriptor) => IMAGE_TYPES.has(mediaType) || INDEX_TYPES.has(mediaType);
  return {
    blobs: entries.filter((entry) => !isManifest(entry)).map(({ digest }) => digest),
    manifests: entries.filter(isManifest).map(({ digest }) => digest),
    foreign: [],
    configType: undefined,
  };
}

function optionalDescriptor(value: JsonValue | undefined): Descriptor | undefined {
  return value === undefined || value === null ? undefined : parseDescriptor(value);
}

function parseDescriptor(value: JsonValue): Descriptor {
  const fields = new Fields(value, 'a descriptor', ['mediaType', 'digest', 'size', 'urls'], 'ignore');
  if (fields.integer('size') < 0) refuse('a descriptor has a negative size');
  const urls = fields.strings('urls');
  for (const url of urls) if (!/^https?:\/\//.test(url)) refuse('a descriptor has a URL that is not http or https');
  return { mediaType: fields.string('mediaType'), digest: parseDigest(fields.string('digest')), urls };
}

function stringMap(object: JsonObject): ReadonlyMap<string, string> {
  const strings = new Map<string, string>();
  for (const [name, value] of object) {
    if (typeof value !== 'string') refuse('an annotation is not a string');
    strings.set(name, value);
  }
  return strings;
}

function descriptorText(descriptor: {
  mediaType: string;
  digest: Digest;
  size: number;
  artifactType: string | undefined;
  annotations: ReadonlyMap<string, string>;
}): string {
  const { annotations, ...plain } = descriptor;
  if (annotations.size === 0) return JSON.stringify(plain);
  // Written by hand, because names from outside must not become keys of an object on the way.
  const members = [...annotations].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `${JSON.stringify(plain).slice(0, -1)},"annotations":{${members.join(',')}}}`;
}

function refuse(why: string): never {
  throw new SignetError('manifest-invalid', why);
}
