import { describe, expect, test } from 'bun:test';
import type { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../../scripts/paths.ts';
import { serveCommand } from '../../../src/cli/commands/serve/serve.ts';
import { trustHere } from '../../../src/cli/commands/serve/trust-here.ts';
import type { Terminal } from '../../../src/cli/terminal/terminal.ts';
import { dataFolder, openDataFolder } from '../../../src/serve/data/data-folder.ts';
import type { ServeSettings } from '../../../src/serve/start.ts';
import { Authority } from '../../../src/serve/tls/authority.ts';
import type { Machine } from '../../../src/serve/tls/machine-trust.ts';
import { OwnNames } from '../../../src/serve/tls/own-names.ts';
import { SYSTEM_STORES, type SystemStore } from '../../../src/serve/tls/system-stores.ts';
import { failure } from '../../support/failure.ts';
import { run, runInTerminal } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { testSettings } from '../fixture.ts';

const MAIN = join(ROOT, 'src/cli/main.ts');
const LISTEN = { host: '127.0.0.1', port: 5000 };

/** Settings of a server that has run once, and its authority. */
function made(changes: Partial<ServeSettings> = {}): {
  settings: ServeSettings;
  authority: X509Certificate;
  id: string;
} {
  const settings = testSettings({ listen: LISTEN, ...changes });
  const folder = openDataFolder(settings.data);
  const authority = Authority.open(folder, 'here', Date.now());
  authority.serverCertificate(new OwnNames([], LISTEN, 'here'), Date.now());
  const id = authority.certificate.fingerprint256.replaceAll(':', '').slice(0, 12).toLowerCase();
  return { settings, authority: authority.certificate, id };
}

/** A machine in a folder, whose program does what such programs do, and what it was told to do. */
function machineWith(store: SystemStore | undefined): Machine & { readonly commands: string[]; isBroken: boolean } {
  const root = temporaryFolder();
  const commands: string[] = [];
  const machine = {
    root,
    commands,
    isBroken: false,
    run: async (command: readonly string[]) => {
      commands.push(command.join(' '));
      if (store === undefined || machine.isBroken) return;
      const files = readdirSync(join(root, store.anchors)).map((name) => readFileSync(join(root, store.anchors, name)));
      writeFileSync(join(root, store.bundle), Buffer.concat(files));
    },
  };
  if (store === undefined) return machine;
  for (const folder of [store.anchors, dirname(store.bundle)]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, store.anchors, 'other.crt'), "someone else's\n");
  writeFileSync(join(root, store.bundle), "someone else's\n");
  return machine;
}

function unused(): never {
  throw new Error('nothing but a question of yes or no is asked');
}

function talk(answer = true, isInteractive = true) {
  const said = { text: '', questions: [] as string[] };
  const terminal: Terminal = {
    isInteractive,
    print: (text) => {
      said.text += text;
    },
    printError: unused,
    write: unused,
    input: unused,
    askLine: unused,
    askHidden: unused,
    readSecret: unused,
    confirm: async (question) => {
      said.questions.push(question);
      return answer;
    },
  };
  return { said, terminal };
}

const FOR_DOCKER = ['localhost:5000', '127.0.0.1:5000'].map((host) => `/etc/docker/certs.d/${host}/ca.crt`);

