import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../scripts/paths.ts';
import { CLIENT_VARIABLES, GIVEN_VARIABLES, SERVER_VARIABLES } from '../../../src/core/variables.ts';
import { checkVariables } from '../../../src/serve/settings/check-variables.ts';
import { readSettings } from '../../../src/serve/settings/read-settings.ts';
import { SETTING_NAMES, variableOf } from '../../../src/serve/settings/settings.ts';
import { failure } from '../../support/failure.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';

const OTHERS = [...CLIENT_VARIABLES, ...SERVER_VARIABLES, ...GIVEN_VARIABLES];
/** Constants in the sources that have such names too. */
const LISTS_OF_COMMANDS = ['SIGNET_TRUST', 'SIGNET_KEY'];
const KNOWN = [...SETTING_NAMES.map(variableOf), ...OTHERS];

/** What Kubernetes puts into each container of a namespace with the services `signet` and `signet-db`. */
const KUBERNETES = {
  SIGNET_SERVICE_HOST: '10.96.0.7',
  SIGNET_SERVICE_PORT: '5000',
  SIGNET_SERVICE_PORT_HTTPS: '5000',
  SIGNET_PORT: 'tcp://10.96.0.7:5000',
  SIGNET_PORT_5000_TCP: 'tcp://10.96.0.7:5000',
  SIGNET_PORT_5000_TCP_PROTO: 'tcp',
  SIGNET_PORT_5000_TCP_PORT: '5000',
  SIGNET_PORT_5000_TCP_ADDR: '10.96.0.7',
  SIGNET_DB_SERVICE_HOST: '10.96.0.8',
  SIGNET_DB_SERVICE_PORT: '5432',
  SIGNET_DB_PORT: 'tcp://10.96.0.8:5432',
  SIGNET_DB_PORT_5432_TCP: 'tcp://10.96.0.8:5432',
  SIGNET_DB_PORT_5432_TCP_ADDR: '10.96.0.8',
};

describe('a variable', () => {
  test('that is known passes, with a value or without', () => {
    checkVariables(Object.fromEntries(KNOWN.map((name) => [name, 'x'])));
    checkVariables(Object.fromEntries(KNOWN.map((name) => [name, ''])));
    checkVariables({ PATH: '/bin', SIGNETURE: 'x', signet_listen: 'x', DOCKER_SIGNET_X: 'x' });
  });

  test.each([
    ['SIGNET_LISEN', 'SIGNET_LISTEN'],
    ['SIGNET_NAME', 'SIGNET_NAMES'],
    ['SIGNET_TLS_CERT', 'SIGNET_TLS_CERTIFICATE'],
    ['SIGNET_TLSKEY', 'SIGNET_TLS_KEY'],
    ['SIGNET_DATA_', 'SIGNET_DATA'],
    ['SIGNET_MASTERKEY', 'SIGNET_MASTER_KEY'],
    ['SIGNET_TRUST_ON_FIRST_USE', undefined],
    ['SIGNET_', undefined],
    ['SIGNET_listen', undefined],
    ['SIGNET___proto__', undefined],
  ])('%s ends the start; what was meant: %s', async (name, meant) => {
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    for (const value of ['x', '']) {
      const error = await failure(
        () => readSettings({ folder: '/', environment: { [name]: value } }),
        'setting-unknown',
      );
      expect(error.message).toBe(`unknown variable ${name} in the environment${hint}`);
      expect(error.next).toContain('signet serve --help');
    }
  });

  test('that is unknown is named without what could move a cursor, its value never, and others are counted', async () => {
    const environment = { 'SIGNET_\u001b[2J': 'secret', SIGNET_ZZ: 'secret', SIGNET_YY: 'secret' };
    const error = await failure(() => checkVariables(environment), 'setting-unknown');
    expect(error.message).toBe('unknown variable SIGNET_\\u001b[2J in the environment (and 2 more)');
    expect(error.detail.unknown).toEqual(['SIGNET_\u001b[2J', 'SIGNET_YY', 'SIGNET_ZZ']);
  });
});

describe('variables of Kubernetes', () => {
  test('for services named signet and signet-… pass', () => {
    checkVariables(KUBERNETES);
    expect(readSettings({ folder: '/', environment: { ...KUBERNETES, SIGNET_SERVICE: 'mine' } }).service).toBe('mine');
  });

  test.each(Object.entries(KUBERNETES).filter(([name]) => !name.endsWith('SERVICE_HOST')))(
    '%s=%s is a mistake without the address of the service',
    async (name, value) => {
      await failure(() => checkVariables({ [name]: value }), 'setting-unknown');
      await failure(() => checkVariables({ SIGNET_OTHER_SERVICE_HOST: '10.96.0.9', [name]: value }), 'setting-unknown');
    },
  );

  test('that are of no service are refused beside those that are', async () => {
    for (const [name, value] of Object.entries({
      SIGNET_PORT: '6000',
      SIGNET_PORT_X: '1',
      SIGNET_SERVICE_HOSTS: 'x',
    })) {
      await failure(() => checkVariables({ ...KUBERNETES, [name]: value }), 'setting-unknown');
    }
  });
});

describe('the list', () => {
  test('has every variable that the sources read, and no other', () => {
    const sources = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[]).filter((name) =>
      name.endsWith('.ts'),
    );
    const transpiler = new Bun.Transpiler({ loader: 'ts' });
    const read = sources
      .filter((name) => name !== join('core', 'variables.ts'))
      .map((name) => transpiler.transformSync(readFileSync(join(ROOT, 'src', name), 'utf8')))
      .flatMap((code) => code.match(/(?<!\w)SIGNET_[A-Z_]*[A-Z]\b/g) ?? []);
    const names = new Set(read.filter((name) => !LISTS_OF_COMMANDS.includes(name)));
    expect([...names].filter((name) => !KNOWN.includes(name))).toEqual([]);
    expect(OTHERS.filter((name) => !names.has(name))).toEqual([]);
  });

  test('is that of the documentation', () => {
    const text = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
    expect(OTHERS.filter((name) => !GIVEN_VARIABLES.includes(name) && !text.includes(`\`${name}\``))).toEqual([]);
  });
});

test('signet serve ends with a mistyped variable before it makes anything', async () => {
  const data = join(temporaryFolder(), 'data');
  const command = [process.execPath, join(ROOT, 'src/cli/main.ts'), 'serve', '--data', data];
  const outcome = await run(command, { env: { PATH: '/bin', SIGNET_LISEN: '127.0.0.1:0' } });
  expect([outcome.exitCode, outcome.stdout, outcome.stderr]).toEqual([
    125,
    '',
    'unknown variable SIGNET_LISEN in the environment; did you mean SIGNET_LISTEN?\n\nTake it out of the environment, or list the settings: signet serve --help\n',
  ]);
  expect(readdirSync(join(data, '..'))).toEqual([]);
});
