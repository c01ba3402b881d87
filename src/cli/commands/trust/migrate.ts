import { SignetError } from '../../../core/errors/index.ts';
import type { Gun } from '../../../core/names/gun.ts';
import { quoted } from '../../../core/printable.ts';
import { parseServerAddress } from '../../../remote/transport/server-address.ts';
import { InTurn } from '../../../trust/migrate/in-turn.ts';
import { type Migration, migrate, type Outcome, plan } from '../../../trust/migrate/migrate.ts';
import { runAll } from '../../../trust/migrate/run-all.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { TrustPlace } from '../../place.ts';
import type { Session } from '../../session.ts';
import { untilInterrupted } from '../../terminal/interrupts.ts';
import { describedOutcome, describeRun, progressLine, reportTable, summaryText } from './migrate-report.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';
import { repositoryNames } from './repository-names.ts';

export const MIGRATE: Command<Session> = {
  program: 'signet',
  path: 'trust migrate',
  summary: 'Move the trust data of repositories from a live trust server to Signet',
  details: `Reads and verifies all of each repository, makes one new version of its root
with the keys of the new server, signed with your root key, and imports
everything. Clients that know any old root go on with the new server at the
first try. What is there already counts as done, so that a run that was
interrupted can be repeated.`,
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
    { name: 'from', type: 'value', about: 'Address of the old trust server' },
    { name: 'json', type: 'switch', about: 'Report as JSON' },
    { name: 'registry', type: 'value', takes: 'registry', about: 'Registry of --all (default: the host of --from)' },
    ...PLACE_FLAGS.filter(({ name }) => name !== 'server'),
  ],
  examples: [
    {
      about: 'See what would happen',
      line: 'trust migrate --dry-run --from https://notary.example.com registry.example.com alice/app',
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

async function migrateCommand(session: Session, parsed: ParsedCommand): Promise<number> {
  const [to = '', ...named] = parsed.args;
  const servers = {
    from: addressIn(required(parsed, 'from')),
    to: addressIn(to),
    signing: new InTurn(),
    drafts: parsed.value('drafts'),
  };
  if (servers.from.href === servers.to.href)
    throw new SignetError('usage', 'the old and the new trust server are the same');
  const place = await placeOf(session, parsed);
  const names = await namesIn(session, parsed, place, servers.from.host, named);
  const migrations = await migrationsOf(place, names, servers);
  const isDry = parsed.has('dry-run');
  const work = async (gun: Gun): Promise<Outcome> => {
    const migration = migrations.get(gun) as Migration;
    return isDry ? plan(migration) : migrate(migration);
  };
  let done = 0;
  const finished = (gun: Gun, outcome: Outcome) => {
    done++;
    session.printError(progressLine(done, migrations.size, gun, outcome));
  };
  const { result, isInterrupted } = await untilInterrupted(
    () => session.printError('Nothing new is begun; what has begun is finished. Ctrl-C again ends that too.\n'),
    (signal) => runAll({ guns: [...migrations.keys()], work, finished, signal }),
  );
  const { outcomes, stopped } = result;
  if (parsed.has('json')) session.print(`${JSON.stringify([...outcomes].map(describedOutcome), null, 2)}\n`);
  else session.print(`${reportTable(outcomes)}\n${summaryText(outcomes, servers, isDry)}`);
  if (isInterrupted) throw new SignetError('cancelled', 'interrupted: run the command again to go on');
  return describeRun(outcomes, stopped);
}

/** Parses a URL or a host name. */
function addressIn(text: string): URL {
  return parseServerAddress(text.includes('://') ? text : `https://${text}`);
}

function required(parsed: ParsedCommand, flag: string): string {
  const value = parsed.value(flag);
  if (value !== undefined && value !== '') return value;
  throw new SignetError('usage', `say which trust server to move from: --${flag} URL`, {
    next: 'For example: signet trust migrate --from https://notary.example.com NEW-SERVER REPOSITORY',
  });
}

async function namesIn(
  session: Session,
  parsed: ParsedCommand,
  place: TrustPlace,
  oldHost: string,
  named: readonly string[],
): Promise<readonly string[]> {
  const names = [...named];
  const file = parsed.value('file');
  if (file !== undefined) names.push(...(await repositoryNames(session, file)));
  if (parsed.has('cached')) names.push(...(await place.cached()));
  if (parsed.has('all')) {
    for await (const name of place.catalogue(parsed.value('registry') ?? oldHost)) names.push(name);
  }
  const isAsked = named.length > 0 || file !== undefined || parsed.has('cached') || parsed.has('all');
  if (!isAsked) {
    throw new SignetError('usage', 'say what to move: names of repositories, --file, --cached or --all');
  }
  if (names.length === 0) throw new SignetError('usage', 'there is no repository to move');
  return names;
}

/** Grouped by GUN, so that a repository given twice is migrated once. */
async function migrationsOf(
  place: TrustPlace,
  names: readonly string[],
  servers: Parameters<TrustPlace['migration']>[1],
): Promise<ReadonlyMap<Gun, Migration>> {
  const migrations = new Map<Gun, Migration>();
  for (const name of names) {
    try {
      const migration = await place.migration(name, servers);
      migrations.set(migration.gun, migration);
    } catch (error) {
      if (!(error instanceof SignetError)) throw error;
      throw error.reworded(`${quoted(name, 300)}: ${error.message}`);
    }
  }
  return migrations;
}
