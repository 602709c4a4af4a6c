/** What a report of any kind is made of, and how a terminal shows it; pages print the same. */
import * as format from "./format.ts";

export interface Section {
  /** Unique, for links. */
  readonly id: string;
  readonly heading: string;
  /** Not empty. */
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "list"; /** May be empty. */ readonly intro: string; readonly items: readonly string[] }
  /** What the reader must know before the rest. */
  | { readonly kind: "verdict"; readonly isAlarm: boolean; readonly blocks: readonly Block[] }
  /** For readers who ask for it; not in a terminal. */
  | { readonly kind: "details"; readonly summary: string; readonly items: readonly string[] }
  | Table;

export interface Table {
  readonly kind: "table";
  readonly caption: string;
  readonly headings: readonly string[];
  /** The first cell heads its row. */
  readonly rows: readonly (readonly string[])[];
  /** Indices of the columns that hold numbers. */
  readonly numeric: readonly number[];
  /** Where the last column is a verdict: whether it is decided, parallel to `rows`. */
  readonly decided?: readonly boolean[];
}

export const paragraph = (text: string): Block => ({ kind: "paragraph", text });

/** Nothing for an empty list. */
export const list = (items: readonly string[], intro = ""): Block[] => (items.length === 0 ? [] : [{ kind: "list", intro, items }]);

/** For a terminal; ends with a line feed. */
export function formatSections(sections: readonly Pick<Section, "heading" | "blocks">[]): string {
  return `${sections.map(({ heading, blocks }) => [heading, ...blocks.flatMap(formatBlock)].join("\n\n")).join("\n\n")}\n`;
}

/** Parts that blank lines set apart. */
export function formatBlock(block: Block): string[] {
  if (block.kind === "paragraph") return [block.text];
  if (block.kind === "list") return [[block.intro, ...block.items.map((item) => `- ${item}`)].join("\n").trimStart()];
  if (block.kind === "details") return [];
  if (block.kind === "table") return [`${block.caption}\n\n${format.formatTable(block.headings, block.rows).trimEnd()}`];
  return [block.blocks.flatMap(formatBlock).join("\n")];
}
