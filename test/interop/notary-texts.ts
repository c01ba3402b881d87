/** What notary says where it succeeds. */
export const said = {
  published: (gun: string) => `Successfully published changes for repository ${gun}\n`,
  publishedAtOnce: (gun: string) =>
    `Auto-publishing changes to ${gun}\nSuccessfully published changes for repository ${gun}\n`,
  deletedHere: (gun: string) =>
    `Deleting trust data for repository ${gun}\nSuccessfully deleted local trust data for repository ${gun}\n`,
  deletedEverywhere: (gun: string) =>
    `Deleting trust data for repository ${gun}\nSuccessfully deleted local and remote trust data for repository ${gun}\n`,
  noChanges: (gun: string) => `No unpublished changes for ${gun}\n`,
  noTargets: '\nNo targets present in this repository.\n\n',
};

/** A row of `notary list`. */
export type ListRow = readonly [name: string, sha256: string, size: string, role: string];

const HEAD = ['NAME', 'DIGEST', 'SIZE (BYTES)', 'ROLE'] as const;
const PADDING = 4;

/** The table of `notary list`. */
export function listing(...rows: readonly ListRow[]): string {
  const table = [HEAD, HEAD.map((title) => '-'.repeat(title.length)), ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)) + PADDING);
  return table.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('')}\n`).join('');
}
