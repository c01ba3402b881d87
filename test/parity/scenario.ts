import { type DockerCli, findProgram } from '../support/clis.ts';
import { signetCommand } from '../support/signet-server.ts';
import { type Author, formatTranscript } from './golden.ts';
import { normalise } from './normalise.ts';
import type { Typed } from './person.ts';
import type { Place } from './place.ts';

/** One command line in one state of the world. */
export interface Scenario {
  /** `trust-inspect/uninitialised`: the folder and the file of its golden. */
  readonly name: string;
  /** Whether the docker command behind Signet writes the text, so that another version of it writes another one. */
  readonly isDockers?: boolean;
  /** The oldest docker CLI that knows what is typed, where older ones are in use. */
  readonly since?: number;
  /** Brings the state about. Who answers matters only where the two ask a person different questions. */
  readonly prepare: (place: Place, author: Author) => Promise<Typed>;
}

/** The scenarios of one command, by the name of their state. */
export function scenariosOf(
  command: string,
  states: Readonly<Record<string, Scenario['prepare'] | Omit<Scenario, 'name'>>>,
): readonly Scenario[] {
  return Object.entries(states).map(([state, what]) => ({
    name: `${command}/${state}`,
    ...(typeof what === 'function' ? { prepare: what } : what),
  }));
}

/** Signet founds a repository in a script only where it is told to. */
export function initBy(author: Author): readonly string[] {
  return author === 'signet' ? ['--init'] : [];
}

/** The words that run signet with `docker` behind it. */
export function inFrontOf({ path }: DockerCli): readonly string[] {
  return [findProgram('env'), `SIGNET_DOCKER=${path}`, ...signetCommand()];
}

/** Carries out a scenario with the words that run `author`, and returns its transcript. */
export async function play(
  scenario: Scenario,
  place: Place,
  author: Author,
  docker: readonly string[],
): Promise<string> {
  const typed = await scenario.prepare(place, author);
  const { person, args, env = {} } = typed;
  const { exitCode, stdout, stderr } = await person.run(docker, typed);
  const settings = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)} `);
  const line = `${settings.join('')}docker ${args.map(quoted).join(' ')}`;
  const [shown = '', out = '', err = ''] = normalise([line, stdout, stderr], {
    host: place.host,
    home: person.home,
    socket: place.socket,
  });
  return formatTranscript({ line: shown, exitCode, stdout: out, stderr: err });
}

function quoted(word: string): string {
  return /^[-\w./:@=,+]+$/.test(word) ? word : JSON.stringify(word);
}
