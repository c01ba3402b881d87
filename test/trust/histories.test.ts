import { describe, expect, test } from 'bun:test';
import type { Editor } from '../../src/core/edit/editor.ts';
import { type ErrorCode, isSignetError } from '../../src/core/errors/index.ts';
import { readSnapshot } from '../../src/core/metadata/snapshot.ts';
import { readTargets, type Targets } from '../../src/core/metadata/targets.ts';
import { type DelegationName, parseDelegation, RELEASES, type TargetsRole } from '../../src/core/names/role.ts';
import { DAY } from '../../src/core/time.ts';
import { resolveTag } from '../../src/trust/decide/resolve.ts';
import { Dice } from '../fuzz/dice.ts';
import { speakChain } from '../support/chain-speaker.ts';
import { payloadOf, put } from '../support/forgery.ts';
import { digestOfTarget, missing, Simulator, type State, target } from '../support/simulator.ts';
import { Visitor } from '../support/visitor.ts';

// Random histories of a repository, each the same for its seed in what happens: its owner publishes, replaces keys, makes
// and removes delegations; in between, a server lies to whoever comes, at times with the keys of snapshot and timestamp.
// Every client comes twice, once to a server that tells all in a chain, and once to one that gives file by file.

const TAGS = ['latest', 'old', 'new'] as const;
const BOB = parseDelegation('targets/bob');
const SUB = parseDelegation('targets/releases/sub');
const DELEGATIONS: readonly DelegationName[] = [RELEASES, BOB, SUB];
const FILES: readonly TargetsRole[] = ['targets', ...DELEGATIONS];
const HISTORIES = 16;
const STEPS = 14;

/** What a tag is resolved to, or why it is not. */
type Answer = string;

/** What the server rightly said at one time. */
interface Moment {
  readonly state: State;
  readonly targets: Targets;
  /** Undefined where nobody delegates to it. */
  readonly releases: Targets | undefined;
}

describe('whatever happens, and whoever lies', () => {
  test.each(Array.from({ length: HISTORIES }, (_, seed) => seed))(
    'no client goes back, or believes what was never released: history %d',
    async (seed) => {
      const history = await History.begin(new Dice(seed));
      for (let step = 0; step < STEPS; step++) await history.goOn();
      expect(history.lies.length).toBeGreaterThan(0);
    },
    120_000,
  );

  test('all kinds of lies were told, believed and refused', () => {
    expect([...TOLD].sort()).toEqual(['believed', 'refused', ...LIES.map(({ name }) => name)].sort());
  });
});

/** What was tried in all histories: a test that never tries a thing shows nothing of it. */
const TOLD = new Set<string>();

interface Lie {
  readonly name: string;
  /** Whether it takes the keys of snapshot and timestamp. */
  readonly isSigned: boolean;
  tell(history: History): void;
}

const LIES: readonly Lie[] = [
  {
    name: 'all of an earlier state',
    isSigned: false,
    tell: ({ simulator, earlier }) => simulator.serve(earlier().state),
  },
  {
    name: 'an earlier file',
    isSigned: false,
    tell: ({ simulator, dice, earlier }) => {
      const role = dice.pick(['timestamp', 'snapshot', 'root', ...FILES] as const);
      const bytes = earlier().state.get(role);
      if (bytes !== undefined) simulator.lies.set(role, bytes);
    },
  },
  {
    name: 'that a file is not there',
    isSigned: false,
    tell: ({ simulator, dice }) => {
      const role = dice.pick(FILES);
      simulator.lies.set(role, missing(role));
    },
  },
  {
    name: 'that a file was never published',
    isSigned: true,
    tell: ({ simulator, dice }) => simulator.relist(put(['meta', dice.pick(DELEGATIONS)], undefined)),
  },
  {
    name: 'that nothing but targets was published',
    isSigned: true,
    tell: ({ simulator }) => simulator.relist(...DELEGATIONS.map((role) => put(['meta', role], undefined))),
  },
  {
    name: 'earlier files as current ones',
    isSigned: true,
    tell: ({ simulator, dice, earlier }) => {
      for (const role of FILES.filter(() => dice.chance(0.5))) {
        const bytes = earlier().state.get(role);
        if (bytes !== undefined) simulator.replace(role, bytes);
      }
      simulator.relist();
    },
  },
  {
    name: 'earlier targets, and nothing beside them',
    isSigned: true,
    tell: ({ simulator, earlier }) => {
      simulator.replace('targets', earlier().state.get('targets') ?? Buffer.of());
      simulator.relist(...DELEGATIONS.map((role) => put(['meta', role], undefined)));
    },
  },
  {
    name: 'files without signatures',
    isSigned: true,
    tell: ({ simulator, dice }) => {
      const roles = FILES.filter((role) => simulator.state.has(role) && (role !== 'targets' || dice.chance(0.2)));
      simulator.forge(dice.pick(roles.length > 0 ? roles : ['targets']), [], []);
      simulator.relist();
    },
  },
];

