const KEYWORDS: ReadonlySet<string> = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);
const BLANK = /^[\s\u0085]*$/;
const COMMENT = /^[\s\u0085]*#/;

/**
 * The images of the `FROM` lines as parsed by a builder without here-documents, the classic one of Docker Engine 20.10:
 * their words as written. Undefined for a file that it refuses before building. A model independent of the parser under
 * test, for simple files: without quotes and with one space around each word of `FROM`.
 */
export function classicBases(source: string): readonly string[] | undefined {
  const mark = /^#[ \t]*escape[ \t]*=[ \t]*`/i.test(source) ? '`' : '\\';
  const instructions = joined(source.replace(/^\ufeff/, '').split(/\r?\n/), mark);
  const keywordOf = (line: string) => line.split(/[\t\v\f\r ]+/)[0]?.toUpperCase() ?? '';
  if (instructions.some((line) => !KEYWORDS.has(keywordOf(line)))) return undefined;
  return instructions.filter((line) => keywordOf(line) === 'FROM').map(baseOf);
}

function joined(lines: readonly string[], mark: string): readonly string[] {
  const instructions: string[] = [];
  let open: string | undefined;
  for (const line of lines) {
    if (COMMENT.test(line) || BLANK.test(line)) continue;
    const text = open === undefined ? line.replace(/^[\s\u0085]+/, '') : open + line;
    const trimmed = text.replace(/[ \t]+$/, '');
    open = trimmed.endsWith(mark) ? trimmed.slice(0, -1) : undefined;
    if (open === undefined) instructions.push(text.trim());
  }
  return open === undefined || BLANK.test(open) ? instructions : [...instructions, open.trim()];
}

function baseOf(line: string): string {
  return line.split(/[\t\v\f\r ]+/).find((word, index) => index > 0 && !word.startsWith('--')) ?? '';
}
