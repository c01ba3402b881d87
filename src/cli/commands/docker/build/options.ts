import {
  fieldValue,
  type NamedField,
  readCsv,
  readNamedFields,
  writeCsv,
  writeNamedFields,
} from '../../../../core/csv.ts';
import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { parseReference } from '../../../../core/names/reference.ts';
import type { BuildSettings, ImageUse } from '../../../../dockerfile/index.ts';
import type { ParsedArgs } from '../../../../engine/cli/flags.ts';
import { withPlace } from '../errors.ts';
import type { DockerTask } from '../task.ts';
import type { BuilderChoice } from './builder.ts';
import { type ImageNames, syntaxStep, writeReference } from './image-names.ts';
import { refuseOptions } from './option-list.ts';

type Edit = (value: string) => Promise<string> | string;

/** The frontend image, replacing the one in `# syntax=`. */
const SYNTAX_ARG = 'BUILDKIT_SYNTAX';
/** Makes old BuildKits work with helper images that they name themselves. */
const HELPER_IMAGES_ARG = 'BUILDKIT_DISABLE_FILEOP';
/** Names rules by which BuildKit replaces images. */
const SOURCE_POLICY = 'EXPERIMENTAL_BUILDKIT_SOURCE_POLICY';
/** The platform that docker builds for by default. */
const PLATFORM_VARIABLE = 'DOCKER_DEFAULT_PLATFORM';
/** The members that an attestation may have. */
const PROVENANCE_FIELDS: readonly string[] =
  'type disabled mode builder-id filename version reproducible inline-only'.split(' ');
/** The fields of an output that name the built image. */
const NAME_FIELDS: readonly string[] = ['name', 'dangling-name-prefix'];
/** Further options that docker parses into fields; none of these names an image. */
const OTHER_FIELDS: readonly string[] = ['secret', 'call', 'print'];
/** Go's spellings of a boolean. */
const TRUE = /^(?:1|t|T|TRUE|true|True)$/;
const FALSE = /^(?:0|f|F|FALSE|false|False)$/;
const IMAGE_CONTEXT = /^docker-image:\/\/(.*)$/s;
const LAYOUT_CONTEXT = /^oci-layout:\/\/[^@]+@sha256:[0-9a-f]{64}$/;
/**
 * What buildx takes for a folder rather than an address: `github.com/…` is an address, and so is everything with a
 * colon or an `@`.
 */
const FOLDER_CONTEXT = /^(?:\.{0,2}\/|\.{1,2}$|(?!github\.com\/)[^:@]*$)/;

/**
 * The settings on the command line that affect how the Dockerfile is read. Throws `build-option-unsafe`, and under
 * trust `docker-value-unclear`.
 */
export function readBuildSettings(
  task: DockerTask,
  file: string,
  { builder, platforms }: BuilderChoice,
): BuildSettings {
  const { args, cli, trust } = task;
  if (trust) refuseUnseen(task);
  return {
    file,
    builder,
    buildArgs: readBuildArgs(task),
    platforms: cli.kind === 'docker' ? (readPlatforms(task) ?? platforms) : undefined,
    buildPlatforms: platforms,
    contexts: new Set(args.values('build-context').map((value) => contextName(value, trust))),
  };
}

/**
 * The options with their images resolved like those of the Dockerfile. Throws `build-option-unsafe`,
 * `docker-value-unclear`, and the errors of resolving.
 */
export async function nameOptions(task: DockerTask, names: ImageNames, choice: BuilderChoice): Promise<ParsedArgs> {
  const nameOf = (name: string) => names.textOf(name);
  let args = await nameResults(task, task.args);
  if (choice.builder.obeysSyntax)
    args = await editValues(args, 'build-arg', (value) => nameSyntax(value, task.env, nameOf));
  args = await editValues(args, 'build-context', (value) => nameContext(task, value, nameOf));
  args = await editValues(args, 'cache-from', (value) => nameCache(value, task.trust, nameOf));
  if (!task.trust) return args;
  for (const name of OTHER_FIELDS) args = await editValues(args, name, checkFields);
  args = await editValues(args, 'attest', (value) => nameAttestation(value, nameOf));
  args = await editValues(args, 'provenance', (value) => nameShortAttestation('provenance', value, nameOf));
  return editValues(args, 'sbom', (value) => nameShortAttestation('sbom', value, nameOf));
}

/** The options with the default registry inserted, if there is one, in the names of the built image and its cache. */
export async function nameResults({ session, cli, trust }: DockerTask, typed: ParsedArgs): Promise<ParsedArgs> {
  const hasDefault = session.configuration.defaultRegistry !== undefined;
  if (!hasDefault && !trust) return typed;
  const nameOf = (name: string) => (hasDefault ? writeReference(cli.kind, session.resolve(name)) : name);
  let args = typed;
  for (const name of ['tag', 'manifest']) args = await editValues(args, name, nameOf);
  args = await editValues(args, 'output', (value) => nameOutput(value, trust, nameOf));
  return editValues(args, 'cache-to', (value) => nameCacheTarget(value, trust, nameOf));
}

