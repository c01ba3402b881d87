import { createRepository, type Draft, dummy, remember } from '../collections.ts';
import type { Typed } from '../person.ts';
import type { Place } from '../place.ts';
import { type Scenario, scenariosOf } from '../scenario.ts';

/** What is looked at, by whom, and with which environment. */
type View = Omit<Typed, 'args'> & { readonly images: readonly string[] };
type State = (place: Place, repository: string) => Promise<View>;

/** A repository with this content, looked at as a whole by somebody who has never seen it. */
function founded(edit?: (draft: Draft) => Promise<void> | void, suffix = ''): State {
  return async (place, repository) => {
    await createRepository(place.person(), repository, edit);
    return { person: place.person(), images: [`${repository}${suffix}`] };
  };
}

const ONE_TAG = (draft: Draft) => draft.sign('targets', 'v1', dummy('one'));

const SIGNED_BY_ALICE = async (draft: Draft) => {
  await draft.signer('alice');
  for (const role of ['targets/alice', 'targets/releases']) draft.sign(role, 'v1', dummy('one'));
};

const STATES: Readonly<Record<string, State>> = {
  uninitialised: async (place, repository) => ({ person: place.person(), images: [repository] }),
  empty: founded(),
  'empty with a signer': founded((draft) => draft.foreignSigner('alice')),
  'targets only': founded(ONE_TAG),
  'one signer': founded(SIGNED_BY_ALICE),
  'one signer, one tag': founded(SIGNED_BY_ALICE, ':v1'),
  'one signer, unknown tag': founded(SIGNED_BY_ALICE, ':v2'),
  'one signer, digest': founded(SIGNED_BY_ALICE, `@${dummy('one').digest}`),
  'many signers': founded(async (draft) => {
    for (const name of ['bob', 'alice', 'carol']) await draft.signer(name, name === 'carol' ? 2 : 1);
    for (const tag of ['v2', 'v10', 'v1', 'latest']) draft.sign('targets/releases', tag, dummy(tag));
    for (const name of ['carol', 'alice', 'bob']) draft.sign(`targets/${name}`, 'v10', dummy('v10'));
    draft.sign('targets/bob', 'v2', dummy('v2'));
    draft.sign('targets/alice', 'v1', dummy('another v1'));
    draft.sign('targets', 'v9', dummy('v9'));
  }),
  'signers of other names': founded(async (draft) => {
    for (const name of ['user10', 'user9', 'a-very-long-name-of-a-signer', 'b_c']) draft.foreignSigner(name);
  }),
  'delegation only': founded(async (draft) => {
    await draft.signer('alice');
    draft.sign('targets/alice', 'v1', dummy('one'));
  }),
  'other digest in releases': founded(async (draft) => {
    await draft.signer('alice');
    draft.sign('targets', 'v1', dummy('in targets'));
    for (const role of ['targets/alice', 'targets/releases']) draft.sign(role, 'v1', dummy('in releases'));
  }),
  'html characters': founded((draft) => draft.sign('targets', 'a<b>&c', dummy('one'))),
  'upper case': async (place) => ({ person: place.person(), images: [place.repository('alice/UPPER')] }),
  'html characters in the name': async (place) => ({ person: place.person(), images: [`${place.host}/a<b>`] }),
  'several, some missing': async (place, repository) => {
    await createRepository(place.person(), repository, ONE_TAG);
    const images = [`${repository}-no`, repository, `${repository}:v1`, `${repository}-nor`];
    return { person: place.person(), images };
  },
  'offline, no cache': async (place, repository) => {
    await createRepository(place.person(), repository, ONE_TAG);
    return { person: place.person(), images: [repository], env: { DOCKER_CONTENT_TRUST_SERVER: place.nowhere } };
  },
  'offline, cached': async (place, repository) => {
    const person = place.person();
    await createRepository(place.person(), repository, ONE_TAG);
    await remember(person, repository);
    return { person, images: [repository], env: { DOCKER_CONTENT_TRUST_SERVER: place.nowhere } };
  },
  unauthorised: async (place, repository) => {
    await createRepository(place.person(), repository, ONE_TAG);
    return { person: place.person('bob'), images: [repository] };
  },
  'not logged in': async (place, repository) => {
    await createRepository(place.person(), repository, ONE_TAG);
    return { person: place.stranger(), images: [repository] };
  },
  'plain http server': async (place, repository) => ({
    person: place.person(),
    images: [repository],
    env: { DOCKER_CONTENT_TRUST_SERVER: 'http://localhost:1' },
  }),
};

function inForm(form: 'json' | 'pretty', flags: readonly string[]): readonly Scenario[] {
  const scenarios = Object.entries(STATES).map(([state, bring]) => {
    const prepare: Scenario['prepare'] = async (place) => {
      const name = state.replace(/[^a-z]+/g, '-');
      const { images, ...view } = await bring(place, place.repository(`alice/${form}-${name}`));
      return { ...view, args: ['trust', 'inspect', ...flags, ...images] };
    };
    return [state.replace(/[^a-z]+/g, '-'), prepare] as const;
  });
  return scenariosOf(`trust-inspect-${form}`, Object.fromEntries(scenarios));
}

export const TRUST_INSPECT: readonly Scenario[] = [...inForm('json', []), ...inForm('pretty', ['--pretty'])];
