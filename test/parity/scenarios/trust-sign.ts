import { createRepository, dummy } from '../collections.ts';
import { PASSPHRASE, type Person } from '../person.ts';
import type { Place } from '../place.ts';
import { initBy, type Scenario, scenariosOf } from '../scenario.ts';

const REPOSITORY_PASSPHRASE = 'DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE';
const WRONG = { [REPOSITORY_PASSPHRASE]: 'something else' };

const ASKED = /Enter passphrase for alice key with ID [0-9a-f]{7}: $/;
const secret = (expect: RegExp, send = 'a passphrase') => ({ expect, send, isSecret: true });

/** A repository with the signer alice, whose key the person has; `tags` are released and signed by her. */
async function signedByAlice(place: Place, name: string, person: Person, ...tags: string[]): Promise<string> {
  const repository = place.repository(name);
  const founder = place.person();
  await createRepository(founder, repository, async (draft) => {
    await draft.signer('alice');
    for (const tag of tags) {
      for (const role of ['targets/alice', 'targets/releases']) draft.sign(role, tag, dummy(tag));
    }
  });
  person.takeKeys(founder, 'alice');
  return repository;
}

export const TRUST_SIGN: readonly Scenario[] = scenariosOf('trust-sign', {
  uninitialised: async (place, author) => {
    await place.image('alice/sign-new:v1');
    return {
      person: place.person(),
      args: ['trust', 'sign', ...initBy(author), place.repository('alice/sign-new:v1')],
    };
  },
  'uninitialised-in-a-script': async (place) => {
    await place.image('alice/sign-script:v1');
    return { person: place.person(), args: ['trust', 'sign', place.repository('alice/sign-script:v1')] };
  },
  'uninitialised-key-there': async (place, author) => {
    const person = place.person();
    await createRepository(person, place.repository('alice/sign-other'), (draft) => draft.signer('alice'));
    await place.image('alice/sign-key-there:v1');
    return { person, args: ['trust', 'sign', ...initBy(author), place.repository('alice/sign-key-there:v1')] };
  },
  'uninitialised-asks': async (place, author) => {
    await place.image('alice/sign-asks:v1');
    const enter = (name: string) => secret(new RegExp(`Enter passphrase for new ${name} key with ID [0-9a-f]{7}: $`));
    const repeat = (name: string) => secret(new RegExp(`Repeat passphrase for new ${name} key with ID [0-9a-f]{7}: $`));
    const again = author === 'docker' ? [secret(ASKED)] : [];
    return {
      person: place.asked(),
      args: ['trust', 'sign', place.repository('alice/sign-asks:v1')],
      answers: [...['root', 'repository', 'alice'].flatMap((name) => [enter(name), repeat(name)]), ...again],
    };
  },
  'uninitialised-no-image': async (place) => ({
    person: place.person(),
    args: ['trust', 'sign', place.repository('alice/sign-no-image:v1')],
  }),
  'uninitialised-not-logged-in': async (place) => {
    await place.image('alice/sign-stranger:v1');
    return { person: place.stranger(), args: ['trust', 'sign', place.repository('alice/sign-stranger:v1')] };
  },
  'uninitialised-unauthorised': async (place) => {
    await place.image('alice/sign-foreign:v1');
    return { person: place.person('bob'), args: ['trust', 'sign', place.repository('alice/sign-foreign:v1')] };
  },
  'new-tag': async (place) => {
    const person = place.person();
    const repository = await signedByAlice(place, 'alice/sign-new-tag', person, 'v1');
    await place.image('alice/sign-new-tag:v2');
    return { person, args: ['trust', 'sign', `${repository}:v2`] };
  },
  'new-tag-no-image': async (place) => {
    const person = place.person();
    const repository = await signedByAlice(place, 'alice/sign-new-tag-no-image', person, 'v1');
    return { person, args: ['trust', 'sign', `${repository}:v2`] };
  },
  'signed-tag': async (place) => {
    const person = place.person();
    const repository = await signedByAlice(place, 'alice/sign-again', person, 'v1');
    return { person, args: ['trust', 'sign', `${repository}:v1`] };
  },
  'signed-by-others': async (place) => {
    const person = place.person();
    const founder = place.person();
    const repository = place.repository('alice/sign-after-others');
    await createRepository(founder, repository, async (draft) => {
      for (const name of ['alice', 'carol', 'bob']) await draft.signer(name);
      for (const role of ['carol', 'bob', 'releases']) draft.sign(`targets/${role}`, 'v1', dummy('v1'));
    });
    person.takeKeys(founder, 'alice');
    return { person, args: ['trust', 'sign', `${repository}:v1`] };
  },
  'signed-by-targets': async (place) => {
    const person = place.person();
    const repository = place.repository('alice/sign-targets');
    await createRepository(person, repository, (draft) => draft.sign('targets', 'v1', dummy('v1')));
    return { person, args: ['trust', 'sign', `${repository}:v1`] };
  },
  'signed-by-a-delegation-only': async (place) => {
    const person = place.person();
    const founder = place.person();
    const repository = place.repository('alice/sign-unreleased');
    await createRepository(founder, repository, async (draft) => {
      await draft.signer('alice');
      draft.sign('targets/alice', 'v1', dummy('v1'));
    });
    person.takeKeys(founder, 'alice');
    await place.image('alice/sign-unreleased:v1');
    return { person, args: ['trust', 'sign', `${repository}:v1`] };
  },
  'other-digest-in-releases': async (place) => {
    const person = place.person();
    const repository = place.repository('alice/sign-two-digests');
    await createRepository(person, repository, async (draft) => {
      await draft.signer('alice');
      draft.sign('targets', 'v1', dummy('in targets'));
      for (const role of ['alice', 'releases']) draft.sign(`targets/${role}`, 'v1', dummy('in releases'));
    });
    return { person, args: ['trust', 'sign', `${repository}:v1`] };
  },
  local: async (place) => {
    const person = place.person();
    const repository = await signedByAlice(place, 'alice/sign-local', person, 'v1');
    await place.image('alice/sign-local:v1');
    return { person, args: ['trust', 'sign', '--local', `${repository}:v1`] };
  },
  'local-no-image': async (place) => {
    const person = place.person();
    const repository = await signedByAlice(place, 'alice/sign-local-none', person, 'v1');
    return { person, args: ['trust', 'sign', '--local', `${repository}:v1`] };
  },
  'no-key': async (place) => {
    const repository = await signedByAlice(place, 'alice/sign-no-key', place.person(), 'v1');
    return { person: place.person(), args: ['trust', 'sign', `${repository}:v1`] };
  },
  'no-key-for-targets': async (place) => {
    const repository = place.repository('alice/sign-no-targets-key');
    await createRepository(place.person(), repository, (draft) => draft.sign('targets', 'v1', dummy('v1')));
    return { person: place.person(), args: ['trust', 'sign', `${repository}:v1`] };
  },
  'wrong-passphrase': async (place) => {
    const person = place.person();
    const repository = await signedByAlice(place, 'alice/sign-wrong', person, 'v1');
    return { person, args: ['trust', 'sign', `${repository}:v1`], env: WRONG };
  },
  'wrong-passphrase-typed': async (place, author) => {
    const person = place.asked();
    const repository = await signedByAlice(place, 'alice/sign-wrong-typed', person, 'v1');
    return {
      person,
      args: ['trust', 'sign', `${repository}:v1`],
      answers: Array(author === 'docker' ? 13 : 4).fill(secret(ASKED, 'wrong one')),
    };
  },
  'passphrase-corrected': async (place) => {
    const person = place.asked();
    const repository = await signedByAlice(place, 'alice/sign-corrected', person, 'v1');
    const answers = [secret(ASKED, 'wrong one'), secret(ASKED, PASSPHRASE)];
    return { person, args: ['trust', 'sign', `${repository}:v1`], answers };
  },
  'no-tag': async (place) => ({ person: place.person(), args: ['trust', 'sign', place.repository('alice/sign')] }),
  digest: async (place) => ({
    person: place.person(),
    args: ['trust', 'sign', `${place.repository('alice/sign')}@${dummy('v1').digest}`],
  }),
  'tag-and-digest': async (place) => ({
    person: place.person(),
    args: ['trust', 'sign', `${place.repository('alice/sign')}:v1@${dummy('v1').digest}`],
  }),
  'upper-case': async (place) => ({
    person: place.person(),
    args: ['trust', 'sign', place.repository('alice/UPPER:v1')],
  }),
  unauthorised: async (place) => {
    const person = place.person('bob');
    const repository = await signedByAlice(place, 'alice/sign-as-bob', person, 'v1');
    return { person, args: ['trust', 'sign', `${repository}:v1`] };
  },
  offline: async (place) => {
    const person = place.person();
    const repository = await signedByAlice(place, 'alice/sign-offline', person, 'v1');
    const env = { DOCKER_CONTENT_TRUST_SERVER: place.nowhere };
    return { person, args: ['trust', 'sign', `${repository}:v1`], env };
  },
  'plain-http-server': async (place) => ({
    person: place.person(),
    args: ['trust', 'sign', place.repository('alice/sign:v1')],
    env: { DOCKER_CONTENT_TRUST_SERVER: 'http://localhost:1' },
  }),
});