class History {
  readonly simulator: Simulator;
  readonly dice: Dice;
  readonly lies: string[] = [];
  private readonly moments: Moment[] = [];
  private readonly versions = new Map<TargetsRole, number>();
  private readonly clients: readonly Client[];
  private serial = 1;

  static async begin(dice: Dice): Promise<History> {
    return new History(await Simulator.start({ snapshotKeyBy: dice.chance(0.3) ? 'owner' : 'server' }), dice);
  }

  private constructor(simulator: Simulator, dice: Dice) {
    this.simulator = simulator;
    this.dice = dice;
    this.clients = Array.from({ length: 3 }, () => new Client(simulator));
    this.note();
  }

  /** A few honest changes, which some clients see; then a lie, which some are told. */
  async goOn(): Promise<void> {
    for (let changes = this.dice.below(3); changes >= 0; changes--) await this.change();
    for (const client of this.some()) await this.tellTruth(client);
    const honest = this.simulator.state;
    const lie = this.dice.pick(LIES);
    this.lies.push(lie.name);
    TOLD.add(lie.name);
    lie.tell(this);
    for (const client of [...this.some(), new Client(this.simulator)]) await this.judge(client, lie);
    this.simulator.lies.clear();
    this.simulator.serve(honest);
    if (!lie.isSigned) return;
    // Stolen keys are replaced: versions that the thief signed would bind else.
    await this.edit((editor) => {
      editor.replaceKeys('snapshot', [this.simulator.online.make()]);
      editor.replaceKeys('timestamp', [this.simulator.online.make()]);
    });
  }

  readonly earlier = (): Moment => this.dice.pick(this.moments);

  private some(): readonly Client[] {
    return this.clients.filter(() => this.dice.chance(0.5));
  }

  private get now(): Moment {
    return this.moments.at(-1) as Moment;
  }

  /** An honest server is never refused, whatever the client was told before, and what it says is what is resolved. */
  private async tellTruth(client: Client): Promise<void> {
    const { targets, releases } = this.now;
    const expected = TAGS.map((tag) => {
      const found = releases?.targets.get(tag) ?? targets.targets.get(tag);
      return found === undefined ? 'target-not-found' : digestIn(found.hashes);
    });
    expect({ lies: this.lies, answers: await client.ask(), warnings: client.takeWarnings() }).toEqual({
      lies: this.lies,
      answers: expected,
      warnings: [],
    });
  }

  private async judge(client: Client, lie: Lie): Promise<void> {
    const admissible = TAGS.map((tag) => this.admissible(tag, client.memory(this.moments)));
    const answers = await client.ask();
    client.takeWarnings();
    if (typeof answers === 'string') TOLD.add('refused');
    else {
      for (const [at, answer] of answers.entries()) {
        if (!answer.startsWith('sha256:')) continue;
        TOLD.add('believed');
        expect({ lie: lie.name, tag: TAGS[at], known: admissible[at]?.has(answer) }).toEqual({
          lie: lie.name,
          tag: TAGS[at],
          known: true,
        });
      }
    }
  }

  /**
   * What a client may take for the digest of a tag: what a file says that is no older than the one it has, where `targets`
   * has the word only if it delegates to nobody, if no releases file was ever seen, or if one that is not older lacks the tag.
   */
  private admissible(tag: string, memory: Memory): ReadonlySet<string> {
    const found = new Set<string>();
    const released = this.moments.slice(memory.releases).map(({ releases }) => releases);
    const isFree = !memory.knowsReleases || released.some((file) => file !== undefined && !file.targets.has(tag));
    for (const file of released) add(file?.targets.get(tag));
    for (const { targets, releases } of this.moments.slice(memory.targets)) {
      if (isFree || releases === undefined) add(targets.targets.get(tag));
    }
    return found;
    function add(present: ReturnType<Targets['targets']['get']>) {
      if (present !== undefined) found.add(digestIn(present.hashes));
    }
  }

  // What an owner does

  private async change(): Promise<void> {
    const { dice, simulator } = this;
    const { targets, releases } = this.now;
    const present = targets.delegations.map(({ name }) => name);
    const changes: (() => Promise<void>)[] = [
      () => this.edit((editor) => this.sign(editor, releases === undefined || dice.chance(0.3) ? 'targets' : RELEASES)),
      () => this.edit((editor) => editor.removeTarget(releases === undefined ? 'targets' : RELEASES, dice.pick(TAGS))),
      () => this.edit((editor) => editor.removeTarget('targets', dice.pick(TAGS))),
      () => this.delegate(RELEASES),
      () => (releases === undefined ? this.delegate(BOB) : this.delegate(dice.pick([BOB, SUB]))),
      () => this.replaceKeys(dice.pick<TargetsRole>(present.length > 0 ? present : ['targets'])),
      () => this.edit((editor) => editor.replaceKeys('targets', [simulator.owner.make()])),
      () => this.edit((editor) => editor.replaceKeys('snapshot', [simulator.online.make()])),
      async () => {
        await simulator.rotateRoot();
        this.note();
      },
      async () => {
        simulator.now += 20 * DAY;
        await simulator.refresh();
        this.note();
      },
    ];
    if (present.length > 0) changes.push(() => this.edit((editor) => editor.removeDelegation(dice.pick(present))));
    await dice.pick(changes)();
  }

