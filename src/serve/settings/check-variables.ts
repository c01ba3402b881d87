import { SignetError } from '../../core/errors/index.ts';
import { quoted } from '../../core/printable.ts';
import type { Environment } from '../../core/variables.ts';
import { CLIENT_VARIABLES, GIVEN_VARIABLES, PREFIX, SERVER_VARIABLES } from '../../core/variables.ts';
import { closestName } from './closest-name.ts';
import { SETTING_NAMES, variableOf } from './settings.ts';

/** Every variable of the server's. */
const SERVER: readonly string[] = [...SETTING_NAMES.map(variableOf), ...SERVER_VARIABLES];
const KNOWN: ReadonlySet<string> = new Set([...SERVER, ...CLIENT_VARIABLES, ...GIVEN_VARIABLES]);
/** Kubernetes says where a service is by variables that begin with its name; one of them always ends like this. */
const HOST_OF_SERVICE = 'SERVICE_HOST';
/** The others that a service has, behind its name. */
const OF_SERVICE = /^(?:SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;

/**
 * Refuses variables that begin with SIGNET_ and that no one reads: a mistyped one would silently not be set. Those that
 * Kubernetes makes for services pass if they come together as Kubernetes makes them. Throws `setting-unknown`.
 */
export function checkVariables(environment: Environment): void {
  const names = Object.keys(environment).filter((name) => name.startsWith(PREFIX));
  const services = names.filter((name) => name.endsWith(`_${HOST_OF_SERVICE}`));
  const prefixes = services.map((name) => name.slice(0, -HOST_OF_SERVICE.length));
  const passes = (name: string) =>
    KNOWN.has(name) || services.includes(name) || prefixes.some((prefix) => isOfService(name, prefix, environment));
  const unknown = names.filter((name) => !passes(name)).sort();
  const [first] = unknown;
  if (first === undefined) return;
  const also = unknown.length === 1 ? '' : ` (and ${unknown.length - 1} more)`;
  const message = `unknown variable ${quoted(first, 100).slice(1, -1)} in the environment${also}${hintFor(first)}`;
  throw new SignetError('setting-unknown', message, {
    detail: { unknown: unknown.map((name) => name.slice(0, 100)) },
    next: 'Take it out of the environment, or list the settings: signet serve --help',
  });
}

/** `SIGNET_PORT` alone is a mistake; beside `SIGNET_SERVICE_HOST`, and with the value of a service, it is not. */
function isOfService(name: string, prefix: string, environment: Environment): boolean {
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return OF_SERVICE.test(rest) && (rest !== 'PORT' || /^(?:tcp|udp|sctp):\/\//.test(environment[name] ?? ''));
}

function hintFor(name: string): string {
  const tail = (whole: string) => whole.slice(PREFIX.length);
  const meant = closestName(tail(name), SERVER.map(tail));
  return meant === undefined ? '' : `; did you mean ${PREFIX}${meant}?`;
}
