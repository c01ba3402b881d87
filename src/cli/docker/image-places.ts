/**
 * What a command means by a name: an image that the engine has, a name that counts whether or not the engine has it, which
 * images to list, or any object, which is an image only if no container could have that name.
 */
export type Naming = 'existing' | 'any' | 'listed' | 'object';

/** The arguments of a command that name images. */
interface ImageArguments {
  /** Index of the first and, exclusive, of the last such argument. */
  readonly from: number;
  readonly to: number;
  readonly names: Naming;
}

/** The option of a command whose value names an image, or names one after a key: `--filter ancestor=IMAGE`. */
interface ImageOption {
  readonly option: string;
  readonly key?: string;
  readonly names: Naming;
}

/** Where a command names images. */
export interface ImagePlaces {
  readonly args: readonly ImageArguments[];
  readonly options: readonly ImageOption[];
}

const all = (names: Naming): readonly ImageArguments[] => [{ from: 0, to: Number.POSITIVE_INFINITY, names }];
const first = (names: Naming): readonly ImageArguments[] => [{ from: 0, to: 1, names }];
const second = (names: Naming): readonly ImageArguments[] => [{ from: 1, to: 2, names }];
const filter = (key: string, names: Naming): ImageOption => ({ option: 'filter', key, names });
const at = (args: readonly ImageArguments[], ...options: readonly ImageOption[]): ImagePlaces => ({ args, options });

const LIST = at(
  first('listed'),
  ...[filter('reference', 'listed'), filter('before', 'existing'), filter('since', 'existing')],
);
const CONTAINERS = at([], filter('ancestor', 'existing'));
const EVENTS = at([], filter('image', 'listed'));
const TAG = at([...first('existing'), ...second('any')]);
const CREATE_INDEX = at(all('any'), { option: 'tag', names: 'any' });

/**
 * Docker's commands that name images, apart from those that trust concerns: these expand their names themselves. Those of
 * `buildx` are there below `builder` as well.
 */
const COMMANDS: ReadonlyMap<string, ImagePlaces> = new Map([
  ['inspect', at(all('object'))],
  ['images', LIST],
  ['image ls', LIST],
  ['image list', LIST],
  ['rmi', at(all('existing'))],
  ['image rm', at(all('existing'))],
  ['image remove', at(all('existing'))],
  ['image rmi', at(all('existing'))],
  ['image inspect', at(all('existing'))],
  ['save', at(all('existing'))],
  ['image save', at(all('existing'))],
  ['history', at(first('existing'))],
  ['image history', at(first('existing'))],
  ['tag', TAG],
  ['image tag', TAG],
  ['commit', at(second('any'))],
  ['container commit', at(second('any'))],
  ['import', at(second('any'))],
  ['image import', at(second('any'))],
  ['ps', CONTAINERS],
  ['container ls', CONTAINERS],
  ['container list', CONTAINERS],
  ['container ps', CONTAINERS],
  ['events', EVENTS],
  ['system events', EVENTS],
  ['manifest annotate', at(all('any'))],
  ['manifest create', at(all('any'))],
  ['manifest inspect', at(all('any'))],
  ['manifest push', at(all('any'))],
  ['manifest rm', at(all('any'))],
  ['buildx imagetools create', CREATE_INDEX],
  ['buildx imagetools inspect', at(first('any'))],
  ['builder imagetools create', CREATE_INDEX],
  ['builder imagetools inspect', at(first('any'))],
]);

/** Where this very command names images; undefined where it names none, or is a group of commands. */
export function imagePlaces(command: readonly string[]): ImagePlaces | undefined {
  return COMMANDS.get(command.join(' '));
}

/** Whether a command below these words names images. */
export function isGroupOfPlaces(words: readonly string[]): boolean {
  return [...COMMANDS.keys()].some((name) => name.startsWith(`${words.join(' ')} `));
}