describe.each(SYSTEM_STORES.map((store) => [store.systems, store] as const))('%s', (_, store) => {
  test('shows what it will do, asks once, does it, and does nothing the next time', async () => {
    const { settings, authority, id } = made();
    const machine = machineWith(store);
    const { said, terminal } = talk();
    const options = { isUndo: false, isSure: false, machine, terminal };
    expect(await trustHere(settings, options)).toBe(0);
    const anchor = join(store.anchors, `signet-${id}.crt`);
    const fingerprint = authority.fingerprint256.replaceAll(':', '').toLowerCase();
    expect(said.text).toBe(`This machine will trust the authority
  CN=Signet authority of here, until ${authority.validTo}
  ${settings.data}/tls/ca.crt SHA256:${fingerprint}
Whoever has its key, ${settings.data}/tls/ca.key, can then pass for any server towards this machine.

  write ${anchor}
  run ${store.update.join(' ')}
  write ${FOR_DOCKER[0]}
  write ${FOR_DOCKER[1]}

This machine trusts the authority. Programs that run already read it when they start again.
To undo it: signet serve --untrust-here --data ${settings.data}
`);
    expect(said.questions).toEqual(['Go on?']);
    expect(machine.commands).toEqual([store.update.join(' ')]);
    for (const path of [anchor, ...FOR_DOCKER]) {
      expect(readFileSync(join(machine.root, path), 'utf8')).toBe(authority.toString());
      expect(statSync(join(machine.root, path)).mode & 0o777).toBe(0o644);
    }
    const again = talk(true, false);
    expect(await trustHere(settings, { ...options, terminal: again.terminal })).toBe(0);
    expect([again.said.text, machine.commands.length]).toEqual(['This machine trusts the authority already.\n', 1]);
  });

  test('is left as it was before, whatever the names of the server are now', async () => {
    const { settings } = made({ names: [{ host: 'registry.example.com', port: 443 }] });
    const machine = machineWith(store);
    const options = { isSure: true, machine, terminal: talk(true, false).terminal };
    await trustHere(settings, { ...options, isUndo: false });
    const docker = join(machine.root, '/etc/docker/certs.d');
    expect(readdirSync(docker).sort()).toEqual([
      '127.0.0.1:5000',
      'localhost:5000',
      'registry.example.com',
      'registry.example.com:443',
    ]);
    writeFileSync(join(docker, 'localhost:5000', 'client.cert'), "someone else's\n");
    expect(await trustHere({ ...settings, names: [] }, { ...options, isUndo: true })).toBe(0);
    expect(machine.commands).toEqual([store.update.join(' '), store.withdraw.join(' ')]);
    expect(readdirSync(docker)).toEqual(['localhost:5000']);
    expect(readdirSync(join(docker, 'localhost:5000'))).toEqual(['client.cert']);
    expect(readdirSync(join(machine.root, store.anchors))).toEqual(['other.crt']);
    expect(readFileSync(join(machine.root, store.bundle), 'utf8')).toBe("someone else's\n");
    const again = talk();
    await trustHere(settings, { ...options, isUndo: true, terminal: again.terminal });
    expect([again.said.text, machine.commands.length]).toEqual(['This machine does not trust the authority.\n', 2]);
  });

  test('whose program does not take it is not said to trust it, and is tried again', async () => {
    const { settings } = made();
    const machine = machineWith(store);
    machine.isBroken = true;
    const options = { isUndo: false, isSure: true, machine, terminal: talk(true, false).terminal };
    const error = await failure(trustHere(settings, options), 'machine-trust-failed');
    expect(error.message).toBe("the list of the system's authorities does not have the authority");
    machine.isBroken = false;
    expect(await trustHere(settings, options)).toBe(0);
    expect(machine.commands).toHaveLength(2);
  });
});

describe('nothing is done', () => {
  const untouched = ({ root, commands }: ReturnType<typeof machineWith>) =>
    expect([existsSync(join(root, 'etc/docker')), commands]).toEqual([false, []]);

  test('without a terminal, unless told not to ask', async () => {
    const machine = machineWith(SYSTEM_STORES[3]);
    const { said, terminal } = talk(true, false);
    const options = { isUndo: false, isSure: false, machine, terminal };
    const error = await failure(trustHere(made().settings, options), 'machine-trust-unsure');
    expect([error.exitCode, error.next]).toEqual([125, 'Run it at a terminal, or say that you are sure: --yes']);
    expect(said.text).toContain('\n  run update-ca-certificates\n');
    untouched(machine);
  });

  test('when the answer is no', async () => {
    const machine = machineWith(SYSTEM_STORES[3]);
    const { said, terminal } = talk(false);
    expect(await trustHere(made().settings, { isUndo: false, isSure: false, machine, terminal })).toBe(1);
    expect(said.text).toEndWith('\n\nAborting action.\n');
    untouched(machine);
  });

  test('if there is no authority to trust', async () => {
    const machine = machineWith(SYSTEM_STORES[3]);
    const options = { isUndo: false, isSure: true, machine, terminal: talk().terminal };
    const never = testSettings();
    const error = await failure(trustHere(never, options), 'machine-trust-needless');
    expect(error.message).toBe(`no server has made an authority in ${never.data}`);
    await failure(trustHere(testSettings({ tls: false }), options), 'machine-trust-needless');
    const own = testSettings({ tlsCertificate: '/x.crt', tlsKey: '/x.key' });
    expect((await failure(trustHere(own, options), 'machine-trust-needless')).message).toContain('/x.crt');
    untouched(machine);
  });

  test('with options that contradict each other', async () => {
    for (const args of [['--trust-here', '--untrust-here'], ['--yes']]) {
      await failure(serveCommand(args), 'usage');
    }
  });
});

test('a system whose store is not known gets the docker engine’s files, and is told so', async () => {
  const machine = machineWith(undefined);
  const { said, terminal } = talk();
  await trustHere(made().settings, { isUndo: false, isSure: true, machine, terminal });
  expect(FOR_DOCKER.map((path) => existsSync(join(machine.root, path)))).toEqual([true, true]);
  expect(said.text).toContain('How this system keeps its authorities is not known');
});

