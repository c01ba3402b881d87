import type { Subject } from '../engine.ts';
import { DOCKER_SUBJECTS } from './docker.ts';
import { DOCKERFILE_SUBJECTS } from './dockerfile.ts';
import { DUMP_SUBJECTS } from './dump.ts';
import { FILE_SUBJECTS } from './files.ts';
import { HTTP_SUBJECTS } from './http.ts';
import { JSON_SUBJECTS } from './json.ts';
import { KEY_SUBJECTS } from './keys.ts';
import { METADATA_SUBJECTS } from './metadata.ts';
import { NAME_SUBJECTS } from './names.ts';
import { TOKEN_SUBJECTS } from './tokens.ts';
import { TRUST_SUBJECTS } from './trust.ts';
import { TRUST_WIRE_SUBJECTS } from './trust-wire.ts';

/** Everything that is fuzzed, by name. A subject is made when it is wanted: some need keys and servers of their own. */
export const SUBJECTS: ReadonlyMap<string, () => Subject | Promise<Subject>> = new Map(
  Object.entries({
    ...JSON_SUBJECTS,
    ...METADATA_SUBJECTS,
    ...KEY_SUBJECTS,
    ...NAME_SUBJECTS,
    ...HTTP_SUBJECTS,
    ...TRUST_SUBJECTS,
    ...TRUST_WIRE_SUBJECTS,
    ...TOKEN_SUBJECTS,
    ...FILE_SUBJECTS,
    ...DUMP_SUBJECTS,
    ...DOCKER_SUBJECTS,
    ...DOCKERFILE_SUBJECTS,
  }),
);
