/** Pieces of the page. All text that comes from a log or a configuration goes through `escape`. */

export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

export interface TableOptions {
  readonly caption: string;
  readonly headings: readonly string[];
  /** Plain text; the first cell heads its row. */
  readonly rows: readonly (readonly string[])[];
  /** Places of columns that hold numbers. */
  readonly numeric?: readonly number[];
  /** Class of a row. */
  readonly classOf?: (row: number) => string;
}

/** Scrolls by itself where it is wider than the page, by keyboard too. */
export function table({ caption, headings, rows, numeric = [], classOf }: TableOptions): string {
  const kind = (column: number): string => (numeric.includes(column) ? ' class="number"' : "");
  const head = headings.map((heading, i) => `<th scope="col"${kind(i)}>${escape(heading)}</th>`).join("");
  const body = rows.map((row, r) => {
    const cells = row.map((cell, i) => (i === 0 ? `<th scope="row">${escape(cell)}</th>` : `<td${kind(i)}>${escape(cell)}</td>`)).join("");
    const name = classOf?.(r) ?? "";
    return `<tr${name === "" ? "" : ` class="${name}"`}>${cells}</tr>`;
  });
  return (
    `<div class="scroll" role="region" aria-label="${escape(caption)}" tabindex="0"><table><caption>${escape(caption)}</caption>` +
    `<thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>`
  );
}

export function list(items: readonly string[]): string {
  return items.length === 0 ? "" : `<ul>${items.map((item) => `<li>${escape(item)}</li>`).join("")}</ul>`;
}

export function paragraph(text: string, name = ""): string {
  return `<p${name === "" ? "" : ` class="${name}"`}>${escape(text)}</p>`;
}

/** `content` is HTML. */
export function section(id: string, heading: string, content: string): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escape(heading)}</h2>${content}</section>`;
}
