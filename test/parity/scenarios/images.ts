import { createRepository, dummy, remember } from '../collections.ts';
import type { Typed } from '../person.ts';
import type { Place, PushedImage } from '../place.ts';
import { type Scenario, scenariosOf } from '../scenario.ts';

/** The words for one image; `name` is its repository, without a tag. */
type Words = (name: string) => readonly string[];
type State = (place: Place, name: string) => Promise<Partial<Typed> & { readonly forget?: string }>;

const TRUST = { DOCKER_CONTENT_TRUST: '1' };

/** Prepares a repository below alice for one command, which runs under trust unless the state says otherwise. */
function on(command: string, state: State, words: Words): Scenario['prepare'] {
  return async (place) => {
    const name = `alice/${command}`;
    const { forget, ...typed } = await state(place, name);
    if (forget !== undefined) await place.forget(forget);
    return { person: place.person(), args: words(place.repository(name)), ...typed, env: { ...TRUST, ...typed.env } };
  };
}

const pushed =
  (...tags: string[]): State =>
  async (place, name) => {
    for (const tag of tags) await place.pushed(`${name}:${tag}`);
    return {};
  };

/** Released by alice, whose key is the founder's alone; the engine has the image no more. */
const signed =
  (...tags: string[]): State =>
  async (place, name) => {
    const images: (readonly [string, PushedImage])[] = [];
    for (const tag of tags) images.push([tag, await place.pushed(`${name}:${tag}`)] as const);
    await createRepository(place.person(), place.repository(name), async (draft) => {
      await draft.signer('alice');
      for (const [tag, image] of images) {
        for (const role of ['targets/alice', 'targets/releases']) draft.sign(role, tag, image);
      }
    });
    for (const tag of tags) await place.forget(`${name}:${tag}`);
    return {};
  };

const withEnv =
  (state: State, env: Readonly<Record<string, string>>): State =>
  async (place, name) => ({ ...(await state(place, name)), env });

const offline =
  (isCached: boolean): State =>
  async (place, name) => {
    await signed('v1')(place, name);
    const person = place.person();
    if (isCached) await remember(person, place.repository(name));
    return { person, env: { DOCKER_CONTENT_TRUST_SERVER: place.nowhere } };
  };

const unauthorised: State = async (place, name) => {
  await signed('v1')(place, name);
  return { person: place.person('bob') };
};

const delegationOnly: State = async (place, name) => {
  const image = await place.pushed(`${name}:v1`);
  await createRepository(place.person(), place.repository(name), async (draft) => {
    await draft.signer('alice');
    draft.sign('targets/alice', 'v1', image);
  });
  return {};
};

const twoDigests: State = async (place, name) => {
  const image = await place.pushed(`${name}:v1`);
  await createRepository(place.person(), place.repository(name), async (draft) => {
    await draft.signer('alice');
    draft.sign('targets', 'v1', dummy('in targets'));
    for (const role of ['targets/alice', 'targets/releases']) draft.sign(role, 'v1', image);
  });
  return { forget: `${name}:v1` };
};

/** Somebody has put another image under the tag since it was signed. */
const overwritten: State = async (place, name) => {
  await signed('v1')(place, name);
  await place.pushed(`${name}:v1`);
  await place.forget(`${name}:v1`);
  return {};
};

/** Signed, but never pushed. */
const lost: State = async (place, name) => {
  await createRepository(place.person(), place.repository(name), (draft) => draft.sign('targets', 'v1', dummy('lost')));
  return {};
};

const nothing: State = async () => ({});
const dockers = (prepare: Scenario['prepare']) => ({ prepare, isDockers: true });

