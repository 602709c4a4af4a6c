/** Tables for terminals. */

export type Cell = string | number | undefined;

/** Aligned text, numbers to the right, absent cells as `–`; the first row holds the headings. Ends with a line feed. */
export function formatTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = (cell: Cell): string => (cell === undefined ? "–" : String(cell));
  const widths = headings.map((heading, i) => rows.reduce((width, row) => Math.max(width, text(row[i]).length), heading.length));
  const isNumeric = headings.map((_, i) => rows.length > 0 && rows.every((row) => row[i] === undefined || typeof row[i] === "number"));
  const line = (cells: readonly Cell[]): string =>
    widths
      .map((width, i) => (isNumeric[i] === true ? text(cells[i]).padStart(width) : text(cells[i]).padEnd(width)))
      .join("  ")
      .trimEnd();
  return [line(headings), widths.map((width) => "─".repeat(width)).join("  "), ...rows.map(line)].join("\n") + "\n";
}
