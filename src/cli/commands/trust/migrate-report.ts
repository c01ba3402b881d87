import { SignetError } from '../../../core/errors/index.ts';
import type { Outcome } from '../../../trust/migrate/migrate.ts';
import { dockerTable } from '../../terminal/table.ts';

/** By GUN, or by what is none. */
type Outcomes = ReadonlyMap<string, Outcome>;

/** The label of each outcome, in the order of the summary. */
const STATES: readonly (readonly [kind: Outcome['kind'], summary: string])[] = [
  ['moved', 'moved'],
  ['present', 'there already'],
  ['ready', 'ready to move'],
  ['unsigned', 'without trust data'],
  ['waiting', 'waiting for signatures'],
  ['failed', 'failed'],
  ['skipped', 'not begun'],
];

/** One line per repository, printed as soon as its outcome is known. */
export function progressLine(done: number, all: number, name: string, outcome: Outcome): string {
  return `${done}/${all} ${outcome.kind} ${name}${outcome.kind === 'failed' ? `: ${outcome.error.message}` : ''}\n`;
}

/** A table with one row per repository and its outcome. */
export function reportTable(outcomes: Outcomes): string {
  const rows = [...outcomes].map(([gun, outcome]) => [gun, outcome.kind, rootIn(outcome), detailOf(outcome)]);
  return dockerTable(['REPOSITORY', 'STATE', 'ROOT', 'DETAIL'], rows);
}

/** The count of each outcome, the steps to take, and the steps that follow the last repository. */
export function summaryText(outcomes: Outcomes, { to }: { readonly to: URL }, isDry: boolean): string {
  const all = [...outcomes.values()];
  const counts = STATES.map(([kind, name]) => [all.filter((outcome) => outcome.kind === kind).length, name] as const)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${name}`);
  const lines = [`${counted(outcomes.size, 'repository', 'repositories')}: ${counts.join(', ')}.`, ...stepsFor(all)];
  const isDone = all.every(({ kind }) => kind === 'moved' || kind === 'present' || kind === 'unsigned');
  if (isDone && !isDry) {
    lines.push(...clientSteps(to));
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** What everyone who reads the repositories has to know of the new server. */
function clientSteps(to: URL): readonly string[] {
  return [
    `Now point clients at ${to.origin}: DOCKER_CONTENT_TRUST_SERVER for docker, -s for notary, "trustServer" in signet.json for signet.`,
    `They need its CA, tls/ca.crt in its data folder: as ~/.docker/tls/${to.host}/ca.crt, or for notary as --tlscacert.`,
    'They need an account there, unless it is started with --public-pull PATTERN, or with --auth off as an open Notary was.',
    'What is published on the old server from here on is not moved.',
  ];
}

/** One step for all repositories that need the same one. */
function stepsFor(outcomes: readonly Outcome[]): readonly string[] {
  const steps = new Set<string>();
  for (const outcome of outcomes) {
    if (outcome.kind === 'failed' && outcome.error.next !== undefined) steps.add(outcome.error.next);
    if (outcome.kind !== 'waiting') continue;
    steps.add(
      outcome.draft === undefined
        ? 'Run the command where a root key is. Each holder of one runs it in turn, with the same folder of drafts: --drafts FOLDER'
        : 'Pass the folder of drafts on to the holders of the other root keys, who run the same command with: --drafts FOLDER',
    );
  }
  return [...steps];
}

/** Whether any repository has still to move. */
export function isLeft(outcomes: Outcomes): boolean {
  return leftOf(outcomes).length > 0;
}

function leftOf(outcomes: Outcomes): readonly string[] {
  return [...outcomes]
    .filter(([, { kind }]) => kind === 'failed' || kind === 'waiting' || kind === 'skipped')
    .map(([gun]) => gun);
}

/**
 * Returns the exit code. Throws the error that stopped everything, or `migration-incomplete` if anything is left to do.
 */
export function describeRun(outcomes: Outcomes, stopped: SignetError | undefined): number {
  if (stopped !== undefined) throw stopped;
  const left = leftOf(outcomes);
  if (left.length === 0) return 0;
  throw new SignetError(
    'migration-incomplete',
    `${left.length} of ${counted(outcomes.size, 'repository', 'repositories')} did not move`,
    {
      detail: { repositories: left },
    },
  );
}

/** The `--json` output for one repository. */
export function describedOutcome([gun, outcome]: readonly [string, Outcome]): Readonly<Record<string, unknown>> {
  const base = { repository: gun, state: outcome.kind };
  switch (outcome.kind) {
    case 'moved':
    case 'present':
      return { ...base, ...outcome.parts, timestamp: outcome.timestamp };
    case 'ready':
      return { ...base, ...outcome.parts, newCertificates: outcome.newCertificates };
    case 'waiting':
      return {
        ...base,
        ...outcome.parts,
        missing: outcome.missing,
        needed: outcome.needed,
        draft: outcome.draft ?? null,
      };
    case 'failed': {
      const { code, message, next, detail } = outcome.error;
      return { ...base, error: { code, message, next: next ?? null, missing: detail.missing ?? [] } };
    }
    default:
      return base;
  }
}

function rootIn(outcome: Outcome): string {
  if (!('parts' in outcome)) return '';
  const { root } = outcome.parts;
  return outcome.kind === 'present' ? `${root}` : `${root} -> ${root + 1}`;
}

function detailOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'moved':
    case 'present':
      return [`timestamp ${outcome.timestamp}`, ...partsText(outcome)].join(', ');
    case 'ready':
      return [...partsText(outcome), ...(outcome.newCertificates ? ['new root certificate'] : [])].join(', ');
    case 'waiting': {
      const where = outcome.draft === undefined ? '' : `; draft: ${outcome.draft}`;
      return `${outcome.needed} of these must sign: ${outcome.missing.join(', ')}${where}`;
    }
    case 'failed':
      return outcome.error.message;
    case 'unsigned':
      return 'the old server has no trust data of it';
    default:
      return '';
  }
}

function partsText({ parts }: Extract<Outcome, { kind: 'moved' | 'present' | 'ready' }>): readonly string[] {
  const { targets, delegations, expired, oldestRoot } = parts;
  return [
    counted(targets, 'target', 'targets'),
    ...(delegations === 0 ? [] : [counted(delegations, 'delegation', 'delegations')]),
    ...(oldestRoot === 1 ? [] : [`followed from root ${oldestRoot} on`]),
    ...(expired.length === 0 ? [] : [`expired: ${expired.join(', ')}`]),
  ];
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
