export { type BuildSettings, findImageUses, type ImageUse } from './image-uses.ts';
export { rewriteImages } from './rewrite.ts';
