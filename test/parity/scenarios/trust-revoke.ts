import { createRepository, dummy } from '../collections.ts';
import type { Typed } from '../person.ts';
import type { Place } from '../place.ts';
import { type Scenario, scenariosOf } from '../scenario.ts';

const YES = { expect: /\[y\/N\] $/, send: 'y' };

/** A repository with the signer alice, who released v1 and v2. */
function released(
  name: string,
  flags: readonly string[],
  suffix: string,
  more: Partial<Typed> & { readonly hasKey?: boolean } = {},
) {
  return async (place: Place): Promise<Typed> => {
    const { hasKey = true, ...typed } = more;
    const repository = place.repository(`alice/revoke-${name}`);
    const founder = place.person();
    await createRepository(founder, repository, async (draft) => {
      await draft.signer('alice');
      for (const tag of ['v1', 'v2']) {
        for (const role of ['targets/alice', 'targets/releases']) draft.sign(role, tag, dummy(tag));
      }
    });
    const person = place.person();
    if (hasKey) person.takeKeys(founder, 'alice');
    return { person, args: ['trust', 'revoke', ...flags, `${repository}${suffix}`], ...typed };
  };
}

export const TRUST_REVOKE: readonly Scenario[] = scenariosOf('trust-revoke', {
  uninitialised: async (place) => ({
    person: place.person(),
    args: ['trust', 'revoke', place.repository('alice/revoke-nothing:v1')],
  }),
  'uninitialised-whole': async (place) => ({
    person: place.person(),
    args: ['trust', 'revoke', '--yes', place.repository('alice/revoke-nothing')],
  }),
  empty: async (place) => {
    const repository = place.repository('alice/revoke-empty');
    const person = place.person();
    await createRepository(person, repository);
    return { person, args: ['trust', 'revoke', '-y', repository] };
  },
  'one-tag': released('one', [], ':v1'),
  'unknown-tag': released('unknown', [], ':v3'),
  'whole-yes': released('whole', ['--yes'], ''),
  'whole-confirmed': released('confirmed', [], '', { stdin: 'y\n' }),
  'whole-confirmed-in-terminal': released('terminal', [], '', { answers: [YES] }),
  'whole-declined': released('declined', [], '', { stdin: 'n\n' }),
  'whole-yes-spelled-out': released('spelled', [], '', { stdin: 'yes\n' }),
  'whole-no-answer': released('no-answer', [], ''),
  'in-targets-only': async (place) => {
    const repository = place.repository('alice/revoke-targets');
    const person = place.person();
    await createRepository(person, repository, (draft) => draft.sign('targets', 'v1', dummy('v1')));
    return { person, args: ['trust', 'revoke', `${repository}:v1`] };
  },
  'in-targets-beside-signers': async (place) => {
    const repository = place.repository('alice/revoke-beside');
    const person = place.person();
    await createRepository(person, repository, async (draft) => {
      await draft.signer('alice');
      draft.sign('targets', 'v1', dummy('v1'));
    });
    return { person, args: ['trust', 'revoke', `${repository}:v1`] };
  },
  'in-targets-whose-key-others-have': async (place) => {
    const repository = place.repository('alice/revoke-foreign-key');
    const [founder, person] = [place.person(), place.person()];
    await createRepository(founder, repository, async (draft) => {
      await draft.signer('alice');
      for (const role of ['targets', 'targets/alice', 'targets/releases']) draft.sign(role, 'v1', dummy('v1'));
    });
    person.takeKeys(founder, 'alice');
    return { person, args: ['trust', 'revoke', `${repository}:v1`] };
  },
  'in-targets-only-no-key': async (place) => {
    const repository = place.repository('alice/revoke-no-targets-key');
    await createRepository(place.person(), repository, (draft) => draft.sign('targets', 'v1', dummy('v1')));
    return { person: place.person(), args: ['trust', 'revoke', `${repository}:v1`] };
  },
  'in-a-delegation-only': async (place) => {
    const repository = place.repository('alice/revoke-delegation');
    const person = place.person();
    await createRepository(person, repository, async (draft) => {
      await draft.signer('alice');
      draft.sign('targets/alice', 'v1', dummy('v1'));
    });
    return { person, args: ['trust', 'revoke', `${repository}:v1`] };
  },
  'no-key': released('no-key', [], ':v1', { hasKey: false }),
  'wrong-passphrase': released('wrong', [], ':v1', {
    env: { DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'something else' },
  }),
  digest: released('digest', [], `@${dummy('v1').digest}`),
  'tag-and-digest': released('both', [], `:v1@${dummy('v1').digest}`),
  'upper-case': async (place) => ({
    person: place.person(),
    args: ['trust', 'revoke', place.repository('alice/UPPER:v1')],
  }),
  unauthorised: async (place) => ({ ...(await released('as-bob', [], ':v1')(place)), person: place.person('bob') }),
  offline: async (place) => ({
    ...(await released('offline', [], ':v1')(place)),
    env: { DOCKER_CONTENT_TRUST_SERVER: place.nowhere },
  }),
});
