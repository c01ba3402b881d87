import { type NamedField, readNamedFields, writeNamedFields } from '../../../core/csv.ts';
import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { familiarReference } from '../../../core/names/reference.ts';
import { quoted } from '../../../core/printable.ts';
import type { FlagToken, ParsedArgs } from '../../../engine/cli/flags.ts';
import { isResolvedTag, type ResolvedTag } from '../../../trust/decide/decision.ts';
import { withPlace } from './errors.ts';
import { permit, permitId, readImageId } from './permission.ts';
import type { DockerTask } from './task.ts';

/** The arguments with every mounted image replaced by its permitted name. */
interface NamedMounts {
  readonly args: ParsedArgs;
  /** The images that the engine must have by their digests. */
  readonly images: readonly ResolvedTag[];
}

/** Types of mounts without an image: docker's, then podman's. */
const WITHOUT_IMAGE: readonly string[] = ['bind', 'cluster', 'npipe', 'tmpfs', 'volume', 'devpts', 'glob', 'ramfs'];
const REPEATABLE: readonly string[] = ['volume-label', 'volume-opt'];
const SOURCE: readonly string[] = ['source', 'src'];

/**
 * Resolves the images of `--mount type=image,source=IMAGE` in this option of `run`, `create` or `service` like the
 * container's image: under trust to their signed digests, otherwise to their registry. Under trust, throws
 * `docker-value-unclear` for a value that docker could read differently, `flag-uncovered` for a type of mount that may
 * contain an unknown image, and what `permit` throws.
 */
export async function nameMounts(task: DockerTask, option: string, args = task.args): Promise<NamedMounts> {
  const { trust, session } = task;
  if (!trust && session.configuration.defaultRegistry === undefined) return { args, images: [] };
  const images: ResolvedTag[] = [];
  let named = args;
  for (let index = 0; index < args.flags(option).length; index++) {
    const flag = named.flags(option)[index];
    const source = flag && readSource(task, flag);
    if (flag === undefined || source === undefined) continue;
    const { text, image } = await withPlace(`--${option}`, () => nameSource(task, source.value));
    named = named.withValue(flag, source.replacedBy(text));
    if (image !== undefined) images.push(image);
  }
  return { args: named, images };
}

/** The image that a mount names; undefined if it has none. */
function readSource({ trust }: DockerTask, { value = '' }: FlagToken) {
  try {
    const fields = readNamedFields(value.trim(), REPEATABLE);
    const type = fields.find(({ name }) => name === 'type')?.value?.toLowerCase() ?? 'volume';
    if (type !== 'image') return WITHOUT_IMAGE.includes(type) ? undefined : refuseType(type);
    const [source, ...others] = fields.filter(({ name }) => SOURCE.includes(name));
    if (source?.value === undefined || others.length > 0)
      throw new SignetError('docker-value-unclear', `${quoted(value, 200)} does not name one image`);
    return { value: source.value, replacedBy: (text: string) => replaced(fields, source, text) };
  } catch (error) {
    // Without trust, docker itself reports best what is wrong.
    if (!trust && isSignetError(error)) return undefined;
    throw error;
  }
}

async function nameSource(
  { session, trust }: DockerTask,
  name: string,
): Promise<{ readonly text: string; readonly image?: ResolvedTag }> {
  const id = readImageId(name);
  if (id !== undefined) {
    if (trust) await permitId(session, id);
    return { text: name };
  }
  const reference = session.resolve(name);
  if (!trust) return { text: familiarReference(reference) };
  const permission = await permit(session, reference);
  const text = familiarReference(permission.use);
  return isResolvedTag(permission) ? { text, image: permission } : { text };
}

function replaced(fields: readonly NamedField[], source: NamedField, text: string): string {
  return writeNamedFields(fields.map((field) => (field === source ? { ...field, value: text } : field)));
}

function refuseType(type: string): never {
  throw new SignetError('flag-uncovered', `it is not known what a mount of type ${quoted(type, 60)} brings in`, {
    next: 'Leave it out, or run the command without trust: --disable-content-trust',
  });
}
