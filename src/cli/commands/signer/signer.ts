import { SignetError } from '../../../core/errors/index.ts';
import { chosenDataFolder } from '../../../serve/data/data-folder.ts';
import { openLogs } from '../../../serve/observe/logs.ts';
import { address, isPath } from '../../../serve/settings/setting-types.ts';
import type { RunningSigner, SignerSettings } from '../../../serve/start-signer.ts';
import { carryOut, parseCommand, WRONG_FLAG } from '../../line/command.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import { firstStop } from '../../terminal/interrupts.ts';
import { printErr, printOut } from '../../terminal/output.ts';

const INTERRUPTED = 130;
/** The port that notary-signer listens on by convention. */
const LISTEN = 'localhost:7899';
const LEVELS = ['debug', 'info', 'warning', 'error'] as const;

export const SIGNER: Command<undefined> = {
  program: 'signet',
  path: 'signer',
  summary: 'Hold the online signing keys of trust servers, and sign for them',
  layout: 'wide',
  args: [],
  flags: [
    {
      name: 'client-ca',
      type: 'value',
      word: 'FILE',
      takes: 'file',
      about: 'PEM certificates of the authorities of the servers that may call, each with a certificate of its own',
    },
    {
      name: 'data',
      type: 'value',
      word: 'FOLDER',
      takes: 'folder',
      about: 'Data folder (default ~/.local/share/signet, or /var/lib/signet for root)',
    },
    {
      name: 'database-file',
      type: 'value',
      word: 'FILE',
      takes: 'file',
      about:
        "File with the URL of a notary-signer's database, whose keys are used in place of those of the data folder",
    },
    { name: 'listen', type: 'value', word: 'HOST:PORT', about: 'Address to listen on', default: LISTEN },
    {
      name: 'log-level',
      type: 'value',
      word: LEVELS.join('|'),
      takes: LEVELS,
      about: 'Least level that is logged',
      default: 'info',
    },
    {
      name: 'master-key-file',
      type: 'value',
      word: 'FILE',
      takes: 'file',
      about: 'File with the key that seals the signing keys (SIGNET_MASTER_KEY holds the key itself)',
    },
    {
      name: 'passphrases',
      type: 'value',
      word: 'FILE',
      takes: 'file',
      about: 'File of NOTARY_SIGNER_ALIAS=PASSPHRASE lines for that database, beside the environment',
    },
    {
      name: 'rotate-master-key',
      type: 'switch',
      about: 'Seal all signing keys under a new master key, and end. Neither signer nor server may run on the folder',
    },
    {
      name: 'rotate-passphrases',
      type: 'switch',
      about: 'Encrypt all keys of --database-file with the passphrase of NOTARY_SIGNER_DEFAULT_ALIAS, and end',
    },
    {
      name: 'tls-certificate',
      type: 'value',
      word: 'FILE',
      takes: 'file',
      about: 'PEM certificate chain to use instead of one from the local authority',
    },
    { name: 'tls-key', type: 'value', word: 'FILE', takes: 'file', about: 'PEM private key of --tls-certificate' },
    {
      name: 'without-client-authentication',
      type: 'switch',
      about: 'Take calls from anyone: who can reach the signer can sign with every key',
    },
  ],
  run: signer,
};

/** `signet signer`. Returns the exit code. Throws a SignetError if it cannot start. */
export async function signerCommand(words: readonly string[]): Promise<number> {
  return carryOut(SIGNER, undefined, parseCommand(SIGNER, words));
}

/** Signs until SIGTERM or SIGINT, and returns 0 once all calls have ended. A second signal ends it immediately. */
async function signer(_: undefined, parsed: ParsedCommand): Promise<number> {
  const { rotateSignerMasterKey, startSigner } = await import('../../../serve/start-signer.ts');
  const environment = process.env;
  const now = Date.now;
  if (parsed.has('rotate-passphrases')) return rotatePassphrases(parsed);
  if (parsed.has('rotate-master-key')) {
    const count = await rotateSignerMasterKey(placeFrom(parsed), { environment, now });
    printOut(`Sealed ${counted(count)} under a new master key. Keep a copy of it, and destroy the old one.\n`);
    return 0;
  }
  const settings = settingsFrom(parsed);
  const level = LEVELS.find((known) => known === parsed.value('log-level'));
  if (level === undefined) throw wrong('log-level', `one of ${LEVELS.join(', ')}`);
  const { log } = openLogs({ logLevel: level, logFormat: 'auto', accessLog: 'off' }, undefined, now);
  const running = await startSigner(settings, { environment, log, now });
  const asked = firstStop(INTERRUPTED);
  printOut(announcementOf(settings, running));
  await asked;
  await running.stop();
  return 0;
}

