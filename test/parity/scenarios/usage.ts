import { type Scenario, scenariosOf } from '../scenario.ts';

/** Command lines that are wrong or only ask for help; nothing else matters to them. */
const LINES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  trust: {
    bare: '',
    help: '--help',
    'help-word': 'help',
    'short-help': '-h',
    'help-taken-back': '--help=false',
    'help-of-a-command': '--help inspect',
    'unknown-command': 'frobnicate',
    'unknown-flag': '--bogus',
    'unknown-shorthand': '-x',
    'bad-flag': '--=x',
  },
  'trust key': { bare: '', help: '--help', 'unknown-command': 'frobnicate', 'unknown-flag': '--bogus' },
  'trust signer': { bare: '', help: '--help', 'unknown-command': 'frobnicate', 'unknown-flag': '--bogus' },
  'trust inspect': {
    none: '',
    help: '--help',
    'unknown-flag': '--bogus x',
    short: '-p x',
    'bad-switch': '--pretty=2 x',
  },
  'trust sign': { none: '', help: '--help', 'unknown-flag': '--bogus x', 'bad-switch': '--local=2 x' },
  'trust revoke': { none: '', help: '--help', extra: 'x y', 'unknown-flag': '--bogus x', 'bad-switch': '-y=2 x' },
  'trust key generate': { none: '', help: '--help', extra: 'x y', 'unknown-flag': '--bogus x', 'no-value': 'x --dir' },
  'trust key load': { none: '', help: '--help', extra: 'x y', 'unknown-flag': '--bogus x', 'no-value': 'x --name' },
  'trust signer add': {
    none: '',
    one: 'x',
    help: '--help',
    'unknown-flag': '--bogus x y',
    'no-key': 'alice y',
    'no-value': 'x y --key',
  },
  'trust signer remove': {
    none: '',
    one: 'x',
    help: '--help',
    'unknown-flag': '--bogus x y',
    'unknown-shorthand': '-x a b',
    'unknown-shorthand-in-group': '-fx a b',
    'unknown-shorthand-before-others': '-fxf a b',
    'equals-sign-alone': '-f= a b',
    'short-help-in-group': '-fh',
    'help-and-wrong-flag': '--help --bogus',
    'help-taken-back': '--help --help=false',
    'bad-switch': '-f=2 a b',
  },
  login: {
    help: '--help',
    extra: 'x y',
    'unknown-flag': '--bogus',
    'no-value': '-u',
    'unknown-shorthand': '-x',
    'short-help': '-h',
  },
  help: { trust: 'trust', 'trust-sign': 'trust revoke', login: 'login' },
  logout: { help: '--help', extra: 'x y', 'unknown-flag': '--bogus' },
  '': {
    'unknown-flag': '--bogus run x',
    'unknown-shorthand': '-x run x',
    'no-value': '--host',
    'bad-switch': '--tls=2 run x',
  },
  container: { 'unknown-flag': '--bogus', 'unknown-command': 'frobnicate x' },
  pull: {
    none: '',
    help: '--help',
    extra: 'x y',
    'unknown-flag': '--bogus x',
    'bad-switch': '--disable-content-trust=2 x',
  },
  push: { none: '', help: '--help', extra: 'x y', 'unknown-flag': '--bogus x' },
  run: {
    none: '',
    help: '--help',
    'unknown-flag': '--bogus x',
    'unknown-shorthand': '-x y',
    'no-value': '--name',
    'bad-switch': '--rm=2 x',
    'bad-trust-switch': '--disable-content-trust=2 x',
  },
  create: { none: '', help: '--help', 'unknown-flag': '--bogus x' },
  'service create': { none: '', 'unknown-flag': '--bogus x' },
  'plugin install': { none: '', 'unknown-flag': '--bogus x' },
};

/** Every one of them with trust on: where Signet itself reads the words, it must complain as docker does. */
export const USAGE: readonly Scenario[] = Object.entries(LINES).flatMap(([command, states]) =>
  scenariosOf(
    `usage-${command === '' ? 'docker' : command.replaceAll(' ', '-')}`,
    Object.fromEntries(
      Object.entries(states).map(([state, words]) => [
        state,
        {
          isDockers: !command.startsWith('trust') && command !== 'login' && command !== 'logout',
          prepare: async (place) => ({
            person: place.person(),
            args: [...command.split(' '), ...words.split(' ')].filter(Boolean),
            env: { DOCKER_CONTENT_TRUST: '1' },
          }),
        } satisfies Omit<Scenario, 'name'>,
      ]),
    ),
  ),
);
