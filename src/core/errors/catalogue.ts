/**
 * One entry of the error catalogue.
 *
 * `exit` is the exit code of a command that fails with it (default 1), `http` the status of a Signet server (default
 * 500), `next` the step that usually fixes it. `own` marks errors that docker does not have: their next step is printed
 * in scripts and logs too, not only on a terminal.
 */
export interface CatalogueEntry {
  readonly exit?: number;
  readonly http?: number;
  readonly next?: string;
  readonly own?: true;
}

/** One part of the catalogue. Codes are lower-case words joined by hyphens, subject first. */
export type Catalogue = Readonly<Record<string, CatalogueEntry>>;
