import { isSignetError } from '../../../core/errors/index.ts';
import {
  familiarReference,
  formatReference,
  gunOf,
  type Reference,
  withDefaultTag,
} from '../../../core/names/reference.ts';
import { printable } from '../../../core/printable.ts';
import { type TrustedImage, trustedImage } from '../../../trust/enforce/enforce.ts';
import { wordedAs } from '../../docker-texts.ts';
import type { DockerTask } from '../task.ts';

const MAX_MESSAGE = 2048;

/** What stands for the images of one build; each is looked up once. */
export class ImageNames {
  private readonly task: DockerTask;
  private readonly found = new Map<string, TrustedImage | undefined>();

  constructor(task: DockerTask) {
    this.task = task;
  }

  /** The images resolved up to now, in their order. */
  get trusted(): readonly TrustedImage[] {
    return [...this.found.values()].filter((image) => image !== undefined);
  }

  /**
   * What to write for the image: under trust its signed digest, otherwise its name with the registry that it means.
   * Throws what `trustedImage` throws.
   */
  async textOf(name: string): Promise<string> {
    const { session, trust, cli } = this.task;
    const reference = session.resolve(name);
    const trusted = trust ? await this.lookUp(reference) : undefined;
    return writeReference(cli.kind, trusted?.pinned ?? reference);
  }

  /** Undefined for a digest, which names its content itself. */
  private async lookUp(reference: Reference): Promise<TrustedImage | undefined> {
    const key = formatReference(withDefaultTag(reference));
    if (this.found.has(key)) return this.found.get(key);
    const trusted = await wordedAs(gunOf(reference), () =>
      trustedImage(reference, (asked) => this.task.session.repository(asked, 'pull')),
    );
    this.found.set(key, trusted);
    return trusted;
  }
}

/** podman gives short names a meaning of its own. */
export function writeReference(kind: DockerTask['cli']['kind'], reference: Reference): string {
  return kind === 'podman' ? formatReference(reference) : familiarReference(reference);
}

/**
 * Runs `work`; what it throws says where in the build it happened, and ends in docker's words. `next` is the step that
 * helps there, if the error's own would not.
 */
export async function inPlace<T>(place: string, work: () => Promise<T>, next?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSignetError(error)) throw error;
    const message = printable(`${place}: ${error.message}`, MAX_MESSAGE);
    throw error.reworded(message, next === undefined ? {} : { next });
  }
}

/**
 * What to do about an image that reads the Dockerfile and is not signed. Docker's own are signed by no one since its
 * trust service ended.
 */
export function syntaxStep(name: string): string {
  const where = /^(?:(?:index\.)?docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.exec(name);
  const place = where === null ? '' : ', with a trust server of your own configured for docker.io';
  const full = where === null || /^(?:index\.)?docker\.io\//.test(name) ? name : `docker.io/${name}`;
  return `Leave the line out if the builder's own reader will do, or vouch for the image: signet trust sign ${full}${place}`;
}
