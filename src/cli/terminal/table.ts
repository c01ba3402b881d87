import { cellText } from './output.ts';

/** Formats columns as in docker's tables: at least ten wide, three spaces apart, the last one unpadded. */
export function dockerTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows].map((line) => line.map(cellText));
  const widths = header.map((_, column) => Math.max(10, ...lines.map((line) => (line[column] ?? '').length + 3)));
  const last = header.length - 1;
  return lines
    .map(
      (line) => `${line.map((cell, column) => (column === last ? cell : cell.padEnd(widths[column] ?? 0))).join('')}\n`,
    )
    .join('');
}
