import { isSignetError } from '../../../core/errors/index.ts';
import { isDigest } from '../../../core/names/digest.ts';
import { familiarReference, namesRegistry } from '../../../core/names/reference.ts';
import type { CommandLine } from '../../../engine/cli/command.ts';
import type { FlagToken, ParsedArgs, PositionalToken } from '../../../engine/cli/flags.ts';
import type { LearnedSyntax } from '../../../engine/cli/learn.ts';
import type { Session } from '../../session.ts';
import type { ImagePlaces, Naming } from './image-places.ts';

/** Docker itself reports what cannot be parsed; nothing is enforced here. */
const DOCKERS_TO_TELL = [
  'docker-flag-unknown',
  'docker-flag-invalid',
  'docker-help-unreadable',
  'docker-command-missing',
  'buildx-missing',
] as const;

/**
 * Expands short names in docker's commands that name images, if a default registry gives them another meaning than
 * docker's: always if the image need not be local, otherwise if the engine has it under its full name. A short name in
 * a listing matches both. Everything else stays as typed.
 */
export async function expandNames(
  session: Session,
  book: LearnedSyntax,
  { head, words, rest }: Pick<CommandLine, 'head' | 'words' | 'rest'>,
  places: ImagePlaces,
): Promise<readonly string[]> {
  try {
    const args = await book.parse(words, rest);
    return [...head, ...(await expandIn(session, args, places)).argv];
  } catch (error) {
    if (isSignetError(error, ...DOCKERS_TO_TELL)) return [...head, ...rest];
    throw error;
  }
}

async function expandIn(session: Session, args: ParsedArgs, { args: places, options }: ImagePlaces) {
  let expanded = args;
  const isImage = args.lastValue('type') === 'image';
  for (const { from, to, names } of places) {
    for (let index = from; index < Math.min(to, args.positionals.length); index++) {
      const token = expanded.positionals.at(index - args.positionals.length);
      const meant = names === 'object' && isImage ? 'existing' : names;
      if (token !== undefined) expanded = await expandOne(session, expanded, token, meant, { name: token.value });
    }
  }
  for (const { option, key, names } of options) {
    for (let index = 0; index < args.flags(option).length; index++) {
      const token = expanded.flags(option).at(index - args.flags(option).length);
      const name = nameIn(token, key);
      if (token !== undefined && name !== undefined) {
        expanded = await expandOne(session, expanded, token, names, { name, key });
      }
    }
  }
  return expanded;
}

/** The name in an option's value; undefined if the value is about something else. */
function nameIn(token: FlagToken | undefined, key: string | undefined): string | undefined {
  const value = token?.value;
  if (key === undefined || value === undefined) return value;
  const [typed, ...name] = value.split('=');
  // docker reads the keys of filters case-insensitively and without spaces.
  return typed?.trim().toLowerCase() === key && name.length > 0 ? name.join('=').trim() : undefined;
}

async function expandOne(
  session: Session,
  args: ParsedArgs,
  token: PositionalToken | FlagToken,
  names: Naming,
  { name, key }: { readonly name: string; readonly key?: string | undefined },
): Promise<ParsedArgs> {
  const full = names === 'listed' ? fullPattern(session, name) : fullName(session, name);
  if (full === undefined || (names === 'object' && !/[/:]/.test(name))) return args;
  if (names === 'listed') return args.withFlags('--filter', `${key ?? 'reference'}=${full}`);
  const isMeant = names === 'any' || (await (await session.engine()).inspectImage(full)) !== undefined;
  return isMeant ? args.withValue(token, key === undefined ? full : `${key}=${full}`) : args;
}

/** Undefined if it is not a short name: an image ID, or a name with its registry. */
function fullName(session: Session, typed: string): string | undefined {
  if (namesRegistry(typed) || isDigest(typed)) return undefined;
  try {
    return familiarReference(session.resolve(typed));
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

/** The same for a pattern of names, such as `alice/*:v?`. */
function fullPattern(session: Session, typed: string): string | undefined {
  const { defaultRegistry } = session.configuration;
  if (!/[*?[\\]/.test(typed)) return fullName(session, typed);
  if (defaultRegistry === undefined || namesRegistry(typed)) return undefined;
  return `${defaultRegistry}/${typed.includes('/') ? '' : 'library/'}${typed}`;
}
