import { isSignetError } from '../../core/errors/index.ts';
import { familiarReference, namesRegistry } from '../../core/names/reference.ts';
import type { ParsedArgs, PositionalToken } from '../../engine/flags.ts';
import type { SyntaxBook } from '../../engine/learn.ts';
import type { Session } from '../session.ts';

/**
 * What a command means by a name: an image that the engine has, one to be made, which images to list, or any object, which
 * is an image only if no container could have that name.
 */
type Naming = 'existing' | 'new' | 'listed' | 'object';

/** Which arguments of a command name images, and what it means by them. */
interface ImageArguments {
  /** Index of the first and, exclusive, of the last such argument. */
  readonly from: number;
  readonly to: number;
  readonly names: Naming;
}

const ALL_EXISTING: readonly ImageArguments[] = [{ from: 0, to: Number.POSITIVE_INFINITY, names: 'existing' }];
const FIRST_EXISTING: readonly ImageArguments[] = [{ from: 0, to: 1, names: 'existing' }];
const FIRST_LISTED: readonly ImageArguments[] = [{ from: 0, to: 1, names: 'listed' }];
const SECOND_NEW: readonly ImageArguments[] = [{ from: 1, to: 2, names: 'new' }];

/** Docker's commands on local images. Those that trust concerns expand their names themselves. */
const COMMANDS: ReadonlyMap<string, readonly ImageArguments[]> = new Map([
  ['inspect', [{ from: 0, to: Number.POSITIVE_INFINITY, names: 'object' }]],
  ['images', FIRST_LISTED],
  ['image ls', FIRST_LISTED],
  ['image list', FIRST_LISTED],
  ['rmi', ALL_EXISTING],
  ['image rm', ALL_EXISTING],
  ['image remove', ALL_EXISTING],
  ['image inspect', ALL_EXISTING],
  ['save', ALL_EXISTING],
  ['image save', ALL_EXISTING],
  ['history', FIRST_EXISTING],
  ['image history', FIRST_EXISTING],
  ['tag', [...FIRST_EXISTING, ...SECOND_NEW]],
  ['image tag', [...FIRST_EXISTING, ...SECOND_NEW]],
  ['commit', SECOND_NEW],
  ['container commit', SECOND_NEW],
  ['import', SECOND_NEW],
  ['image import', SECOND_NEW],
]);

/** Whether the command is one of docker's on local images. */
export function mayNameImages(words: readonly string[], rest: readonly string[]): boolean {
  return COMMANDS.has([...words, rest[0] ?? ''].join(' ')) || COMMANDS.has(words.join(' '));
}

/**
 * Expands short names in docker's commands on local images, where a default registry gives them another meaning than
 * docker's: a new name always, an existing one if the engine has the image under its full name. What is listed by a short
 * name is listed under both. All else stays as typed.
 */
export async function expandNames(
  session: Session,
  book: SyntaxBook,
  head: readonly string[],
  words: readonly string[],
  rest: readonly string[],
): Promise<readonly string[]> {
  const two = COMMANDS.get([...words, rest[0] ?? ''].join(' '));
  const places = two ?? COMMANDS.get(words.join(' '));
  if (places === undefined) return [...head, ...rest];
  const used = two === undefined ? 0 : 1;
  const command = [...words, ...rest.slice(0, used)];
  try {
    const args = await book.parse(command, rest.slice(used));
    return [...head, ...rest.slice(0, used), ...(await expandIn(session, args, places)).argv];
  } catch (error) {
    // Options that cannot be understood are docker's to complain about; here nothing is enforced.
    if (isSignetError(error, 'docker-flag-unknown', 'docker-flag-invalid', 'docker-help-unreadable'))
      return [...head, ...rest];
    throw error;
  }
}

async function expandIn(session: Session, args: ParsedArgs, places: readonly ImageArguments[]): Promise<ParsedArgs> {
  let expanded = args;
  for (const { from, to, names } of places) {
    for (let index = from; index < Math.min(to, args.positionals.length); index++) {
      const token = expanded.positionals[index];
      if (token !== undefined) expanded = await expandOne(session, expanded, token, names);
    }
  }
  return expanded;
}

async function expandOne(
  session: Session,
  args: ParsedArgs,
  token: PositionalToken,
  names: Naming,
): Promise<ParsedArgs> {
  const full = fullName(session, token.value);
  if (full === undefined || (names === 'object' && !/[/:]/.test(token.value))) return args;
  if (names === 'listed') return args.withFlags('--filter', `reference=${full}`);
  const isMeant = names === 'new' || (await (await session.engine()).inspectImage(full)) !== undefined;
  return isMeant ? args.withValue(token, full) : args;
}

/** Undefined for what is not a short name: an image ID, a pattern, a name with its registry. */
function fullName(session: Session, typed: string): string | undefined {
  if (namesRegistry(typed)) return undefined;
  try {
    return familiarReference(session.resolve(typed));
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}
