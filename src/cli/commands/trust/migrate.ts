import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { Gun } from '../../../core/names/gun.ts';
import { printable, quoted } from '../../../core/printable.ts';
import type { MigrationServers } from '../../../trust/client.ts';
import { InTurn } from '../../../trust/migrate/in-turn.ts';
import { type Migration, migrate, type Outcome, plan } from '../../../trust/migrate/migrate.ts';
import { endsAll, runAll } from '../../../trust/migrate/run-all.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { TrustPlace } from '../../place.ts';
import type { Session } from '../../session.ts';
import { untilInterrupted } from '../../terminal/interrupts.ts';
import { describedOutcome, describeRun, isLeft, progressLine, reportTable, summaryText } from './migrate-report.ts';
import { existingPlaceOf, PLACE_FLAGS } from './place-flags.ts';
import { repositoryNames, withReason } from './repository-names.ts';
import { hostOrAddress } from './server-argument.ts';

export const MIGRATE: Command<Session> = {
  program: 'signet',
  path: 'trust migrate',
  summary: 'Move the trust data of repositories from a live trust server to Signet',
  details: `Reads and verifies all of each repository, makes one new version of its root
with the keys of the new server, signed with your root key, and imports
everything. Clients that know any old root go on with the new server at the
first try. What is there already counts as done, so that a run that was
interrupted can be repeated.

SERVER is the new trust server, a running "signet serve", by address or host.
The names of the repositories stay what they are. For example:
signet trust migrate --dry-run --from https://notary.example.com
https://trust.example.com:5000 registry.example.com/team/app

It exits with 0 if all is moved, with 1 if anything is left to do, with 125 for
a wrong option, and with 130 after Ctrl-C; what was moved is moved.`,
  args: [
    { name: 'SERVER', takes: 'text' },
    { name: 'REPOSITORY', takes: 'repository', isOptional: true, isRepeated: true },
  ],
  flags: [
    { name: 'all', type: 'switch', about: 'Move all repositories in the catalogue of the registry' },
    { name: 'cached', type: 'switch', about: 'Move all repositories that this machine has trust data of' },
    { name: 'drafts', type: 'value', takes: 'folder', about: 'Folder for roots that others have to sign as well' },
    { name: 'dry-run', type: 'switch', about: 'Show what would happen, and change nothing' },
    {
      name: 'file',
      short: 'f',
      type: 'value',
      takes: 'file',
      about: 'Read names from this file, one a line; - is standard input',
    },
    { name: 'from', type: 'value', about: 'Address or host of the old trust server' },
    { name: 'json', type: 'switch', about: 'Report as JSON' },
    { name: 'registry', type: 'value', takes: 'registry', about: 'Registry of --all (default: the host of --from)' },
    ...PLACE_FLAGS.filter(({ name }) => name !== 'server').map((flag) =>
      flag.name === 'tlscacert' ? { ...flag, about: 'With --trust-dir: file with the CAs of both servers' } : flag,
    ),
  ],
  examples: [
    {
      about: 'See what would happen',
      line: 'trust migrate --dry-run --from https://notary.example.com https://trust.example.com:5000 registry.example.com/team/app',
    },
  ],
  exitCodes: [[130, 'It was interrupted; what was moved is moved']],
  json: [
    ['repository', 'The name (GUN)'],
    ['state', '`moved`, `present`, `ready`, `unsigned`, `waiting`, `failed` or `skipped`'],
    ['root', 'Version of the last root of the old server'],
    ['timestamp', 'Version of the timestamp on the new server'],
    ['missing', 'Keys of which `needed` have to sign'],
    ['error', 'Code, message and next step of what failed'],
  ],
  run: migrateCommand,
};

const INTERRUPTED = 'interrupted: run the command again to go on';

