import { SignetError } from '../../../core/errors/index.ts';
import { parseReference } from '../../../core/names/reference.ts';
import type { ParsedArgs } from '../../../engine/flags.ts';
import type { BuildSettings } from '../../../trust/dockerfile/index.ts';
import type { DockerTask } from '../task.ts';
import { type ImageNames, inPlace, writeReference } from './image-names.ts';

type Edit = (value: string) => Promise<string> | string;

/** The image that reads the Dockerfile, in the place of what `# syntax=` names. */
const SYNTAX_ARG = 'BUILDKIT_SYNTAX';
/** Makes old BuildKits work with helper images that they name themselves. */
const HELPER_IMAGES_ARG = 'BUILDKIT_DISABLE_FILEOP';
/** Names rules by which BuildKit puts other images in the place of those it is given. */
const SOURCE_POLICY = 'EXPERIMENTAL_BUILDKIT_SOURCE_POLICY';
/** Options of podman's that bring images or text which Signet does not see. */
const UNSEEN_IN_PODMAN = /^(?:from|build-arg-file|cache-from|cpp-flag|sbom.*)$/;
const HEREDOCS_SINCE_PODMAN = 5;
/** Named contexts that bring files, as `ADD` does, or whose digest says which image they are. */
const FILE_CONTEXT = /^(?:https?:|git:|ssh:|git@)|^oci-layout:\/\/[^@]+@sha256:[0-9a-f]{64}$/;

/** What the command line says about the meaning of the Dockerfile. Throws `build-option-unsafe`. */
export function readSettings(task: DockerTask, file: string): BuildSettings {
  const { args, cli, trust } = task;
  if (trust) refuseUnseen(task);
  const platforms = args.values('platform');
  return {
    file,
    buildArgs: readBuildArgs(task),
    platform: platforms.length === 1 && cli.kind === 'docker' ? platforms[0] : undefined,
    contexts: new Set(args.values('build-context').map((value) => contextName(value, trust))),
    heredocs: cli.kind === 'docker' || Number.parseInt(cli.version, 10) >= HEREDOCS_SINCE_PODMAN,
  };
}

/** The options with their images resolved as those of the Dockerfile are. Throws `build-option-unsafe` besides. */
export async function nameOptions(task: DockerTask, names: ImageNames): Promise<ParsedArgs> {
  const nameOf = (name: string) => names.textOf(name);
  let args = tagOptions(task, task.args);
  args = await editValues(args, 'build-arg', (value) => nameSyntax(value, task.env, nameOf));
  args = await editValues(args, 'build-context', (value) => nameContext(value, task.trust, nameOf));
  args = await editValues(args, 'cache-from', (value) => nameCache(value, task.trust, nameOf));
  if (!task.trust) return args;
  args = await editValues(args, 'attest', (value) => nameAttestation(value, nameOf));
  return editValues(args, 'sbom', (value) => nameSbom(value, nameOf));
}

/** With the registry written out in the names that the built image gets, where a default registry is set. */
export function tagOptions({ session, cli }: DockerTask, args: ParsedArgs): ParsedArgs {
  if (session.configuration.defaultRegistry === undefined) return args;
  return args.flags('tag').reduce((named, _, index) => {
    const flag = named.flags('tag')[index];
    return flag?.value === undefined
      ? named
      : named.withValue(flag, writeReference(cli.kind, session.resolve(flag.value)));
  }, args);
}

function refuseUnseen({ args, cli, env }: DockerTask): void {
  if (env[SOURCE_POLICY]) {
    throw unsafe(`${SOURCE_POLICY} may replace images after they are checked`, 'Unset the variable.');
  }
  if (readBuildArgs({ args, env }).has(HELPER_IMAGES_ARG)) {
    throw unsafe(`--build-arg ${HELPER_IMAGES_ARG} makes the builder use images that nobody checks`);
  }
  const names = args.tokens.flatMap((token) => (token.kind === 'flag' ? [token.flag.long ?? ''] : []));
  const unseen = cli.kind === 'podman' ? names.find((name) => UNSEEN_IN_PODMAN.test(name)) : undefined;
  if (unseen !== undefined) throw unsafe(`podman build --${unseen} brings in what Signet does not check`);
}

