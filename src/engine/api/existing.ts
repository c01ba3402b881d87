import { Fields } from '../../core/json/fields.ts';
import { type JsonValue, parseJson } from '../../core/json/parse.ts';
import { type Digest, parseDigest } from '../../core/names/digest.ts';
import { described } from './described.ts';

/** The images that the tasks of a service run, as its specifications name them. */
export interface ServiceImages {
  readonly current: string | undefined;
  /** Before the last update; undefined if there was none. */
  readonly previous: string | undefined;
}

/** Reads the answer to the inspection of a container. Throws `engine-response-invalid`. */
export function parseContainer(body: Uint8Array): { readonly image: Digest } {
  return described('a container', () => ({
    image: parseDigest(fieldsOf(parseJson(body, { numbers: 'any' })).string('Image')),
  }));
}

/** Reads the answer to the inspection of a service. Throws `engine-response-invalid`. */
export function parseService(body: Uint8Array): ServiceImages {
  return described('a service', () => {
    const service = fieldsOf(parseJson(body, { numbers: 'any' }));
    return { current: imageIn(service.raw('Spec')), previous: imageIn(service.raw('PreviousSpec')) };
  });
}

/** A service of plugins has no container's specification, and so no image. */
function imageIn(specification: JsonValue | undefined): string | undefined {
  if (specification === undefined || specification === null) return undefined;
  const container = fieldsOf(fieldsOf(specification).raw('TaskTemplate')).raw('ContainerSpec');
  return container === undefined || container === null ? undefined : fieldsOf(container).string('Image');
}

function fieldsOf(value: JsonValue | undefined): Fields {
  return new Fields(value, 'the answer', [], 'ignore');
}
