/** The judgment in words and tables, in the order in which it should be read: for the terminal and for the page. */
import * as format from "../../report/format.ts";
import type { Block, Section } from "../../report/blocks.ts";
import { interval } from "../evaluate/sections.ts";
import { type Comparison, type Evidence, FIGURES, type Figure, MODEL } from "./evidence.ts";
import type { GateReport, Verdict } from "./run.ts";
import { FEWEST, type Judgment, type Outcome } from "./verdict.ts";

const VERDICTS: Readonly<Record<Verdict, string>> = {
  passes: "passes",
  refused: "is REFUSED",
  cannot_tell: "does not pass: we cannot tell",
};

export const OUTCOMES: Readonly<Record<Outcome, string>> = {
  better: "better",
  not_worse: "not worse",
  cannot_tell: "we cannot tell",
  worse: "WORSE",
};

/** The first line of every output. */
export function headline({ model, verdict, refused }: GateReport): string {
  return `Model ${model.version} ${VERDICTS[verdict]}${refused.length > 0 ? `: ${refused.join(", ")}` : ""}`;
}

export function sectionsOf(report: GateReport): readonly Section[] {
  return [
    { id: "answer", heading: "Answer", blocks: [answer(report)] },
    { id: "checks", heading: "Checks", blocks: [checks(report)] },
    { id: "evidence", heading: "What shoppers would have done", blocks: evidenceBlocks(report) },
    { id: "log", heading: "What the log can say", blocks: logBlocks(report) },
    { id: "read", heading: "What was read", blocks: [{ kind: "list", intro: "", items: report.notes } as const] },
  ].filter(({ blocks }) => blocks.length > 0);
}

function answer(report: GateReport): Block {
  const { judgments, missing, checks: all, verdict, margin } = report;
  const lines = [
    `${headline(report)}.`,
    ...all.filter(({ state }) => state === "refused").map(({ name, detail }) => `${name}: ${detail}.`),
    ...judgments.map((judgment) => sentence(judgment, report)),
    ...(missing.length > 0 ? [`The log is too small, whatever the intervals say: ${missing.join("; ")}.`] : []),
    ...(verdict === "cannot_tell" ? [advice(report)] : []),
    ...(verdict === "passes"
      ? [
          `Passing means: not worse by more than ${format.share(margin)} of the clicks, as far as the log can tell. Let it prove itself interleaved, with little trust first.`,
        ]
      : []),
  ];
  return { kind: "verdict", isAlarm: verdict === "refused", blocks: lines.map((text) => ({ kind: "paragraph", text })) };
}

function advice({ judgments, evidence }: GateReport): string {
  const wide = judgments.find(({ outcome }) => outcome === "cannot_tell");
  const found = evidence?.comparisons.find(({ against, figure }) => against === wide?.against && figure === "clicks");
  if (evidence === null || wide === undefined || found === undefined)
    return "Collect more of what is missing, make the lists again, and ask again.";
  // The half width shrinks with the square root of the log.
  const factor = (found.mean - found.low) / Math.max(1e-9, found.mean + wide.allowed);
  const more =
    factor > 1 && factor < 10
      ? `, about ${format.wholeNumber(Math.ceil(evidence.lists * factor ** 2))} lists of held-out shoppers in all if it is as good as it seems`
      : "";
  return `Nothing says that it is worse, and nothing that it is not: a longer log can tell${more}.${fewByChance(evidence)}`;
}

/** Where that is why: clicks of a list in which nothing was left to chance say little. */
function fewByChance({ lists, randomised }: Pick<Evidence, "lists" | "randomised">): string {
  return randomised < lists / 2
    ? ` Chance had a part in ${format.wholeNumber(randomised)} of its ${format.wholeNumber(lists)} lists only: explore(…), or arms whose orders are known, on more shoppers say more.`
    : "";
}

function sentence({ against, outcome, lost, allowed }: Judgment, report: GateReport): string {
  const clicks = comparison(report, against, "clicks");
  const figure = clicks === undefined ? "" : `: clicks per search ${interval(clicks)} of ${clicks.base.toFixed(3)}`;
  const why =
    outcome === "worse" ? ` (${lost.join(", ")})` : outcome === "not_worse" ? ` (less than ${allowed.toFixed(4)} may be lost)` : "";
  return `Against ${against}${figure}: ${OUTCOMES[outcome]}${why}.`;
}

