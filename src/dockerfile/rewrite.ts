import { type BuildSettings, findImageUses, type ImageUse } from './image-uses.ts';
import { uncertain } from './text.ts';

/**
 * Replaces each image in a Dockerfile, and expands every variable and quote in the names of stages; all other bytes
 * stay the same. `textFor` returns the new text for an image's name.
 *
 * The result is parsed again, and must have exactly the names that were written. Throws `dockerfile-uncertain`
 * otherwise.
 */
export function rewriteImages(
  source: string,
  uses: readonly ImageUse[],
  settings: BuildSettings,
  textFor: (use: ImageUse) => string,
): string {
  const written = uses.map((use) => (use.isImage ? textFor(use) : use.name));
  let result = '';
  let end = 0;
  for (const [index, { span }] of uses.entries()) {
    result += source.slice(end, span.from) + written[index];
    end = span.to;
  }
  result += source.slice(end);
  const read = findImageUses(result, settings).map(({ name }) => name);
  if (read.length === written.length && read.every((name, index) => name === written[index])) return result;
  throw uncertain(settings.file, 'with its images replaced, it would mean other images');
}
