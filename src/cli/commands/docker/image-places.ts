import { findCommand } from './closed-world/commands.ts';

/**
 * What a command means by a name: an image that the engine has; any name, whether or not the engine has it; a filter
 * for images to list; or any object, which is an image only if no container could have that name.
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

/** The places where a command names images. */
export interface ImagePlaces {
  readonly args: readonly ImageArguments[];
  readonly options: readonly ImageOption[];
}

const all = (names: Naming): readonly ImageArguments[] => [{ from: 0, to: Number.POSITIVE_INFINITY, names }];
const first = (names: Naming): readonly ImageArguments[] => [{ from: 0, to: 1, names }];
const second = (names: Naming): readonly ImageArguments[] => [{ from: 1, to: 2, names }];
const filter = (key: string, names: Naming): ImageOption => ({ option: 'filter', key, names });
const at = (args: readonly ImageArguments[], ...options: readonly ImageOption[]): ImagePlaces => ({ args, options });

/**
 * Docker's commands that name images, by their names in the closed world. Enforced commands are not listed: they expand
 * their names themselves.
 */
const COMMANDS: Readonly<Record<string, ImagePlaces>> = {
  'buildx imagetools create': at(all('any'), { option: 'tag', names: 'any' }),
  'buildx imagetools inspect': at(first('any')),
  commit: at(second('any')),
  events: at([], filter('image', 'listed')),
  history: at(first('existing')),
  images: at(
    first('listed'),
    ...[filter('reference', 'listed'), filter('before', 'existing'), filter('since', 'existing')],
  ),
  'image inspect': at(all('existing')),
  import: at(second('any')),
  inspect: at(all('object')),
  'manifest annotate': at(all('any')),
  'manifest create': at(all('any')),
  'manifest inspect': at(all('any')),
  'manifest push': at(all('any')),
  'manifest rm': at(all('any')),
  ps: at([], filter('ancestor', 'existing')),
  rmi: at(all('existing')),
  save: at(all('existing')),
  tag: at([...first('existing'), ...second('any')]),
};

/** The places where a command names images, by any of its names; undefined if it names none, or is enforced. */
export function imagePlaces(words: readonly string[]): ImagePlaces | undefined {
  const name = findCommand(words)?.name;
  return name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}
