/** The evaluation in words and tables, in the order in which it should be read: for the terminal and for the page. */
import * as format from "../../report/format.ts";
import type { Block, Section, Table } from "../../report/blocks.ts";
import { METRICS, SHARE_JUDGED, type Difference, type Metric, type SideBySide } from "./compare.ts";
import { isUnfit } from "./fit.ts";
import { ENGINE, SEMANTIC } from "./orders.ts";
import type { Evaluation } from "./report.ts";
import { FEWEST_ACTIVE } from "../../report/statistics/compare.ts";

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
      blocks: [...reading(evaluation), differences(evaluation)],
    },
    { id: "worst", heading: "Queries that lose most", blocks: worst.map((query) => sideBySide(query, evaluation, titleOf)) },
    {
      id: "read",
      heading: "What was read",
      blocks: [{ kind: "list", intro: "", items: [...counted(evaluation), ...fitLines(evaluation), ...notes] } as const],
    },
  ].filter(({ blocks }) => blocks.length > 0);
}

/** The first line of every output. */
export function headline({ catalog, queries, lists }: Evaluation): string {
  const engines = lists.length === 0 ? "judged products by BM25" : lists.join(", ");
  return `${catalog}: ${queries} judged queries, ${engines}`;
}

function answer(evaluation: Evaluation): Block {
  const { differences: all, overall, queries } = evaluation;
  const decisive = decisiveOf(evaluation, overall?.differences ?? all);
  const sentences = decisive.map((difference) => `${where(difference)}${sentence(difference, queries)}`);
  if (overall !== undefined) sentences.push(...DECIDING.map((metric) => tally(decisiveOf(evaluation, all), metric, queries)));
  const isHarm = decisive.some((difference) => verdictOf(difference, queries) === "worse");
  const isUnfitting = evaluation.fit !== undefined && isUnfit(evaluation.fit);
  if (isUnfitting) sentences.push("The query table does not fit the vectors (what was read, below): embed the catalogue again.");
  return { kind: "verdict", isAlarm: isHarm || isUnfitting, blocks: sentences.map((text) => ({ kind: "paragraph", text })) };
}

/** What would be served against what is served, in what decides. */
export function decisiveOf<T extends Difference>({ served }: Evaluation, all: readonly T[]): readonly T[] {
  return all.filter(({ of, against, metric }) => of === served && against === ENGINE && DECIDING.includes(metric));
}

const where = ({ lists }: { readonly lists?: string | undefined }): string => (lists === undefined ? "" : `${lists}: `);

const VERDICTS = {
  better: "better",
  worse: "WORSE",
  open: "we cannot tell whether it is better",
  same: "the same order as far as these queries show",
  few: `too few queries to tell: judge at least ${FEWEST_ACTIVE}`,
} as const;

export function verdictOf({ low, high, better, worse }: Difference, queries: number): keyof typeof VERDICTS {
  if (better + worse === 0) return "same";
  // Of a handful of queries a bootstrap knows too little: of one, the interval is a point.
  if (queries < FEWEST_ACTIVE) return "few";
  return low > 0 ? "better" : high < 0 ? "worse" : "open";
}

function sentence(difference: Difference, queries: number): string {
  const { of, against, metric, better, worse } = difference;
  const verdict = VERDICTS[verdictOf(difference, queries)];
  return `${of} against ${against}, ${metric}: ${interval(difference)}; ${better} queries better, ${worse} worse: ${verdict}.`;
}

/** "nDCG@10: better on 3 of 4 lists, worse on 0." */
function tally(all: readonly Difference[], metric: Metric, queries: number): string {
  const verdicts = all.filter((difference) => difference.metric === metric).map((difference) => verdictOf(difference, queries));
  const count = (wanted: string): number => verdicts.filter((verdict) => verdict === wanted).length;
  return `${metric}: better on ${count("better")} of ${verdicts.length} lists, worse on ${count("worse")}, the interval leaves 0 out on those.`;
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
  const isOther = ({ of, against }: Difference): boolean =>
    all.some((difference) => difference.of === of && difference.against === against && difference.better + difference.worse > 0);
  // An order that is the one without a model says nothing new.
  const twins = new Set(all.filter((difference) => difference.against === SEMANTIC && !isOther(difference)).map(({ of }) => of));
  const hasLists = single.some(({ lists }) => lists !== undefined);
  return {
    kind: "table",
    caption: "Differences, paired by query",
    headings: [...(hasLists ? ["Lists"] : []), "Order", "Against", "Metric", "Difference (95 %)", "Better", "Worse"],
    rows: all
      .filter(({ of }) => !twins.has(of))
      .map((difference) => [
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

/** 0 is the first place, one half is chance. */
function fitLines({ fit }: Evaluation): string[] {
  const parts = [
    ["text vector", fit?.text],
    ["picture", fit?.picture],
  ] as const;
  return parts.flatMap(([part, share]) =>
    share === undefined
      ? []
      : [`Given its own title, a product stands behind ${format.share(share)} of others by its ${part} (50 % is chance)`],
  );
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
    `Vectors: set ${set.version}, text encoder ${set.textEncoder}, image encoder ${set.imageEncoder}`,
    ...lines.flatMap(([count, text]) => (count === 0 ? [] : [`${count} ${text}`])),
  ];
}