test('a former authority is replaced, the file of another is left alone', async () => {
  const machine = machineWith(SYSTEM_STORES[3]);
  const [first, second] = [made(), made()];
  const [mine = '', others = ''] = FOR_DOCKER.map((path) => join(machine.root, path));
  const options = { isUndo: false, isSure: true, machine, terminal: talk().terminal };
  await trustHere(first.settings, options);
  writeFileSync(others, "someone else's\n");
  await trustHere(second.settings, options);
  expect(readFileSync(mine, 'utf8')).toBe(second.authority.toString());
  expect(readFileSync(others, 'utf8')).toBe("someone else's\n");
  expect(readFileSync(join(dirname(others), 'signet.crt'), 'utf8')).toBe(second.authority.toString());
  await trustHere(second.settings, { ...options, isUndo: true });
  expect([existsSync(mine), readdirSync(dirname(others))]).toEqual([false, ['ca.crt']]);
});

describe('on this Debian, in a mount namespace of its own', () => {
  /** Files that the command may change are copies, which go with the namespace. */
  const inNamespace = (script: string) => `set -e
    for folder in /usr/local/share /etc/ssl; do
      mkdir -p $folder
      copy=$(mktemp -d)
      cp -a $folder/. $copy/
      mount --bind $copy $folder
    done
    mkdir -p /etc/docker /usr/local/share/ca-certificates
    mount -t tmpfs none /etc/docker
    ${script}`;
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', TERM: 'xterm' };

  test('openssl believes the server after --trust-here --yes, and no longer after --untrust-here', async () => {
    const { settings, id } = made();
    const folder = dataFolder(settings.data);
    const signet = `${process.execPath} ${MAIN} serve --data ${settings.data}`;
    const verify = `openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt ${folder.serverCertificate} >/dev/null 2>&1 && echo trusted || echo strange`;
    const script = inNamespace(`
      ${verify}
      ${signet} --trust-here </dev/null >/dev/null 2>&1 || echo refused
      ${verify}
      ${signet} --trust-here --yes </dev/null >/dev/null
      ${verify}
      ls /etc/ssl/certs | grep -c signet-${id}
      cat /etc/docker/certs.d/localhost:5000/ca.crt | cmp - ${folder.authorityCertificate} && echo same
      ${signet} --trust-here </dev/null
      ${signet} --untrust-here --yes </dev/null >/dev/null
      ${verify}
      ls /etc/ssl/certs | grep -c signet-${id} || true
      ls /etc/docker/certs.d`);
    const { stdout, stderr, exitCode } = await run(['unshare', '-m', 'sh', '-c', script], { env });
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout.trim().split('\n')).toEqual([
      'strange',
      'refused',
      'strange',
      'trusted',
      '1',
      'same',
      'This machine trusts the authority already.',
      'strange',
      '0',
    ]);
    expect(existsSync(`/usr/local/share/ca-certificates/signet-${id}.crt`)).toBe(false);
  }, 60_000);

  test('a person at a terminal is asked', async () => {
    const { settings } = made();
    const signet = `${process.execPath} ${MAIN} serve --data ${settings.data} --trust-here`;
    const answers = [{ expect: /Go on\? \[y\/N\] /, send: 'y' }];
    const { stdout, exitCode } = await runInTerminal(['unshare', '-m', 'sh', '-c', inNamespace(signet)], answers, {
      env,
    });
    expect([exitCode, stdout.includes('This machine trusts the authority. ')]).toEqual([0, true]);
  }, 60_000);

  test('who may not write there is told before being asked', async () => {
    const { settings } = made();
    for (const path of [dirname(settings.data), settings.data, dataFolder(settings.data).tls]) chmodSync(path, 0o755);
    chmodSync(dataFolder(settings.data).authorityCertificate, 0o644);
    const script = `
      import { trustHere } from ${JSON.stringify(join(ROOT, 'src/cli/commands/serve/trust-here.ts'))};
      import { readSettings } from ${JSON.stringify(join(ROOT, 'src/serve/settings/read-settings.ts'))};
      process.setgid(12345); process.setuid(12345);
      const settings = { ...readSettings({ folder: '/' }), data: ${JSON.stringify(settings.data)} };
      await trustHere(settings, { isUndo: false, isSure: true }).catch((error) => console.log(error.code, error.message));`;
    const { stdout } = await run([process.execPath, '-e', script], { env });
    expect(stdout).toMatch(/^machine-trust-failed cannot write \/\S+: this user may not\n$/);
  });
});
