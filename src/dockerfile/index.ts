export type { Builder } from './builder.ts';
export { type BuildSettings, findImageUses, type ImageUse, SYNTAX } from './image-uses.ts';
export { platformsOfEngine } from './platforms.ts';
export { rewriteImages } from './rewrite.ts';