function refuseUnseen({ args, cli, env }: DockerTask): void {
  refuseOptions({ args, cli });
  if (env[SOURCE_POLICY]) {
    throw unsafe(`${SOURCE_POLICY} may replace images after they are checked`, 'Unset the variable.');
  }
  if (readBuildArgs({ args, env }).has(HELPER_IMAGES_ARG)) {
    throw unsafe(`--build-arg ${HELPER_IMAGES_ARG} makes the builder use images that nobody checks`);
  }
}

/** Every platform of the build, from the command line or the environment, as docker reads them; undefined for none. */
function readPlatforms({ args, env }: DockerTask): readonly string[] | undefined {
  const given = args.values('platform');
  const values = given.length > 0 ? given : [env[PLATFORM_VARIABLE] ?? ''];
  const platforms = values.flatMap((value) => value.split(','));
  return platforms.every((platform) => platform === '') ? undefined : platforms;
}

/** Values by name; one without a value is the environment's, as in docker. */
function readBuildArgs({ args, env }: Pick<DockerTask, 'args' | 'env'>): ReadonlyMap<string, string> {
  return new Map(
    args.values('build-arg').flatMap((text) => {
      const [name, value] = cut(text, '=');
      const known = value ?? env[name];
      return known === undefined ? [] : [[name, known] as const];
    }),
  );
}

function contextName(text: string, trust: boolean): string {
  const [name] = cut(text, '=');
  if (!trust) return name;
  // BuildKit never takes these two for a context, whatever the option says.
  const isReserved = ['scratch', 'context'].includes(name.toLowerCase());
  if (isReserved || parseReference(name).digest !== undefined) {
    throw unsafe(`--build-context ${name} is not understood alike by every builder`, 'Choose another name for it.');
  }
  return name;
}

async function nameSyntax(text: string, env: NodeJS.ProcessEnv, nameOf: Edit): Promise<string> {
  const [name, given] = cut(text, '=');
  const command = (given ?? env[SYNTAX_ARG] ?? '').trim();
  if (name !== SYNTAX_ARG || command === '') return text;
  const [image, rest] = cut(command, ' ');
  const written = await withPlace(SYNTAX_ARG, async () => nameOf(image), syntaxStep(image));
  return `${name}=${written}${rest === undefined ? '' : ` ${rest}`}`;
}

async function nameContext({ trust, session }: DockerTask, text: string, nameOf: Edit): Promise<string> {
  const [name, place = ''] = cut(text, '=');
  const image = IMAGE_CONTEXT.exec(place)?.[1];
  if (image !== undefined) return image === 'scratch' ? text : `${name}=docker-image://${await nameOf(image)}`;
  if (!trust || FOLDER_CONTEXT.test(place)) return text;
  if (!LAYOUT_CONTEXT.test(place))
    throw unsafe(`${place} is neither a folder nor an image by its digest`, 'Fetch it first, and name the folder.');
  if (session.evidence.rules.digests === 'docker') return text;
  throw unsafe(`no one signs what ${place} holds`, 'Use docker-image:// there.');
}

/** Refuses a named context that replaces an image to build on by files. Throws `build-option-unsafe`. */
export async function refuseReplacedBases({ args }: DockerTask, uses: readonly ImageUse[]): Promise<void> {
  const contexts = new Map(args.values('build-context').map((value) => cut(value, '=')));
  for (const { place, by, name } of uses) {
    const context = by === 'FROM' ? contexts.get(name) : undefined;
    if (context === undefined || IMAGE_CONTEXT.test(context) || LAYOUT_CONTEXT.test(context)) continue;
    await withPlace(`${place}: FROM ${name}`, async () => {
      throw unsafe(`--build-context ${name} puts files in the place of the image`, 'Copy from it: COPY --from=NAME');
    });
  }
}

/**
 * Layers from a cache become layers of the image. Caches of the engine and in local folders are as local as the
 * context.
 */
async function nameCache(text: string, trust: boolean, nameOf: Edit): Promise<string> {
  if (text === '') return text;
  if (!text.includes('=')) return nameReferences(text, trust, nameOf);
  return editFields(text, trust, async (fields) => {
    const type = fieldValue(fields, 'type');
    if (type === 'registry' && fieldValue(fields, 'ref')) return withNames(fields, ['ref'], nameOf);
    if (!trust || type === 'local') return fields;
    throw unsafe('layers from that cache are signed by nobody', 'Use a signed image as cache: type=registry,ref=IMAGE');
  });
}

