import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { described } from './described.ts';

/** What an engine says of itself, as far as it decides how it builds. */
export interface EngineDescription {
  /** Of the engine: `28.2.2`. */
  readonly version: string;
  /** The platform of what it runs, without a variant: `linux/amd64`. */
  readonly platform: string;
  /** Whether docker is to build with BuildKit there, unless the person says otherwise. */
  readonly prefersBuildKit: boolean;
}

/** Reads the answer to the question for the engine's version. Throws `engine-response-invalid`. */
export function parseDescription(body: Uint8Array): Omit<EngineDescription, 'prefersBuildKit'> {
  return described('itself', () => {
    const said = new Fields(parseJson(body, { numbers: 'any' }), 'version', [], 'ignore');
    return { version: said.string('Version'), platform: `${said.string('Os')}/${said.string('Arch')}` };
  });
}