/** Encrypts every key that can be opened with the new passphrase. Prints those that cannot, and then fails. */
async function rotatePassphrases(parsed: ParsedCommand): Promise<number> {
  const { rotateSignerPassphrases } = await import('../../../serve/start-signer.ts');
  const { databaseFile, passphrases } = placeFrom(parsed);
  if (databaseFile === undefined) {
    throw new SignetError('usage', '--rotate-passphrases needs --database-file', {
      exitCode: WRONG_FLAG,
      next: 'For the keys of a data folder: --rotate-master-key',
    });
  }
  const failures: unknown[] = [];
  const changed = await rotateSignerPassphrases(
    { databaseFile, passphrases },
    { environment: process.env, now: Date.now },
    (_, failure) => {
      if (failure === undefined) return;
      failures.push(failure);
      printErr(`${failure instanceof Error ? failure.message : String(failure)}\n`);
    },
  );
  printOut(`Encrypted ${counted(changed)} with the new passphrase.\n`);
  if (failures.length === 0) return 0;
  throw new SignetError('online-key-unreadable', `${counted(failures.length)} kept the passphrase they had`, {
    cause: failures[0],
    next: 'Give the passphrases of all aliases, and run the command again.',
  });
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'key' : 'keys'}`;
}

function settingsFrom(parsed: ParsedCommand): SignerSettings {
  const listen = address.read([parsed.value('listen') ?? LISTEN], '.');
  if (listen === undefined) throw wrong('listen', address.expects);
  const [certificate, key] = [
    file('tls-certificate', parsed.value('tls-certificate')),
    file('tls-key', parsed.value('tls-key')),
  ];
  if ((certificate === undefined) !== (key === undefined)) {
    throw new SignetError('usage', '--tls-certificate and --tls-key must be given together', { exitCode: WRONG_FLAG });
  }
  const tls = certificate === undefined || key === undefined ? undefined : { certificate, key };
  const clientCa = file('client-ca', parsed.value('client-ca'));
  checkClients(clientCa, parsed.has('without-client-authentication'));
  return { ...placeFrom(parsed), listen, tls, clientCa };
}

function checkClients(clientCa: string | undefined, isOpen: boolean): void {
  if (clientCa !== undefined && isOpen) {
    throw new SignetError('usage', 'conflicting options: --client-ca and --without-client-authentication', {
      exitCode: WRONG_FLAG,
    });
  }
  if (clientCa !== undefined || isOpen) return;
  throw new SignetError('client-authentication-missing', 'the signer has no way to know who calls it', {
    next: 'Name the authority of the servers that may call: --client-ca FILE. If everyone who reaches it may sign, say so: --without-client-authentication',
  });
}

type Place = Pick<SignerSettings, 'data' | 'masterKeyFile' | 'databaseFile' | 'passphrases'>;

function placeFrom(parsed: ParsedCommand): Place {
  return {
    data: chosenDataFolder(parsed.value('data')),
    masterKeyFile: file('master-key-file', parsed.value('master-key-file')),
    databaseFile: file('database-file', parsed.value('database-file')),
    passphrases: file('passphrases', parsed.value('passphrases')),
  };
}

function file(flag: string, value: string | undefined): string | undefined {
  if (value !== undefined && !isPath(value)) throw wrong(flag, 'a file');
  return value;
}

function wrong(flag: string, expected: string): SignetError {
  return new SignetError('usage', `--${flag} must be ${expected}`, { exitCode: WRONG_FLAG });
}

function announcementOf({ listen, data, clientCa }: SignerSettings, { port, authority }: RunningSigner): string {
  return [
    `Signet signs for Notary servers on ${listen.host}:${port}`,
    `  Data folder:  ${data}`,
    ...(authority === undefined ? [] : [`  Authority:    ${authority}`]),
    `  Clients:      ${clientCa === undefined ? 'anyone' : `with a certificate of ${clientCa}`}`,
    '',
  ].join('\n');
}