async function nameCacheTarget(text: string, trust: boolean, nameOf: Edit): Promise<string> {
  if (text === '') return text;
  if (!text.includes('=')) return nameReferences(text, trust, nameOf);
  return editFields(text, trust, async (fields) =>
    fieldValue(fields, 'type') === 'registry' ? withNames(fields, ['ref'], nameOf) : fields,
  );
}

/** A destination without a type is a folder, or `-`. */
async function nameOutput(text: string, trust: boolean, nameOf: Edit): Promise<string> {
  const isPlace = !/[,"]/.test(text) && !text.startsWith('type=');
  return isPlace ? text : editFields(text, trust, (fields) => withNames(fields, NAME_FIELDS, nameOf));
}

/** A list of references, each of which docker parses as a list again. */
async function nameReferences(text: string, trust: boolean, nameOf: Edit): Promise<string> {
  return editUnderstood(text, trust, async () => {
    const references = readCsv(text);
    const unclear = references.find((reference) => /[",]/.test(reference));
    if (unclear !== undefined) throw unsafe(`${JSON.stringify(unclear)} is no reference`);
    return writeCsv(await eachInTurn(references, (reference) => (reference === '' ? '' : nameOf(reference))));
  });
}

async function nameAttestation(text: string, nameOf: Edit): Promise<string> {
  return editFields(text, true, async (fields) => {
    const type = fieldValue(fields, 'type');
    const isOff = TRUE.test(fieldValue(fields, 'disabled') ?? '');
    if (type === 'sbom' && fieldValue(fields, 'generator')) return withNames(fields, ['generator'], nameOf);
    if (type === 'sbom' && isOff) return fields;
    if (type === 'provenance' && fields.every(({ key }) => PROVENANCE_FIELDS.includes(key))) return fields;
    if (type === 'provenance') throw unsafe('that attestation has fields which are not known');
    throw unsafe('the scanner for the bill of materials is an image that nobody checks', 'Name it: generator=IMAGE');
  });
}

/** `--sbom` and `--provenance`: the fields of an attestation without its type, or whether to make one. */
async function nameShortAttestation(type: string, text: string, nameOf: Edit): Promise<string> {
  if (text === '' || FALSE.test(text) || (type === 'provenance' && TRUE.test(text))) return text;
  const prefix = `type=${type},`;
  return (await nameAttestation(prefix + text, nameOf)).slice(prefix.length);
}

function checkFields(text: string): string {
  if (text !== '') readNamedFields(text);
  return text;
}

/** Without trust, values that only docker understands are left to it. */
async function editUnderstood(text: string, trust: boolean, edit: () => Promise<string>): Promise<string> {
  try {
    return await edit();
  } catch (error) {
    if (!trust && isSignetError(error, 'docker-value-unclear')) return text;
    throw error;
  }
}

/** Keeps the text unchanged if the fields are. */
function editFields(
  text: string,
  trust: boolean,
  edit: (fields: readonly NamedField[]) => Promise<readonly NamedField[]>,
): Promise<string> {
  return editUnderstood(text, trust, async () => {
    const fields = readNamedFields(text);
    const edited = await edit(fields);
    return edited.every((field, index) => field.value === fields[index]?.value) ? text : writeNamedFields(edited);
  });
}

/** Resolves the names in some fields; one field may contain several names. `*` takes them from elsewhere. */
async function withNames(
  fields: readonly NamedField[],
  keys: readonly string[],
  nameOf: Edit,
): Promise<readonly NamedField[]> {
  const named: NamedField[] = [];
  for (const field of fields) {
    const value = keys.includes(field.name) ? fieldValue(fields, field.name) : undefined;
    if (value === undefined) named.push(field);
    else {
      const names = await eachInTurn(value.split(','), (name) => (name === '' || name === '*' ? name : nameOf(name)));
      named.push({ ...field, value: names.join(',') });
    }
  }
  return named;
}

async function editValues(args: ParsedArgs, name: string, edit: Edit): Promise<ParsedArgs> {
  let edited = args;
  for (let index = 0; index < args.flags(name).length; index++) {
    const flag = edited.flags(name)[index];
    if (flag?.value === undefined) continue;
    const { value } = flag;
    const text = await withPlace(`--${name} ${value}`, async () => edit(value));
    if (text !== value) edited = edited.withValue(flag, text);
  }
  return edited;
}

async function eachInTurn(texts: readonly string[], edit: Edit): Promise<readonly string[]> {
  const edited: string[] = [];
  for (const text of texts) edited.push(await edit(text));
  return edited;
}

/** The text before and after the first `mark`; the second is undefined if there is none. */
function cut(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

function unsafe(message: string, next?: string): SignetError {
  return new SignetError('build-option-unsafe', message, next === undefined ? {} : { next });
}
