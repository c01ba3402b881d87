/**
 * What the catalogue says of one error code.
 *
 * `exit` is the exit code of a command that ends with the error (default 1), `http` the status a Signet server
 * answers with (default 500), `next` the step that usually fixes it. `own` marks what docker has no words for: its
 * next step is told to scripts and logs too, not to a person alone.
 */
export interface CatalogueEntry {
  readonly exit?: number;
  readonly http?: number;
  readonly next?: string;
  readonly own?: true;
}

/** A part of the catalogue: codes are lower-case words joined by hyphens, the subject first. */
export type Catalogue = Readonly<Record<string, CatalogueEntry>>;
