import { formatPublicKeyFile } from '../../../src/core/keys/public-key-file.ts';
import { createRepository, dummy, foreignKey } from '../collections.ts';
import type { Person, Typed } from '../person.ts';
import type { Place } from '../place.ts';
import { initBy, type Scenario, scenariosOf } from '../scenario.ts';

const REPOSITORY_PASSPHRASE = 'DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE';
const secret = (expect: RegExp) => ({ expect, send: 'a passphrase', isSecret: true });

function withKeyFile(person: Person, name = 'alice'): Person {
  person.write(`${name}.pub`, formatPublicKeyFile(foreignKey(), name));
  return person;
}

/** Adds alice to a repository that is there already, with the founder's keys. */
function adding(name: string, words: readonly string[], more: Partial<Typed> = {}) {
  return async (place: Place): Promise<Typed> => {
    const repository = place.repository(`alice/add-${name}`);
    const person = withKeyFile(place.person());
    await createRepository(person, repository);
    return { person, args: ['trust', 'signer', 'add', ...words, repository], ...more };
  };
}

/** Adds a signer where it does not come to asking any server. */
function refused(...words: readonly string[]): Scenario['prepare'] {
  return async (place) => {
    const person = withKeyFile(place.person());
    person.write('empty.pub', '');
    person.write('text.pub', 'no key at all\n');
    person.write('broken.pub', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n');
    person.write('other.pub', '-----BEGIN MESSAGE-----\nAAAA\n-----END MESSAGE-----\n');
    return { person, args: ['trust', 'signer', 'add', ...words] };
  };
}

const ADD: readonly Scenario[] = scenariosOf('trust-signer-add', {
  uninitialised: async (place, author) => ({
    person: withKeyFile(place.person()),
    args: [
      'trust',
      'signer',
      'add',
      ...initBy(author),
      '--key',
      'alice.pub',
      'alice',
      place.repository('alice/add-new'),
    ],
  }),
  'uninitialised-asks': async (place) => ({
    person: withKeyFile(place.asked()),
    args: ['trust', 'signer', 'add', '--key=alice.pub', 'alice', place.repository('alice/add-asks')],
    answers: [
      secret(/Enter passphrase for new root key with ID [0-9a-f]{7}: $/),
      secret(/Repeat passphrase for new root key with ID [0-9a-f]{7}: $/),
      secret(/Enter passphrase for new repository key with ID [0-9a-f]{7}: $/),
      secret(/Repeat passphrase for new repository key with ID [0-9a-f]{7}: $/),
    ],
  }),
  initialised: adding('one', ['--key', 'alice.pub', 'alice']),
  'two-keys': async (place) => {
    const repository = place.repository('alice/add-two-keys');
    const person = withKeyFile(withKeyFile(place.person()), 'laptop');
    await createRepository(person, repository);
    return {
      person,
      args: ['trust', 'signer', 'add', '--key', 'alice.pub', '--key', 'laptop.pub', 'alice', repository],
    };
  },
  'keys-joined-by-a-comma': async (place) => {
    const repository = place.repository('alice/add-comma');
    const person = withKeyFile(withKeyFile(place.person()), 'laptop');
    await createRepository(person, repository);
    return { person, args: ['trust', 'signer', 'add', '--key', 'alice.pub,laptop.pub', 'alice', repository] };
  },
  'there-already': async (place) => {
    const repository = place.repository('alice/add-again');
    const person = withKeyFile(place.person());
    await createRepository(person, repository, (draft) => draft.foreignSigner('alice'));
    return { person, args: ['trust', 'signer', 'add', '--key', 'alice.pub', 'alice', repository] };
  },
  'several-one-fails': async (place, author) => {
    const person = withKeyFile(place.person());
    const [one, foreign, two] = ['alice/add-several', 'bob/app', 'alice/add-several-too'].map(place.repository);
    return {
      person,
      args: [
        'trust',
        'signer',
        'add',
        ...initBy(author),
        '--key',
        'alice.pub',
        'alice',
        `${one}`,
        `${foreign}`,
        `${two}`,
      ],
    };
  },
  'wrong-passphrase': adding('wrong', ['--key', 'alice.pub', 'alice'], { env: { [REPOSITORY_PASSPHRASE]: 'no' } }),
  'no-repository-key': async (place) => {
    const repository = place.repository('alice/add-no-key');
    await createRepository(place.person(), repository);
    return {
      person: withKeyFile(place.person()),
      args: ['trust', 'signer', 'add', '--key', 'alice.pub', 'alice', repository],
    };
  },
  unauthorised: async (place) => ({
    ...(await adding('as-bob', ['--key', 'alice.pub', 'alice'])(place)),
    person: withKeyFile(place.person('bob')),
  }),
  offline: async (place) => ({
    ...(await adding('offline', ['--key', 'alice.pub', 'alice'])(place)),
    env: { DOCKER_CONTENT_TRUST_SERVER: place.nowhere },
  }),
  'upper-case-repository': refused('--key', 'alice.pub', 'alice', 'localhost:1/UPPER'),
  'tag-in-repository': adding('tagged', ['--key', 'alice.pub', 'alice', 'localhost:1/a:b']),
  'name-in-upper-case': refused('--key', 'alice.pub', 'Alice', 'localhost:1/a'),
  'name-releases': refused('--key', 'alice.pub', 'releases', 'localhost:1/a'),
  'name-with-slash': refused('--key', 'alice.pub', 'a/b', 'localhost:1/a'),
  'key-missing': refused('--key', 'nobody.pub', 'alice', 'localhost:1/a'),
  'key-is-a-folder': refused('--key', '.', 'alice', 'localhost:1/a'),
  'key-empty': refused('--key', 'empty.pub', 'alice', 'localhost:1/a'),
  'key-not-pem': refused('--key', 'text.pub', 'alice', 'localhost:1/a'),
  'key-broken': refused('--key', 'broken.pub', 'alice', 'localhost:1/a'),
  'key-of-another-kind': refused('--key', 'other.pub', 'alice', 'localhost:1/a'),
});

/** Alice and bob may sign; those of `releasers` signed v1 and its release. */
function removing(name: string, words: readonly string[], releasers: readonly string[], more: Partial<Typed> = {}) {
  return async (place: Place): Promise<Typed> => {
    const repository = place.repository(`alice/remove-${name}`);
    const [founder, person] = [place.person(), place.person()];
    await createRepository(founder, repository, async (draft) => {
      for (const signer of ['alice', 'bob']) {
        if (releasers.includes(signer)) await draft.signer(signer);
        else draft.foreignSigner(signer);
      }
      for (const signer of releasers) draft.sign(`targets/${signer}`, 'v1', dummy('v1'));
      if (releasers.length > 0) draft.sign('targets/releases', 'v1', dummy('v1'));
    });
    person.takeKeys(founder, 'targets');
    return { person, args: ['trust', 'signer', 'remove', ...words, repository], ...more };
  };
}

const REMOVE: readonly Scenario[] = scenariosOf('trust-signer-remove', {
  uninitialised: async (place) => ({
    person: place.person(),
    args: ['trust', 'signer', 'remove', 'alice', place.repository('alice/remove-nothing')],
  }),
  'nothing-signed': removing('unsigned', ['alice'], []),
  'not-the-last': removing('two', ['alice'], ['alice', 'bob']),
  'last-declined': removing('declined', ['alice'], ['alice'], { stdin: 'n\n' }),
  'last-no-answer': removing('no-answer', ['alice'], ['alice']),
  'last-confirmed': removing('confirmed', ['alice'], ['alice'], { stdin: 'y\n' }),
  'last-forced': removing('forced', ['--force', 'alice'], ['alice']),
  'not-a-signer': removing('stranger', ['carol'], ['alice']),
  releases: removing('releases', ['releases'], ['alice']),
  'odd-name': removing('odd', ['A b'], ['alice']),
  'several-some-fail': async (place) => {
    const typed = await removing('several', ['alice'], ['alice'], { stdin: 'y\n' })(place);
    const others = ['alice/remove-none', 'alice/remove-nor'].map(place.repository);
    return { ...typed, args: [...typed.args.slice(0, -1), `${others[0]}`, `${typed.args.at(-1)}`, `${others[1]}`] };
  },
  'wrong-passphrase': removing('wrong', ['alice'], ['alice'], {
    stdin: 'y\n',
    env: { [REPOSITORY_PASSPHRASE]: 'something else' },
  }),
  unauthorised: async (place) => ({
    ...(await removing('as-bob', ['alice'], ['alice'])(place)),
    person: place.person('bob'),
  }),
  offline: async (place) => ({
    ...(await removing('offline', ['alice'], ['alice'])(place)),
    env: { DOCKER_CONTENT_TRUST_SERVER: place.nowhere },
  }),
});

export const TRUST_SIGNER: readonly Scenario[] = [...ADD, ...REMOVE];
