import { SignetError } from '../../core/errors/index.ts';
import { DOCKER_ROLES, findTarget, listTargets } from '../../core/verify/lookup.ts';
import type { TrustedView } from '../../core/verify/trusted-set.ts';
import { resolveAllTags, type TrustedTag, targetDigest } from '../decide/resolve.ts';
import { readAdoption } from './adoption.ts';

/** The effects of adopting a collection, tag by tag. */
export interface AdoptionPlan {
  /** Signed for the first time. */
  readonly added: readonly TrustedTag[];
  /** Signed with another digest than before. */
  readonly moved: readonly TrustedTag[];
  readonly unchanged: readonly TrustedTag[];
  /** Adopted before, and no longer in the old collection. They stay. */
  readonly vanished: readonly string[];
  /** Signed here independently, with another digest. They stay. */
  readonly kept: readonly string[];
  /** Signed without SHA-256 in the old collection, so that no client can use them. */
  readonly skipped: readonly string[];
}

/**
 * Plans which tags of an old collection to sign: all tags as docker resolves them, or the given ones, compared with
 * what is already signed on the user's own server. Throws `target-not-found` for an unknown name.
 */
export function planAdoption(old: TrustedView, own: TrustedView | undefined, names: readonly string[]): AdoptionPlan {
  const { tags: all, skipped } = resolveAllTags(old);
  const unknown = names.find((name) => !all.some(({ tag }) => tag === name));
  if (unknown !== undefined) {
    throw new SignetError('target-not-found', `No valid trust data for ${unknown}`, { detail: { tag: unknown } });
  }
  const tags = names.length === 0 ? all : all.filter(({ tag }) => names.includes(tag));
  const plan = {
    added: [] as TrustedTag[],
    moved: [] as TrustedTag[],
    unchanged: [] as TrustedTag[],
    kept: [] as string[],
  };
  for (const tag of tags) {
    const present = own === undefined ? undefined : findTarget(own, tag.tag, DOCKER_ROLES)?.target;
    if (present === undefined) plan.added.push(tag);
    else if (present.hashes.has('sha256') && targetDigest(present) === tag.digest) plan.unchanged.push(tag);
    else if (readAdoption(present.custom) === undefined) plan.kept.push(tag.tag);
    else plan.moved.push(tag);
  }
  return { ...plan, vanished: vanished(own, all), skipped };
}

function vanished(own: TrustedView | undefined, all: readonly TrustedTag[]): readonly string[] {
  if (own === undefined) return [];
  const there = new Set(all.map(({ tag }) => tag));
  return [...listTargets(own, DOCKER_ROLES).values()]
    .filter(({ name, target }) => !there.has(name) && readAdoption(target.custom) !== undefined)
    .map(({ name }) => name);
}
