/** What is known of the builder that is to read a Dockerfile. */
export interface Builder {
  /** For messages: `the classic builder`. */
  readonly name: string;
  /** Whether it may hand the file to the image that `# syntax=` names; the classic builder and buildah do not. */
  readonly obeysSyntax: boolean;
  /** Whether it knows here-documents, as far as it can be told; a builder that then does not refuses the file. */
  readonly knowsHeredocs: boolean;
  /** Whether it gives `FROM` the variables of the platforms, such as `TARGETARCH`; undefined if that cannot be told. */
  readonly setsPlatforms: boolean | undefined;
}

const FRONTEND = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?:1\.([0-9]+)(?:\.[0-9]+)?(?:-[a-z0-9.-]+)?$/;
/** Version 1.4 of docker's Dockerfile frontend. */
const HEREDOCS_SINCE = 4;

/** Whether a here-document is one to the builder, or to the image that reads the file for it. */
export function readsHeredocs(builder: Builder, syntax: string | undefined): boolean {
  if (syntax === undefined || !builder.obeysSyntax) return builder.knowsHeredocs;
  const minor = FRONTEND.exec(syntax)?.[1];
  return minor === undefined || Number(minor) >= HEREDOCS_SINCE;
}