/** Values by name; one without a value is the environment's, as docker has it. */
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
  return `${name}=${await nameOf(image)}${rest === undefined ? '' : ` ${rest}`}`;
}

async function nameContext(text: string, trust: boolean, nameOf: Edit): Promise<string> {
  const [name, place = ''] = cut(text, '=');
  const image = /^docker-image:\/\/(.*)$/s.exec(place)?.[1];
  if (image !== undefined) return image === 'scratch' ? text : `${name}=docker-image://${await nameOf(image)}`;
  if (!trust || !place.includes(':') || FILE_CONTEXT.test(place)) return text;
  throw unsafe(`${place} names an image without a digest, or nothing that Signet knows`, 'Use docker-image:// there.');
}

/** Layers from a cache become layers of the image. Those of the engine and of local folders are as local as the context. */
async function nameCache(text: string, trust: boolean, nameOf: Edit): Promise<string> {
  if (!trust && text.includes('"')) return text;
  const fields = text.split(',');
  if (!text.includes('='))
    return (await eachInTurn(fields, (field) => (field === '' ? field : nameOf(field)))).join(',');
  const type = valueIn(fields, 'type');
  if (type === 'registry') return nameField(fields, 'ref', nameOf);
  if (!trust || (type === 'local' && !text.includes('"'))) return text;
  throw unsafe('layers from that cache are signed by nobody', 'Use a signed image as cache: type=registry,ref=IMAGE');
}

async function nameAttestation(text: string, nameOf: Edit): Promise<string> {
  const fields = text.split(',');
  const type = valueIn(fields, 'type');
  const isOff = valueIn(fields, 'disabled')?.toLowerCase() === 'true';
  if (!text.includes('"') && (type === 'provenance' || (type === 'sbom' && isOff))) return text;
  if (type === 'sbom' && valueIn(fields, 'generator') !== undefined) return nameField(fields, 'generator', nameOf);
  throw unsafe('the scanner for the bill of materials is an image that nobody checks', 'Name it: generator=IMAGE');
}

async function nameSbom(text: string, nameOf: Edit): Promise<string> {
  if (/^(?:0|f|false)$/i.test(text)) return text;
  return (await nameAttestation(`type=sbom,${text}`, nameOf)).slice('type=sbom,'.length);
}

/** Throws `build-option-unsafe` where a quote may hide what the field is. */
async function nameField(fields: readonly string[], key: string, nameOf: Edit): Promise<string> {
  const isClear =
    fields.filter((field) => keyOf(field) === key).length === 1 && !fields.some((field) => field.includes('"'));
  if (!isClear) throw unsafe(`${key}= is not written plainly in ${JSON.stringify(fields.join(','))}`);
  const named = await eachInTurn(fields, async (field) => {
    const [typed, value = ''] = cut(field, '=');
    return keyOf(field) === key ? `${typed}=${await nameOf(value)}` : field;
  });
  return named.join(',');
}

function valueIn(fields: readonly string[], key: string): string | undefined {
  const field = fields.find((each) => keyOf(each) === key);
  return field === undefined ? undefined : cut(field, '=')[1];
}

function keyOf(field: string): string {
  return cut(field, '=')[0].trim().toLowerCase();
}

async function editValues(args: ParsedArgs, name: string, edit: Edit): Promise<ParsedArgs> {
  let edited = args;
  for (let index = 0; index < args.flags(name).length; index++) {
    const flag = edited.flags(name)[index];
    if (flag?.value === undefined) continue;
    const { value } = flag;
    const text = await inPlace(`--${name} ${value}`, async () => edit(value));
    if (text !== value) edited = edited.withValue(flag, text);
  }
  return edited;
}

async function eachInTurn(texts: readonly string[], edit: Edit): Promise<readonly string[]> {
  const edited: string[] = [];
  for (const text of texts) edited.push(await edit(text));
  return edited;
}

/** The text before and after the first `mark`; the second is undefined where there is none. */
function cut(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

function unsafe(message: string, next?: string): SignetError {
  return new SignetError('build-option-unsafe', message, next === undefined ? {} : { next });
}