async function migrateCommand(session: Session, parsed: ParsedCommand): Promise<number> {
  const [to = '', ...named] = parsed.args;
  const servers = {
    from: hostOrAddress(required(parsed, 'from')),
    to: newServer(to),
    signing: new InTurn(endsAll),
    drafts: parsed.value('drafts'),
  };
  if (servers.from.href === servers.to.href)
    throw new SignetError('usage', 'the old and the new trust server are the same');
  const place = await existingPlaceOf(session, parsed);
  const names = await namesIn(session, parsed, place, servers.from.host, named);
  const { migrations, typed, refused } = await migrationsOf(place, names, new Set(named), servers);
  const isDry = parsed.has('dry-run');
  const work = async (gun: Gun): Promise<Outcome> => {
    const migration = migrations.get(gun) as Migration;
    const outcome = await (isDry ? plan(migration) : migrate(migration));
    return outcome.kind === 'unsigned' && typed.has(gun)
      ? { kind: 'failed', error: unsigned([gun], servers) }
      : outcome;
  };
  let done = 0;
  const finished = (name: string, outcome: Outcome) => {
    done++;
    session.printError(progressLine(done, migrations.size + refused.size, name, outcome));
  };
  for (const [name, outcome] of refused) finished(name, outcome);
  const { result, isInterrupted } = await untilInterrupted(
    () => {
      servers.signing.end(new SignetError('cancelled', INTERRUPTED));
      session.printError('Nothing new is begun; what has begun is finished. Ctrl-C again ends that too.\n');
    },
    (signal) => runAll({ guns: [...migrations.keys()], work, finished, signal }),
  );
  const { stopped } = result;
  const outcomes = new Map<string, Outcome>([...result.outcomes, ...refused]);
  const isNothing = [...outcomes.values()].every(({ kind }) => kind === 'unsigned');
  if (parsed.has('json')) session.print(`${JSON.stringify([...outcomes].map(describedOutcome), null, 2)}\n`);
  else session.print(`${reportTable(outcomes)}\n${summaryText(outcomes, servers, isDry || isNothing)}`);
  if (isNothing) throw unsigned([...outcomes.keys()], servers);
  const isCancelled = isInterrupted || stopped?.code === 'cancelled';
  if (isCancelled && isLeft(outcomes)) throw new SignetError('cancelled', INTERRUPTED);
  return describeRun(outcomes, stopped);
}

/** The old server has nothing of what was named, or of all that was found: more likely a mistake than the truth. */
function unsigned(names: readonly string[], { from }: Pick<MigrationServers, 'from'>): SignetError {
  const [name] = names;
  const what =
    names.length === 1 && name !== undefined ? printable(name, 300) : `any of the ${names.length} repositories`;
  return new SignetError('trust-data-missing', `${from.host} has no trust data of ${what}`, {
    detail: { server: from.host },
    next: from.pathname.endsWith('/v2')
      ? `Leave /v2 out of the address: --from ${from.origin}`
      : 'Check the spelling, and that --from names the old server and SERVER the new one.',
  });
}

/** Where a path follows a host without `https://`, it is a repository: the server was forgotten. */
function newServer(text: string): URL {
  if (text.includes('://') || !text.includes('/')) return hostOrAddress(text);
  throw new SignetError(
    'usage',
    `${quoted(text, 300)} is a repository, and stands where the new trust server belongs`,
    {
      next: `The server comes first: signet trust migrate --from OLD-SERVER https://NEW-SERVER ${printable(text, 300)}`,
    },
  );
}

function required(parsed: ParsedCommand, flag: string): string {
  const value = parsed.value(flag);
  if (value !== undefined && value !== '') return value;
  throw new SignetError('usage', `say which trust server to move from: --${flag} URL`, {
    next: 'For example: signet trust migrate --from https://notary.example.com https://NEW-SERVER REPOSITORY',
  });
}

async function namesIn(
  session: Session,
  parsed: ParsedCommand,
  place: TrustPlace,
  oldHost: string,
  named: readonly string[],
): Promise<readonly string[]> {
  if (parsed.value('registry') !== undefined && !parsed.has('all')) {
    throw new SignetError('usage', '--registry is for --all: it names the registry whose repositories move', {
      exitCode: 125,
    });
  }
  const names = [...named];
  const file = parsed.value('file');
  if (file !== undefined) names.push(...(await repositoryNames(session, file)));
  if (parsed.has('cached')) names.push(...(await place.cached()));
  if (parsed.has('all')) {
    for await (const name of place.catalogue(parsed.value('registry') ?? oldHost)) names.push(name);
  }
  const isAsked = named.length > 0 || file !== undefined || parsed.has('cached') || parsed.has('all');
  if (!isAsked) {
    throw new SignetError('usage', 'say what to move: names of repositories after SERVER, --file, --cached or --all');
  }
  if (names.length === 0) throw new SignetError('usage', 'there is no repository to move');
  return names;
}

interface Migrations {
  /** By GUN, so that a repository given twice is migrated once. */
  readonly migrations: ReadonlyMap<Gun, Migration>;
  /** Those that were named on the command line. */
  readonly typed: ReadonlySet<Gun>;
  /** Names that are none, made printable, and why. */
  readonly refused: ReadonlyMap<string, Outcome>;
}

async function migrationsOf(
  place: TrustPlace,
  names: readonly string[],
  named: ReadonlySet<string>,
  servers: MigrationServers,
): Promise<Migrations> {
  const [migrations, typed, refused] = [new Map<Gun, Migration>(), new Set<Gun>(), new Map<string, Outcome>()];
  for (const name of names) {
    try {
      const migration = await place.migration(name, servers);
      migrations.set(migration.gun, migration);
      if (named.has(name)) typed.add(migration.gun);
    } catch (error) {
      if (!isSignetError(error)) throw error;
      refused.set(printable(name, 300), { kind: 'failed', error: withReason(error) });
    }
  }
  return { migrations, typed, refused };
}
