import { atEnd } from '../../support/cleanup.ts';
import type { Person, Typed } from '../person.ts';
import { PASSWORDS, type Place } from '../place.ts';
import { type Scenario, scenariosOf } from '../scenario.ts';

const secret = (send: string) => ({ expect: /Password: $/, send, isSecret: true });

function as(who: (place: Place) => Person, words: readonly string[], more: Partial<Typed> = {}) {
  return async (place: Place): Promise<Typed> => ({
    person: who(place),
    args: ['login', ...words, place.host],
    ...more,
  });
}

const stranger = (place: Place) => place.stranger();
const alice = (place: Place) => place.person();

const LOGIN: readonly Scenario[] = scenariosOf('login', {
  'password-from-stdin': as(stranger, ['-u', 'alice', '--password-stdin'], { stdin: `${PASSWORDS.alice}\n` }),
  'wrong-password-from-stdin': as(stranger, ['-u', 'alice', '--password-stdin'], { stdin: 'wrong\n' }),
  'empty-password-from-stdin': as(stranger, ['-u', 'alice', '--password-stdin']),
  'stdin-without-user': as(stranger, ['--password-stdin'], { stdin: 'x\n' }),
  'password-as-option': as(stranger, ['-u', 'alice', '-p', PASSWORDS.alice]),
  'wrong-password-as-option': as(stranger, ['-u', 'alice', '-p', 'wrong']),
  'password-both-ways': as(stranger, ['-u', 'alice', '-p', 'x', '--password-stdin'], { stdin: 'x\n' }),
  'user-empty-as-option': as(stranger, ['-u', '', '-p', 'x']),
  'both-empty-as-options': as(stranger, ['-u', '', '-p', '']),
  'password-without-user': as(stranger, ['-p', PASSWORDS.alice], {
    answers: [{ expect: /Username: $/, send: 'alice' }],
  }),
  'stdin-with-empty-user': as(stranger, ['-u', '', '--password-stdin'], { stdin: 'x\n' }),
  'spaces-around-password': as(stranger, ['-u', ' alice ', '--password-stdin'], { stdin: `${PASSWORDS.alice}\r\n` }),
  'asks-password-none': as(stranger, ['--username', 'alice'], { answers: [secret('')] }),
  'password-empty-as-option': as(stranger, ['-u', 'alice', '-p', '']),
  'asks-both': as(stranger, [], { answers: [{ expect: /Username: $/, send: 'alice' }, secret(PASSWORDS.alice)] }),
  'asks-password': as(stranger, ['--username', 'alice'], { answers: [secret(PASSWORDS.alice)] }),
  'asks-password-wrong': as(stranger, ['--username', 'alice'], { answers: [secret('wrong')] }),
  'asks-user-none': as(stranger, [], { answers: [{ expect: /Username: $/, send: '' }] }),
  'asks-without-terminal': as(stranger, []),
  'user-without-terminal': as(stranger, ['-u', 'alice']),
  'logged-in-already': as(alice, []),
  'logged-in-already-as-other': as(alice, ['-u', 'bob', '--password-stdin'], { stdin: PASSWORDS.bob }),
  'stored-password-outdated': async (place) => {
    const person = place.stranger();
    const auths = { [place.host]: { auth: btoa('alice:old password') } };
    person.write('.docker/config.json', JSON.stringify({ auths }));
    return {
      person,
      args: ['login', place.host],
      answers: [{ expect: /Username \(alice\): $/, send: '' }, secret(PASSWORDS.alice)],
    };
  },
  'registry-with-basic-authentication': async (place) => ({
    person: place.stranger(),
    args: ['login', '-u', 'alice', '--password-stdin', startBasicRegistry(place)],
    stdin: PASSWORDS.alice,
  }),
  unreachable: async (place) => ({
    person: place.stranger(),
    args: ['login', '-u', 'alice', '-p', 'x', place.nowhere.replace('https://', '')],
  }),
  'address-as-url': async (place) => ({
    person: place.stranger(),
    args: ['login', '-u', 'alice', '--password-stdin', `https://${place.host}/v2/`],
    stdin: PASSWORDS.alice,
  }),
});

const LOGOUT: readonly Scenario[] = scenariosOf('logout', {
  known: async (place) => ({ person: place.person(), args: ['logout', place.host] }),
  unknown: async (place) => ({ person: place.stranger(), args: ['logout', place.host] }),
  'address-as-url': async (place) => ({ person: place.person(), args: ['logout', `https://${place.host}/v2/`] }),
  'another-registry': async (place) => ({ person: place.person(), args: ['logout', 'registry.example.com'] }),
});

/** A registry without a token service: it asks for name and password itself. Returns its address. */
function startBasicRegistry({ certificate: tls }: Place): string {
  const authorization = `Basic ${btoa(`alice:${PASSWORDS.alice}`)}`;
  const listener = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls,
    fetch: (request) =>
      request.headers.get('authorization') === authorization
        ? Response.json({})
        : Response.json({}, { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="basic"' } }),
  });
  atEnd(() => listener.stop(true));
  return `localhost:${listener.port}`;
}

export const LOGINS: readonly Scenario[] = [...LOGIN, ...LOGOUT];
