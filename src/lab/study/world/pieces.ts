/** Which pieces of the model have earned their place: a part of the truth that is worth something and can be read, and a gain over seeds and queries. */
import { holm } from "../../../report/statistics/compare.ts";
import type { Level, Row } from "../compare/benchmark-file.ts";
import { ALL, isAblation, PURCHASES, TEACHER } from "../compare/names.ts";

export type Verdict = "yes" | "no" | "cannot tell";

interface Piece {
  readonly piece: string;
  /** The study's teacher without it, or of a piece that is off the teacher with it. */
  readonly variant: string | undefined;
  /** The parts of the truth that it answers to. */
  readonly parts: readonly string[];
}

const OF_THE_LIST = ["price", "contrast", "context"];
const PIECES: readonly Piece[] = [
  { piece: "CAFU", variant: "teacher-no-cafu", parts: ["leaning", "modality"] },
  { piece: "surroundings", variant: "teacher-no-surroundings", parts: OF_THE_LIST },
  { piece: "MPSA (off)", variant: "teacher-with-mpsa", parts: OF_THE_LIST },
  { piece: "auxiliary task", variant: "teacher-no-auxiliary", parts: ["picture"] },
  { piece: "target attention", variant: "teacher-no-attention", parts: ["looks", "makers", "personal"] },
  { piece: "neighbours at serving", variant: undefined, parts: ["sameness"] },
];

/** What the teacher gains by a piece: rows say the teacher less its variant. */
function gainOf({ mean, low, high }: Pick<Row, "mean" | "low" | "high">, variant: string) {
  if (!variant.includes("-with-")) return { mean, low, high };
  return { mean: -mean, low: high === null ? null : -high, high: low === null ? null : -low };
}

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
  return PIECES.flatMap(({ piece, variant, parts: names }) => {
    const own = parts.filter(({ name }) => names.includes(name));
    if (own.length === 0) return [];
    const row = compared.find(({ against }) => against === variant);
    const gain = row && gainOf(row, variant ?? "");
    const p = row && corrected[tested.indexOf(row)];
    const can = own.some(({ earns }) => earns === "yes") ? "yes" : own.every(({ earns }) => earns === "no") ? "no" : "cannot tell";
    const gains = typeof gain?.low === "number" && gain.low > 0 && p !== undefined && p < LEVEL_OF_TEST;
    const place: Verdict = can === "no" ? "no" : can === "yes" && gains ? "yes" : "cannot tell";
    return [{ piece, parts: own.map(({ name }) => name), can, gain, p, place }];
  });
}
