import {
  familiarReference,
  formatReference,
  type Reference,
  withDefaultTag,
} from '../../../../core/names/reference.ts';
import { isResolvedTag, type Permitted, type ResolvedTag } from '../../../../trust/decide/decision.ts';
import { permit } from '../permission.ts';
import type { DockerTask } from '../task.ts';

/** The replacements for the images of one build; each is resolved once. */
export class ImageNames {
  private readonly task: DockerTask;
  private readonly found = new Map<string, Permitted<Reference>>();
  private readonly used = new Map<string, Reference>();

  constructor(task: DockerTask) {
    this.task = task;
  }

  /** The images resolved so far, in order. */
  get trusted(): readonly ResolvedTag[] {
    return [...this.found.values()].filter((image) => isResolvedTag(image));
  }

  /** The replacements made so far, in order. */
  get written(): readonly Reference[] {
    return [...this.used.values()];
  }

  /**
   * The replacement for an image: under trust its signed digest, otherwise its name with its registry. Throws what
   * `permit` throws.
   */
  async textOf(name: string): Promise<string> {
    const { session, trust, cli } = this.task;
    const reference = session.resolve(name);
    const use = trust ? (await this.lookUp(reference)).use : reference;
    this.used.set(formatReference(use), use);
    return writeReference(cli.kind, use);
  }

  private async lookUp(reference: Reference): Promise<Permitted<Reference>> {
    const key = formatReference(withDefaultTag(reference));
    const permission = this.found.get(key) ?? (await permit(this.task.session, reference));
    this.found.set(key, permission);
    return permission;
  }
}

/** podman has its own rules for short names. */
export function writeReference(kind: DockerTask['cli']['kind'], reference: Reference): string {
  return kind === 'podman' ? formatReference(reference) : familiarReference(reference);
}

/**
 * The next step for an unsigned frontend image. Docker's own frontends are no longer signed since its trust service
 * ended.
 */
export function syntaxStep(name: string): string {
  const where = /^(?:(?:index\.)?docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.exec(name);
  const place = where === null ? '' : ', with a trust server of your own configured for docker.io';
  const full = where === null || /^(?:index\.)?docker\.io\//.test(name) ? name : `docker.io/${name}`;
  return `Leave the line out if the builder's own reader will do, or vouch for the image: signet trust sign ${full}${place}`;
}