  private sign(editor: Editor, role: TargetsRole): void {
    const tag = role === BOB ? 'bob' : role === SUB ? 'sub' : this.dice.pick(TAGS);
    editor.addTarget(role, tag, target(++this.serial));
  }

  /** Makes a delegation, at times one that was there before, and signs something for it. */
  private delegate(role: DelegationName): Promise<void> {
    const paths = { [RELEASES]: [''], [BOB]: ['bob'] }[role] ?? ['sub'];
    return this.edit((editor) => {
      const isNew = !editor.delegationsOf(role === SUB ? RELEASES : 'targets').some(({ name }) => name === role);
      editor.addDelegation(role, isNew ? [this.simulator.owner.make()] : [], paths);
      this.sign(editor, role);
    });
  }

  private replaceKeys(role: TargetsRole): Promise<void> {
    return this.edit((editor) => {
      const fresh = this.simulator.owner.make();
      if (role === 'targets') return editor.replaceKeys('targets', [fresh]);
      const ids = this.simulator.signersOf(role).map(({ key }) => key.id);
      editor.addDelegation(role as DelegationName, [fresh], []);
      editor.removeDelegationKeys(role as DelegationName, ids);
      editor.witness(role);
    });
  }

  /** As `Repository` publishes: a role that was there before goes on with its versions. */
  private async edit(change: (editor: Editor) => void): Promise<void> {
    await this.simulator.edit((editor) => {
      change(editor);
      for (const role of editor.forgottenRoles()) editor.continueAfter(role, this.versions.get(role) ?? 0);
    });
    this.note();
  }

  private note(): void {
    const { state } = this.simulator;
    const read = (role: TargetsRole) => {
      const bytes = state.get(role);
      return bytes === undefined ? undefined : readTargets(role, payloadOf(bytes));
    };
    for (const role of FILES) this.versions.set(role, read(role)?.version ?? this.versions.get(role) ?? 0);
    const targets = read('targets');
    if (targets === undefined) throw new Error('no targets');
    const isDelegated = targets.delegations.some(({ name }) => name === RELEASES);
    this.moments.push({ state, targets, releases: isDelegated ? read(RELEASES) : undefined });
  }
}

/** From which moment on a client's files are, and whether it has ever seen that there are releases. */
interface Memory {
  readonly targets: number;
  readonly releases: number;
  readonly knowsReleases: boolean;
}

/** One client, as two visitors to servers of both kinds, between whom there is never any difference. */
class Client {
  private readonly simulator: Simulator;
  private readonly chained: Visitor;
  private readonly single: Visitor;
  private files: ReadonlyMap<string, Buffer> = new Map();

  constructor(simulator: Simulator) {
    this.simulator = simulator;
    this.chained = new Visitor(simulator);
    this.single = new Visitor(simulator);
  }

  /** What each tag is resolved to, or the code of the error for all of them; what is kept changes only without one. */
  async ask(): Promise<readonly Answer[] | ErrorCode> {
    const before = await this.chained.cache.contents(this.simulator.gun);
    speakChain(this.simulator);
    const inOne = await answersTo(this.chained);
    this.simulator.chainFor = undefined;
    expect(await answersTo(this.single)).toEqual(inOne);
    expect(this.single.warnings).toEqual(this.chained.warnings);
    const after = await this.chained.cache.contents(this.simulator.gun);
    expect(await this.single.cache.contents(this.simulator.gun)).toEqual(after);
    if (typeof inOne === 'string') expect(after).toEqual(before);
    this.files = new Map([...after].map(([role, text]) => [role, Buffer.from(text, 'base64')]));
    return inOne;
  }

  takeWarnings(): readonly string[] {
    this.single.warnings.length = 0;
    return this.chained.warnings.splice(0);
  }

  memory(moments: readonly Moment[]): Memory {
    const since = (role: TargetsRole) => {
      const bytes = this.files.get(role);
      if (bytes === undefined) return 0;
      const at = moments.findIndex(({ state }) => state.get(role)?.equals(bytes));
      if (at < 0) throw new Error(`what is kept of ${role} was never published`);
      return at;
    };
    const snapshot = this.files.get('snapshot');
    const meta = snapshot === undefined ? undefined : readSnapshot(payloadOf(snapshot)).meta;
    return { targets: since('targets'), releases: since(RELEASES), knowsReleases: meta?.has(RELEASES) === true };
  }
}

async function answersTo(visitor: Visitor): Promise<readonly Answer[] | ErrorCode> {
  try {
    const { set } = await visitor.update();
    return TAGS.map((tag) => {
      try {
        return resolveTag(set, tag).digest;
      } catch (error) {
        if (isSignetError(error)) return error.code;
        throw error;
      }
    });
  } catch (error) {
    if (isSignetError(error)) return error.code;
    throw error;
  }
}

function digestIn(hashes: ReadonlyMap<string, Buffer>): string {
  return digestOfTarget(hashes.get('sha256')?.[0] ?? 0);
}
