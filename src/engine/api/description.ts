import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { described } from './described.ts';

/** What an engine reports about itself that affects how it builds. */
export interface EngineDescription {
  /** The engine's version: `28.2.2`. */
  readonly version: string;
  /** The platform that its containers run on, without a variant: `linux/amd64`. */
  readonly platform: string;
  /** Whether docker builds with BuildKit there by default. */
  readonly prefersBuildKit: boolean;
}

/** Parses the response to a version request. Throws `engine-response-invalid`. */
export function parseDescription(body: Uint8Array): Omit<EngineDescription, 'prefersBuildKit'> {
  return described('itself', () => {
    const said = new Fields(parseJson(body, { numbers: 'any' }), 'version', [], 'ignore');
    return { version: said.string('Version'), platform: `${said.string('Os')}/${said.string('Arch')}` };
  });
}
