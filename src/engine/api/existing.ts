import { Fields } from '../../core/json/fields.ts';
import { type JsonValue, parseJson } from '../../core/json/parse.ts';
import { type Digest, parseDigest } from '../../core/names/digest.ts';
import { described } from './described.ts';

/** The images that the tasks of a service run, as named in its specifications. */
export interface ServiceImages {
  readonly current: string | undefined;
  /** Before the last update; undefined if there was none. */
  readonly previous: string | undefined;
}

/** Parses the response to a container inspection. Throws `engine-response-invalid`. */
export function parseContainer(body: Uint8Array): { readonly image: Digest } {
  return described('a container', () => ({
    image: parseDigest(fieldsOf(parseJson(body, { numbers: 'any' })).string('Image')),
  }));
}

/** Parses the response to a service inspection. Throws `engine-response-invalid`. */
export function parseService(body: Uint8Array): ServiceImages {
  return described('a service', () => {
    const service = fieldsOf(parseJson(body, { numbers: 'any' }));
    return { current: imageIn(service.raw('Spec')), previous: imageIn(service.raw('PreviousSpec')) };
  });
}

/** A service that runs plugins has no container specification, and so no image. */
function imageIn(specification: JsonValue | undefined): string | undefined {
  if (specification === undefined || specification === null) return undefined;
  const container = fieldsOf(fieldsOf(specification).raw('TaskTemplate')).raw('ContainerSpec');
  return container === undefined || container === null ? undefined : fieldsOf(container).string('Image');
}

function fieldsOf(value: JsonValue | undefined): Fields {
  return new Fields(value, 'the answer', [], 'ignore');
}
