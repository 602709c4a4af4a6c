/** The figures of `npm run model` in model/RESULTS.md, between markers. */
import { readFileSync, writeFileSync } from "node:fs";
import { type Cell, formatTable } from "../../../report/format.ts";
import { UserError } from "../../../web.ts";
import { COMPARED, comparisonRows } from "../assess.ts";
import type { Figures } from "../pipeline.ts";

const START = "<!-- figures: written by `npm run model`, do not edit -->";
const END = "<!-- end of figures -->";

/** A table as a code block of Markdown. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `\`\`\`\n${formatTable(headings, rows)}\`\`\``;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000)} kB`;

/** The Markdown between the markers. */
function describeFigures(figures: Figures): string {
  const { assessment, encoder, teacher, student, agreement, sizes } = figures;
  const worst = figures.parity.reduce((most, { error }) => Math.max(most, error), 0);
  return [
    `Model \`${figures.version}\`, on ${assessment.searches} held-out **simulated** searches (neither shopper nor query occurs in training; ` +
      `${assessment.nothingRelevant} searches with nothing relevant are left out of nDCG). Interval: 95 %, paired bootstrap by search.`,
    table(COMPARED, comparisonRows(assessment)),
    `Mean weight of the picture: ${assessment.imageWeight.readers.toFixed(3)} for simulated shoppers who go by words, ` +
      `${assessment.imageWeight.lookers.toFixed(3)} for those who go by looks.`,
    ...(encoder === undefined ? ["Image encoder: as it was committed before."] : describeEncoder(encoder)),
    `Sizes: student ${student.parameters} parameters, of which ${student.tokenTable} in its two token tables (${kilobytes(sizes.student)}); ` +
      `image encoder ${kilobytes(sizes.imageEncoder)}; teacher ${teacher.parameters} parameters, trained on ${teacher.lists} lists.`,
    `Student and teacher order ${percent(agreement.pairs)} of pairs alike on validation lists and share ${percent(agreement.top10)} of their top ten.`,
    `Examination that the teacher learned, positions 1 to 10, relative to the first: ${teacher.examination.join(", ")}.`,
    `Golden cases in onnxruntime-web (wasm): largest difference to PyTorch ${worst.toExponential(1)}.`,
    table(
      ["stage", "seconds"],
      figures.times.map(({ stage, seconds }) => [stage, Math.round(seconds)]),
    ),
  ].join("\n\n");
}

function describeEncoder({ accuracy, pictures, heldOut }: NonNullable<Figures["encoder"]>): string[] {
  const labels = Object.keys(accuracy).filter((name) => !name.endsWith("_majority"));
  const named = labels.map((name) => [name, percent(accuracy[name] ?? 0), percent(accuracy[`${name}_majority`] ?? 0)]);
  return [
    `Image encoder: trained on ${pictures} drawn pictures; share of ${heldOut} held-out ones named rightly, beside the most frequent word's share:`,
    table(["label", "right", "most frequent"], named),
  ];
}

/** The card at `path` with `text` between two markers; throws a UserError when they are missing. */
export function replaceSection(path: string, start: string, end: string, text: string): string {
  const card = readFileSync(path, "utf8");
  const [from, to] = [card.indexOf(start), card.indexOf(end)];
  if (from < 0 || to < from) throw new UserError(`${path} lacks the lines "${start}" and "${end}": put them where the figures go`);
  return `${card.slice(0, from + start.length)}\n\n${text}\n\n${card.slice(to)}`;
}

/** Replaces the figures of `npm run model`; the benchmark's section stays as it is. */
export function writeCard(path: string, figures: Figures): void {
  writeFileSync(path, replaceSection(path, START, END, describeFigures(figures)));
}
