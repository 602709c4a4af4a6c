/** Which pieces of the model have earned their place: a part of the truth that is worth something and can be read, and a gain over seeds and queries. */
import { holm } from "../../../report/statistics/compare.ts";
import type { Level, Row } from "../compare/benchmark-file.ts";
import { ALL, isAblation, PURCHASES, TEACHER } from "../compare/names.ts";

export type Verdict = "yes" | "no" | "cannot tell";

/** A piece, the teacher without it in the study, and the parts of the truth that it answers to. */
const PIECES: readonly { readonly piece: string; readonly without: string | undefined; readonly parts: readonly string[] }[] = [
  { piece: "CAFU", without: "teacher-no-cafu", parts: ["leaning", "modality"] },
  { piece: "MPSA", without: "teacher-no-mpsa", parts: ["price", "contrast", "context"] },
  { piece: "auxiliary task", without: "teacher-no-auxiliary", parts: ["picture"] },
  { piece: "target attention", without: "teacher-no-attention", parts: ["looks", "makers", "personal"] },
  { piece: "neighbours at serving", without: undefined, parts: ["sameness"] },
];

export const pieceOf = (part: string): string | undefined => PIECES.find(({ parts }) => parts.includes(part))?.piece;

const LEVEL_OF_TEST = 0.05;

/** p is corrected for all ablations of the level (Holm). No gain and no p where the study has not compared the piece. */
export function placesOf(parts: readonly { readonly name: string; readonly earns: Verdict }[], rows: readonly Row[], level: Level) {
  const compared = rows.filter(
    (row) =>
      row.part.endsWith("ablations") &&
      row.level === level &&
      row.model === TEACHER &&
      row.metric === PURCHASES &&
      row.split === ALL &&
      isAblation(row.against ?? ""),
  );
  const tested = compared.filter(({ p }) => typeof p === "number");
  const corrected = holm(tested.map(({ p }) => p ?? 1));
  return PIECES.flatMap(({ piece, without, parts: names }) => {
    const own = parts.filter(({ name }) => names.includes(name));
    if (own.length === 0) return [];
    const row = compared.find(({ against }) => against === without);
    const p = row && corrected[tested.indexOf(row)];
    const can = own.some(({ earns }) => earns === "yes") ? "yes" : own.every(({ earns }) => earns === "no") ? "no" : "cannot tell";
    const gains = row !== undefined && row.low !== null && row.low > 0 && p !== undefined && p < LEVEL_OF_TEST;
    const place: Verdict = can === "no" ? "no" : can === "yes" && gains ? "yes" : "cannot tell";
    return [{ piece, parts: own.map(({ name }) => name), can, gain: row, p, place }];
  });
}