const PULL: readonly Scenario[] = scenariosOf('pull', {
  uninitialised: on('pull-unsigned', pushed('v1'), (name) => ['pull', `${name}:v1`]),
  signed: on('pull-signed', signed('v1'), (name) => ['pull', `${name}:v1`]),
  'signed-latest': on('pull-latest', signed('latest'), (name) => ['pull', name]),
  quiet: on('pull-quiet', signed('latest'), (name) => ['pull', '-q', name]),
  'image-pull': on('pull-image-pull', signed('v1'), (name) => ['image', 'pull', `${name}:v1`]),
  'debug-before': on('pull-debug', signed('v1'), (name) => ['--log-level', 'info', 'pull', `${name}:v1`]),
  platform: on('pull-platform', signed('v1'), (name) => ['pull', '--platform', 'linux/amd64', `${name}:v1`]),
  overwritten: on('pull-overwritten', overwritten, (name) => ['pull', `${name}:v1`]),
  'other-digest-in-targets': on('pull-two-digests', twoDigests, (name) => ['pull', `${name}:v1`]),
  'unknown-tag': on('pull-unknown', signed('v1'), (name) => ['pull', `${name}:v2`]),
  'delegation-only': on('pull-delegation', delegationOnly, (name) => ['pull', `${name}:v1`]),
  'not-in-the-registry': on('pull-lost', lost, (name) => ['pull', `${name}:v1`]),
  'all-tags': on('pull-all', signed('v1'), (name) => ['pull', '-a', name]),
  'all-tags-none': on(
    'pull-none',
    async (place, name) => {
      await createRepository(place.person(), place.repository(name));
      return {};
    },
    (name) => ['pull', '--all-tags', name],
  ),
  'all-tags-with-tag': on('pull-all-tag', nothing, (name) => ['pull', '-a', `${name}:v1`]),
  'all-tags-with-digest': on('pull-all-digest', nothing, (name) => ['pull', '-a', `${name}@${dummy('a').digest}`]),
  digest: dockers(on('pull-digest', nothing, (name) => ['pull', `${name}@${dummy('a').digest}`])),
  'tag-and-digest': on('pull-both', signed('v1'), (name) => ['pull', `${name}:v1@${dummy('a').digest}`]),
  unauthorised: on('pull-as-bob', unauthorised, (name) => ['pull', `${name}:v1`]),
  'offline-no-cache': on('pull-offline', offline(false), (name) => ['pull', `${name}:v1`]),
  'offline-cached': on('pull-cached', offline(true), (name) => ['pull', `${name}:v1`]),
  'upper-case': on('pull', nothing, (name) => ['pull', `${name}UPPER`]),
  'html-characters': on('pull', nothing, (name) => ['pull', `${name}<b>`]),
  'trust-off-by-option': dockers(
    on('pull-off', pushed('v1'), (name) => ['pull', '--disable-content-trust', `${name}:v1`]),
  ),
  'trust-on-by-option': on('pull-on', withEnv(pushed('v1'), { DOCKER_CONTENT_TRUST: '' }), (name) => [
    'pull',
    '--disable-content-trust=false',
    `${name}:v1`,
  ]),
  'trust-on-by-odd-spelling': on('pull-odd', withEnv(pushed('v1'), { DOCKER_CONTENT_TRUST: 'off' }), (name) => [
    'pull',
    `${name}:v1`,
  ]),
});

/** An image of the engine; the person has the founder's keys of these roles. */
const pushing =
  (tag: string, edit?: 'signer' | 'foreign signer' | 'targets'): State =>
  async (place, name) => {
    await place.image(`${name}:${tag}`);
    const [person, founder] = [place.person(), place.person()];
    if (edit !== undefined) {
      await createRepository(founder, place.repository(name), async (draft) => {
        if (edit === 'signer') await draft.signer('alice');
        if (edit === 'foreign signer') draft.foreignSigner('alice');
      });
      person.takeKeys(founder, 'alice', ...(edit === 'targets' ? ['targets'] : []));
    }
    return { person };
  };

const PUSH: readonly Scenario[] = scenariosOf('push', {
  uninitialised: on('push-new', pushing('v1'), (name) => ['push', `${name}:v1`]),
  'uninitialised-latest': on('push-latest', pushing('latest'), (name) => ['push', name]),
  'uninitialised-quiet': on('push-quiet', pushing('latest'), (name) => ['push', '--quiet', name]),
  'targets-only': on('push-targets', pushing('v1', 'targets'), (name) => ['push', `${name}:v1`]),
  'one-signer': on('push-signer', pushing('v1', 'signer'), (name) => ['image', 'push', `${name}:v1`]),
  'no-key': on('push-no-key', pushing('v1', 'foreign signer'), (name) => ['push', `${name}:v1`]),
  'wrong-passphrase': on(
    'push-wrong',
    withEnv(pushing('v1', 'signer'), { DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'something else' }),
    (name) => ['push', `${name}:v1`],
  ),
  'no-such-image': on('push-nothing', nothing, (name) => ['push', `${name}:v1`]),
  'all-tags': on('push-all', pushing('v1'), (name) => ['push', '-a', name]),
  'all-tags-with-tag': on('push-all-tag', pushing('v1'), (name) => ['push', '-a', `${name}:v1`]),
  digest: on('push-digest', nothing, (name) => ['push', `${name}@${dummy('a').digest}`]),
  'tag-and-digest': on('push-both', nothing, (name) => ['push', `${name}:v1@${dummy('a').digest}`]),
  'upper-case': on('push', nothing, (name) => ['push', `${name}UPPER`]),
  unauthorised: on(
    'push-as-bob',
    async (place, name) => ({ ...(await pushing('v1')(place, name)), person: place.person('bob') }),
    (name) => ['push', `${name}:v1`],
  ),
  'not-logged-in': on(
    'push-as-nobody',
    async (place, name) => ({ ...(await pushing('v1')(place, name)), person: place.stranger() }),
    (name) => ['push', `${name}:v1`],
  ),
  offline: on(
    'push-offline',
    async (place, name) => ({
      ...(await pushing('v1', 'signer')(place, name)),
      env: { DOCKER_CONTENT_TRUST_SERVER: place.nowhere },
    }),
    (name) => ['push', `${name}:v1`],
  ),
  'trust-off-by-option': dockers(
    on('push-off', pushing('v1'), (name) => ['push', '--disable-content-trust', `${name}:v1`]),
  ),
});

