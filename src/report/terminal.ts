/** The report as text for a terminal. */
import type { ReportData } from "./analyse.ts";
import { type Block, headline, sectionsOf } from "./sections.ts";
import { formatTable } from "./format.ts";

/** Ends with a line feed. */
export function formatReport(report: ReportData): string {
  const sections = sectionsOf(report).map(({ heading, blocks }) => [heading, ...blocks.flatMap(formatBlock)].join("\n\n"));
  return `${[headline(report), ...sections].join("\n\n")}\n`;
}

/** Parts that blank lines set apart. */
function formatBlock(block: Block): string[] {
  if (block.kind === "paragraph") return [block.text];
  if (block.kind === "list") return [[block.intro, ...block.items.map((item) => `- ${item}`)].join("\n").trimStart()];
  if (block.kind === "details") return [];
  if (block.kind === "table") return [`${block.caption}\n\n${formatTable(block.headings, block.rows).trimEnd()}`];
  return [block.blocks.flatMap(formatBlock).join("\n")];
}
