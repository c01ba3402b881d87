import type { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { SignetError } from '../../../core/errors/index.ts';
import { printable } from '../../../core/printable.ts';
import { shellWord } from '../../../core/shell-word.ts';
import { dataFolder, isMade } from '../../../serve/data/data-folder.ts';
import { configWords, NO_COMMAND_LINE, type ServeCommandLine } from '../../../serve/settings/command-line.ts';
import type { ServeSettings } from '../../../serve/start.ts';
import {
  checkPermission,
  describeStep,
  isTrustedBySystem,
  type Machine,
  type Step,
  stepsToForget,
  stepsToTrust,
  takeSteps,
} from '../../../serve/tls/machine-trust.ts';
import { OwnNames } from '../../../serve/tls/own-names.ts';
import { readCertificates } from '../../../serve/tls/server-certificate.ts';
import { ProcessTerminal, type Terminal } from '../../terminal/terminal.ts';

interface TrustHereOptions {
  /** Whether to undo the trust. */
  readonly isUndo: boolean;
  /** Whether to skip the question. */
  readonly isSure: boolean;
  readonly commandLine?: ServeCommandLine;
  readonly machine?: Machine;
  readonly terminal?: Terminal;
}

/**
 * `signet serve --trust-here` and `--untrust-here`: shows what it will do, asks once, does it. The server may be
 * running. Returns the exit code. Throws `machine-trust-needless` if there is no authority to trust,
 * `machine-trust-unsure` if it cannot ask, or `machine-trust-failed`.
 */
export async function trustHere(settings: ServeSettings, options: TrustHereOptions): Promise<number> {
  const { isUndo, isSure, machine = thisMachine(), terminal = new ProcessTerminal() } = options;
  const authority = authorityOf(settings);
  const hosts = new OwnNames(settings.names, settings.listen, hostname()).imageHosts(settings.listen.port);
  const steps = isUndo ? stepsToForget(authority, machine) : stepsToTrust(authority, hosts, machine);
  if (steps.length === 0) {
    terminal.print(
      isUndo ? 'This machine does not trust the authority.\n' : 'This machine trusts the authority already.\n',
    );
    return 0;
  }
  checkPermission(steps, machine);
  terminal.print(planText(authority, settings, steps, isUndo));
  if (!isSure && !terminal.isInteractive) {
    throw new SignetError('machine-trust-unsure', 'nothing was done: there is no terminal to ask at');
  }
  if (!isSure && !(await terminal.confirm('Go on?'))) {
    terminal.print('Aborting action.\n');
    return 1;
  }
  await takeSteps(steps, authority, machine);
  checkSystem(authority, machine, isUndo);
  terminal.print(
    isUndo ? 'This machine does not trust the authority any more.\n' : doneText(settings, authority, options),
  );
  return 0;
}

function authorityOf({ data, tls, tlsCertificate }: ServeSettings): X509Certificate {
  if (!tls) throw needless('the server has no certificate: tls is off');
  if (tlsCertificate !== undefined) {
    throw needless(`the server has a certificate of yours, ${tlsCertificate}: whoever issued it must be known here`);
  }
  const folder = dataFolder(data);
  const isThere = isMade(folder, folder.authorityCertificate);
  const [certificate] = isThere ? readCertificates(folder.authorityCertificate) : [];
  if (certificate !== undefined) return certificate;
  throw new SignetError('machine-trust-needless', `no server has made an authority in ${data}`, {
    next: 'Start the server once, or name its data folder: --data FOLDER',
  });
}

function planText(
  authority: X509Certificate,
  settings: ServeSettings,
  steps: readonly Step[],
  isUndo: boolean,
): string {
  const { authorityCertificate, authorityKey } = dataFolder(settings.data);
  const fingerprint = authority.fingerprint256.replaceAll(':', '').toLowerCase();
  return [
    isUndo ? 'This machine will no longer trust the authority' : 'This machine will trust the authority',
    `  ${printable(authority.subject)}, until ${authority.validTo}`,
    `  ${authorityCertificate} SHA256:${fingerprint}`,
    ...(isUndo ? [] : [`Whoever has its key, ${authorityKey}, can then pass for any server towards this machine.`]),
    '',
    ...steps.map((step) => `  ${describeStep(step)}`),
    '',
    '',
  ].join('\n');
}

function doneText({ data }: ServeSettings, authority: X509Certificate, options: TrustHereOptions): string {
  const { machine = thisMachine(), commandLine = NO_COMMAND_LINE } = options;
  const words = [`--data ${shellWord(data)}`, ...configWords(commandLine)];
  const system =
    isTrustedBySystem(authority, machine) === undefined
      ? 'The docker engine trusts the authority. How this system keeps its authorities is not known: BuildKit needs it among them.\n'
      : 'This machine trusts the authority. Programs that run already read it when they start again.\n';
  return `${system}To undo it: signet serve --untrust-here ${words.join(' ')}\n`;
}

/** Checks the system's list afterwards, because the system's own program decides what is in it. */
function checkSystem(authority: X509Certificate, machine: Machine, isUndo: boolean): void {
  if (isTrustedBySystem(authority, machine) !== isUndo) return;
  const failure = isUndo ? 'still has the authority' : 'does not have the authority';
  throw new SignetError('machine-trust-failed', `the list of the system's authorities ${failure}`);
}

function thisMachine(): Machine {
  return {
    root: '/',
    run: async ([program = '', ...args]) => {
      const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`;
      const found = Bun.which(program, { PATH: path });
      if (found === null) throw new Error('there is no such program');
      const child = Bun.spawn([found, ...args], {
        env: { ...process.env, PATH: path },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${printable(errors, 500)}`);
    },
  };
}

function needless(message: string): SignetError {
  return new SignetError('machine-trust-needless', message);
}
