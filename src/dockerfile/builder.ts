/** What is known about the builder that will read a Dockerfile. */
export interface Builder {
  /** For messages: `the classic builder`. */
  readonly name: string;
  /** Whether it may hand the file to the image in `# syntax=`; the classic builder and buildah do not. */
  readonly obeysSyntax: boolean;
  /** Whether it supports here-documents, as far as Signet can tell. If it does not after all, it refuses the file. */
  readonly knowsHeredocs: boolean;
  /** Whether it sets the platform variables for `FROM`, such as `TARGETARCH`; undefined if unknown. */
  readonly setsPlatforms: boolean | undefined;
}

const FRONTEND = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?:1\.([0-9]+)(?:\.[0-9]+)?(?:-[a-z0-9.-]+)?$/;
/** Version 1.4 of docker's Dockerfile frontend. */
const HEREDOCS_SINCE = 4;

/** Whether here-documents are supported, by the builder or by the image that reads the file for it. */
export function readsHeredocs(builder: Builder, syntax: string | undefined): boolean {
  if (syntax === undefined || !builder.obeysSyntax) return builder.knowsHeredocs;
  const minor = FRONTEND.exec(syntax)?.[1];
  return minor === undefined || Number(minor) >= HEREDOCS_SINCE;
}
