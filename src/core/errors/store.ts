import type { Catalogue } from './catalogue.ts';

/** Errors of the disk: the trust folder, keys, docker's configuration, credential helpers. */
export const STORE_ERRORS = {} as const satisfies Catalogue;
