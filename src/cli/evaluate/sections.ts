/** The evaluation in words and tables, in the order in which it should be read: for the terminal and for the page. */
import * as format from "../../report/format.ts";
import type { Block, Section, Table } from "../../report/sections.ts";
import { METRICS, SHARE_JUDGED, type Difference, type Metric, type SideBySide } from "./compare.ts";
import type { Evaluation } from "./report.ts";

/** What decides: all that nobody judged counts as irrelevant, or is left out. */
export const DECIDING: readonly Metric[] = [METRICS[0], METRICS[1]];

/** Of the side-by-side lists. */
const ROWS = 10;

export function sectionsOf(evaluation: Evaluation, titleOf: (id: string) => string): readonly Section[] {
  const { notes, worst } = evaluation;
  return [
    { id: "answer", heading: "Answer", blocks: [answer(evaluation)] },
    { id: "orders", heading: "Orders", blocks: [orders(evaluation)] },
    {
      id: "differences",
      heading: "Differences",
      blocks: evaluation.differences.length === 0 ? [] : [...reading(evaluation), differences(evaluation)],
    },
    { id: "worst", heading: "Queries that lose most", blocks: worst.map((query) => sideBySide(query, evaluation, titleOf)) },
    { id: "read", heading: "What was read", blocks: [{ kind: "list", intro: "", items: [...counted(evaluation), ...notes] } as const] },
  ].filter(({ blocks }) => blocks.length > 0);
}

/** The first line of every output. */
export function headline({ catalog, queries, lists }: Evaluation): string {
  const engines = lists.length === 0 ? "judged products by BM25" : lists.join(", ");
  return `${catalog}: ${queries} judged queries, ${engines}`;
}

function answer(evaluation: Evaluation): Block {
  const { differences: all, overall, served } = evaluation;
  const decisive = [...(overall?.differences ?? all)].filter(
    ({ of, against, metric }) => of === served && against === "engine" && DECIDING.includes(metric),
  );
  const sentences = decisive.map((difference) => `${where(difference)}${sentence(difference)}`);
  const isHarm = decisive.some(({ high }) => high < 0);
  if (sentences.length === 0)
    return {
      kind: "verdict",
      isAlarm: false,
      blocks: [{ kind: "paragraph", text: "Only the engine's order was measured: see what was read, below." }],
    };
  return { kind: "verdict", isAlarm: isHarm, blocks: sentences.map((text) => ({ kind: "paragraph", text })) };
}

const where = ({ lists }: { readonly lists?: string | undefined }): string => (lists === undefined ? "" : `${lists}: `);

const VERDICTS = { better: "better", worse: "WORSE", open: "we cannot tell whether it is better" } as const;

function verdictOf({ low, high }: Difference): keyof typeof VERDICTS {
  return low > 0 ? "better" : high < 0 ? "worse" : "open";
}

function sentence(difference: Difference): string {
  const { of, against, metric, better, worse } = difference;
  return `${of} against ${against}, ${metric}: ${interval(difference)}; ${better} queries better, ${worse} worse: ${VERDICTS[verdictOf(difference)]}.`;
}

function reading({ queries }: Evaluation): Block[] {
  const text =
    `Paired by query, with 95 % bootstrap intervals over ${queries} queries. "judged": products that nobody judged are taken out of the list first; ` +
    "without it they count as irrelevant, which is hard on whatever is new. An interval that holds 0 says that these queries cannot tell.";
  return [{ kind: "paragraph", text }];
}

function orders({ orders: all, queries }: Evaluation): Table {
  const hasLists = all.some(({ lists }) => lists !== undefined);
  return {
    kind: "table",
    caption: `Means over ${queries} queries`,
    headings: [...(hasLists ? ["Lists"] : []), "Order", ...METRICS, "Judged of the first 10"],
    rows: all.map(({ lists, ...order }) => [
      ...(hasLists ? [lists ?? ""] : []),
      order.name,
      ...METRICS.map((metric) => order[metric].toFixed(4)),
      format.share(order[SHARE_JUDGED]),
    ]),
    numeric: [...METRICS, SHARE_JUDGED].map((_, i) => i + (hasLists ? 2 : 1)),
  };
}

function differences({ differences: single, overall }: Evaluation): Table {
  const all = [...single, ...(overall?.differences ?? [])];
  const hasLists = single.some(({ lists }) => lists !== undefined);
  return {
    kind: "table",
    caption: "Differences, paired by query",
    headings: [...(hasLists ? ["Lists"] : []), "Order", "Against", "Metric", "Difference (95 %)", "Better", "Worse"],
    rows: all.map((difference) => [
      ...(hasLists ? [difference.lists ?? ""] : []),
      difference.of,
      difference.against,
      difference.metric,
      interval(difference),
      String(difference.better),
      String(difference.worse),
    ]),
    numeric: [3, 4, 5].map((i) => i + (hasLists ? 1 : 0)),
  };
}

/** +0.0441 (+0.0225 to +0.0701) */
export function interval({ mean, low, high }: Pick<Difference, "mean" | "low" | "high">): string {
  return `${signed(mean)} (${signed(low)} to ${signed(high)})`;
}

function signed(value: number): string {
  const text = value.toFixed(4);
  return Number(text) === 0 ? "0.0000" : text.replace(/^(-?)/, (sign) => (sign === "-" ? "\u2212" : "+"));
}

function sideBySide(
  { lists, query, of, against, metric, before, after, top }: SideBySide & { readonly lists?: string | undefined },
  { judgments }: Evaluation,
  titleOf: (id: string) => string,
): Table {
  const ratings = judgments.get(query);
  const cell = (id: string | undefined): string => (id === undefined ? "" : `${ratings?.get(id) ?? "?"} · ${titleOf(id)}`);
  const [left = [], right = []] = [top[against], top[of]];
  return {
    kind: "table",
    caption: `${where({ lists })}"${query}", ${metric} ${before.toFixed(3)} → ${after.toFixed(3)} (rating · title; ? is not judged)`,
    headings: ["", against, of],
    rows: Array.from({ length: Math.min(ROWS, left.length) }, (_, i) => [String(i + 1), cell(left[i]), cell(right[i])]),
    numeric: [],
  };
}

function counted({ catalog, source, leftOut, set }: Evaluation): string[] {
  const lines: readonly (readonly [number, string])[] = [
    [leftOut.nothingRelevant, "judged queries without a relevant product: left out, no order can be right for them"],
    [leftOut.withoutList, "judged queries without a list: left out"],
    [leftOut.notJudged, "listed queries that nobody judged: left out"],
    [leftOut.unknownProducts, "judgments of products that the catalogue lacks: left out"],
    [leftOut.unknownHits, "hits that the catalogue lacks: they keep the engine's part of their score"],
  ];
  return [
    `Catalogue ${catalog} (${source})`,
    ...(set === undefined ? [] : [`Vectors: set ${set.version}, text encoder ${set.textEncoder}`]),
    ...lines.flatMap(([count, text]) => (count === 0 ? [] : [`${count} ${text}`])),
  ];
}