/** States that `run` and `create` share. */
function starting(word: 'run' | 'create'): readonly Scenario[] {
  const start =
    (...flags: string[]): ((suffix: string) => Words) =>
    (suffix) =>
    (name) => [word, ...flags, `${name}${suffix}`];
  const at = (command: string, state: State, suffix: string, ...flags: string[]) =>
    on(`${word}-${command}`, state, start(...flags)(suffix));
  return scenariosOf(word, {
    uninitialised: at('unsigned', pushed('v1'), ':v1'),
    'signed-absent': at('absent', signed('v1'), ':v1'),
    'signed-absent-quiet': { since: 28, prepare: at('absent-quiet', signed('v1'), ':v1', '--quiet') },
    'signed-absent-latest': at('absent-latest', signed('latest'), ''),
    'signed-absent-never': dockers(at('never', signed('v1'), ':v1', '--pull', 'never')),
    'signed-there': at(
      'there',
      async (place, name) => {
        const image = await place.pushed(`${name}:v1`);
        await createRepository(place.person(), place.repository(name), (draft) => draft.sign('targets', 'v1', image));
        return {};
      },
      ':v1',
    ),
    'signed-there-always': at(
      'always',
      async (place, name) => {
        const image = await place.pushed(`${name}:v1`);
        await createRepository(place.person(), place.repository(name), (draft) => draft.sign('targets', 'v1', image));
        return {};
      },
      ':v1',
      '--pull=always',
    ),
    overwritten: at('overwritten', overwritten, ':v1'),
    'other-digest-in-targets': at('two-digests', twoDigests, ':v1'),
    'unknown-tag': at('unknown', signed('v1'), ':v2'),
    'delegation-only': at('delegation', delegationOnly, ':v1'),
    'not-in-the-registry': at('lost', lost, ':v1'),
    digest: dockers(at('digest', nothing, `@${dummy('a').digest}`)),
    'tag-and-digest': at('both', signed('v1'), `:v1@${dummy('a').digest}`),
    unauthorised: at('as-bob', unauthorised, ':v1'),
    'offline-no-cache': at('offline', offline(false), ':v1'),
    'offline-cached': at('cached', offline(true), ':v1'),
    'upper-case': at('upper', nothing, 'UPPER'),
    'html-characters': at('html', nothing, '<b>'),
    'image-id': {
      isDockers: true,
      prepare: async (place: Place) => ({
        person: place.person(),
        args: [word, dummy('a').digest.slice('sha256:'.length)],
        env: TRUST,
      }),
    },
    'bad-pull-policy': { since: 28, prepare: at('policy', signed('v1'), ':v1', '--pull=sometimes') },
    'empty-name': {
      isDockers: true,
      prepare: async (place: Place) => ({ person: place.person(), args: [word, ''], env: TRUST }),
    },
    'trust-on-by-option': at(
      'on',
      withEnv(pushed('v1'), { DOCKER_CONTENT_TRUST: '0' }),
      ':v1',
      '--disable-content-trust=false',
    ),
  });
}

const RUN: readonly Scenario[] = scenariosOf('run', {
  'exit-code': on('run-exit', signed('v1'), (name) => ['run', '--rm', `${name}:v1`, '/busybox', 'sh', '-c', 'exit 7']),
  'options-after-the-image': on('run-options', signed('v1'), (name) => [
    'container',
    'run',
    '--rm',
    `${name}:v1`,
    '/busybox',
    'echo',
    '--disable-content-trust',
  ]),
});

const OTHERS: readonly Scenario[] = scenariosOf('others', {
  'service-create-unsigned': on('service-unsigned', pushed('v1'), (name) => ['service', 'create', `${name}:v1`]),
  'service-create-upper-case': on('service', nothing, (name) => ['service', 'create', `${name}UPPER`]),
  'service-create-unknown-tag': on('service-unknown', signed('v1'), (name) => ['service', 'create', `${name}:v2`]),
  'service-create-delegation-only': on('service-delegation', delegationOnly, (name) => [
    'service',
    'create',
    `${name}:v1`,
  ]),
  'plugin-install-delegation-only': on('plugin-delegation', delegationOnly, (name) => [
    'plugin',
    'install',
    `${name}:v1`,
  ]),
  'plugin-install-unsigned': on('plugin-unsigned', pushed('v1'), (name) => ['plugin', 'install', `${name}:v1`]),
  'plugin-install-unknown-tag': on('plugin-unknown', signed('v1'), (name) => ['plugin', 'install', `${name}:v2`]),
  'plugin-push': on('plugin-push', nothing, (name) => ['plugin', 'push', `${name}:v1`]),
});

export const IMAGES: readonly Scenario[] = [
  ...PULL,
  ...PUSH,
  ...starting('run'),
  ...RUN,
  ...starting('create'),
  ...OTHERS,
];