export function comparison({ evidence }: Pick<GateReport, "evidence">, against: string, figure: Figure): Comparison | undefined {
  return evidence?.comparisons.find((each) => each.against === against && each.figure === figure);
}

function checks({ checks: all }: GateReport): Block {
  return {
    kind: "table",
    caption: "Whatever shoppers do",
    headings: ["Check", "", "Detail"],
    rows: all.map(({ name, state, detail }) => [name, state === "refused" ? "REFUSED" : state, detail]),
    numeric: [],
  };
}

function evidenceBlocks({ evidence }: GateReport): Block[] {
  if (evidence === null) return [];
  const names = evidence.orders.map(({ name }) => name);
  return [
    {
      kind: "paragraph",
      text:
        "Per search, over the first ten places, by the clicks of shoppers whom no part of the training has seen. clicks and purchases: every click is carried to the place " +
        "that the order gives its item (doubly robust, by how much each place is looked at). clicks DR: the same, and at places where chance could have put the item, by that chance alone. " +
        "IPS and SNIPS: by chance alone, silent where the edge could not have shown the order's item, so read them with the share that is supported. nDCG and MRR: clicked lists, the weakest.",
    },
    {
      kind: "table",
      caption: "Orders",
      headings: ["Order", ...FIGURES, "Clicks' worth", "Lists' worth", "Supported", "Never shown"],
      rows: evidence.orders.map(({ name, figures, effectiveClicks, effectiveLists, supported, unseen }) => [
        name,
        ...FIGURES.map((figure) => (figures[figure] ?? 0).toFixed(4)),
        format.wholeNumber(effectiveClicks),
        format.wholeNumber(effectiveLists),
        format.share(supported),
        format.share(unseen),
      ]),
      numeric: [...FIGURES, "", "", "", ""].map((_, i) => i + 1),
    },
    {
      kind: "table",
      caption: "The model minus each other order, 95 % by shopper",
      headings: ["Against", "Figure", "Difference"],
      rows: names
        .filter((name) => name !== MODEL)
        .flatMap((against) =>
          evidence.comparisons.filter((each) => each.against === against).map((each) => [against, each.figure, interval(each)]),
        ),
      numeric: [2],
    },
  ];
}

function logBlocks({ evidence, margin }: GateReport): Block[] {
  if (evidence === null) return [];
  const { lists, clicked, randomised, shoppers, withoutShopper, clicks, purchases, curve, orders } = evidence;
  const cut = Math.max(...orders.map((order) => order.cut));
  const cutMatches = Math.max(...orders.map((order) => order.cutMatches));
  const looks = curve.looks
    .slice(0, 10)
    .map((look, i) => `${look.toFixed(2)} ± ${(1.96 * look * Math.sqrt(curve.covariance[i]?.[i] ?? 0)).toFixed(2)}`);
  return [
    {
      kind: "list",
      intro: "",
      items: [
        `${format.wholeNumber(lists)} lists of held-out shoppers, ${format.wholeNumber(clicked)} with a click (at least ${FEWEST.clickedLists}), ${format.wholeNumber(randomised)} with places left to chance`,
        `${format.wholeNumber(shoppers)} known shoppers, ${format.wholeNumber(withoutShopper)} searches of unknown ones, which count as one shopper each (at least ${FEWEST.shoppers} together)`,
        `${format.wholeNumber(clicks)} clicks, ${format.wholeNumber(purchases)} purchases`,
        `How much places 1 to 10 are looked at, relative to the first: ${looks.join(", ")} (by ${format.wholeNumber(curve.clicks)} clicks of the training split on items that chance had placed, at least ${FEWEST.curveClicks})`,
        `Weights are cut at 20: this can hide ${cut.toFixed(4)} clicks per search at most, and touches ${format.share(cutMatches)} of the places that count for IPS`,
        `A model passes if no lower bound of clicks lies more than ${format.share(margin)} of the other order's clicks below 0, and is refused if an upper bound of clicks, purchases or clicks DR lies below 0`,
      ],
    },
  ];
}
