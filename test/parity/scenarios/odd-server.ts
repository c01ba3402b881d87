import type { Editor } from '../../../src/core/edit/editor.ts';
import { DAY, YEAR } from '../../../src/core/time.ts';
import { dummy, signIn } from '../collections.ts';
import { type Give, giving, makeCollection, startOddNotary } from '../odd-notary.ts';
import { type Scenario, scenariosOf } from '../scenario.ts';

const SIGNED = (editor: Editor) => signIn(editor, 'targets', 'v1', dummy('v1'));

/** What the server gives to somebody who asks for a repository for the first time. */
const GIVES: Readonly<Record<string, (gun: string) => Promise<Give>>> = {
  'timestamp-expired': async (gun) => giving(await makeCollection(gun, { founded: Date.now() - 30 * DAY }, SIGNED)),
  'targets-expired': async (gun) =>
    giving(await makeCollection(gun, { founded: Date.now() - 4 * YEAR, renewed: Date.now() }, SIGNED)),
  'timestamp-not-signed': async (gun) => {
    const times = { founded: Date.now() };
    const [files, others] = await Promise.all([makeCollection(gun, times, SIGNED), makeCollection(gun, times, SIGNED)]);
    return giving(new Map([...files, ['timestamp', others.get('timestamp') ?? Buffer.alloc(0)]]));
  },
  'targets-changed': async (gun) => {
    const files = await makeCollection(gun, { founded: Date.now() }, SIGNED);
    const give = giving(files);
    return (name) => (name.startsWith('targets.') ? new Response(files.get('root') ?? '') : give(name));
  },
  'targets-missing': async (gun) => {
    const give = giving(await makeCollection(gun, { founded: Date.now() }, SIGNED));
    return (name) => (name.startsWith('targets.') ? new Response('', { status: 404 }) : give(name));
  },
  'not-json': async () => () => new Response('<html>Welcome</html>'),
  'status-500': async () => () => new Response('', { status: 500 }),
  'status-403': async () => () => new Response('', { status: 403 }),
  'status-401': async () => () => new Response('', { status: 401 }),
  'status-404': async () => () => new Response('', { status: 404 }),
  'another-repository': async (gun) => giving(await makeCollection(`${gun}-other`, { founded: Date.now() }, SIGNED)),
};

function against(args: readonly string[]): readonly (readonly [string, Scenario['prepare']])[] {
  return Object.entries(GIVES).map(([state, give]) => [
    state,
    async (place) => {
      const repository = place.repository(`alice/${state}`);
      return {
        person: place.person(),
        args: [...args, `${repository}:v1`],
        env: {
          DOCKER_CONTENT_TRUST: '1',
          DOCKER_CONTENT_TRUST_SERVER: startOddNotary(place.certificate, await give(repository)),
        },
      };
    },
  ]);
}

export const ODD_SERVER: readonly Scenario[] = [
  ...scenariosOf('odd-server-pull', Object.fromEntries(against(['pull']))),
  ...scenariosOf('odd-server-run', Object.fromEntries(against(['run']))),
  ...scenariosOf('odd-server-inspect', Object.fromEntries(against(['trust', 'inspect']))),
  ...scenariosOf('odd-server-sign', Object.fromEntries(against(['trust', 'sign']))),
];
