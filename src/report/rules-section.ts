/** What each rule of the shop costs or brings, in words and a table. */
import * as format from "./format.ts";
import type { ExploredPrice, RulePrice } from "./rule-price.ts";
import type { RulesReport } from "./rules.ts";

interface Said {
  readonly alpha: number;
  readonly lift: number;
  readonly currency: string | null;
}

const PRICES: Readonly<Record<RulePrice["price"], string>> = {
  costs: "COSTS",
  brings: "BRINGS",
  none: "no change",
  open: "we cannot tell",
};

const MISMATCH = "the sides do not have the sizes that the share promises";

export function rulesBlocks(rules: RulesReport, said: Said) {
  if (rules.length === 0) return [];
  const { alpha, lift } = said;
  const priced = rules.filter(({ share }) => share !== null);
  const explored = rules.flatMap(({ rule, explored: found }) => (found === null ? [] : [{ rule, ...found }]));
  const swapped = explored.filter(({ metrics }) => metrics.length > 0);
  const impossible = explored.filter(({ metrics }) => metrics.length === 0);
  const unpriced = rules.filter(({ share, explored: found }) => share === null && (found === null || found.metrics.length === 0));
  return [
    ...(priced.length === 0 ? [] : [priceTable(priced, said)]),
    ...(swapped.length === 0 ? [] : [exploredTable(swapped, said)]),
    {
      kind: "list" as const,
      intro: "",
      items: [
        ...(priced.length === 0
          ? []
          : [
              `Only shoppers with a search that the rule fits are counted, each on the side that chance gave them, whatever the rule found to do (intention to treat). ` +
                `Differences are per 1,000 such shoppers, with ${format.level(alpha)} intervals for one look; what is said goes by confidence sequences for any number of looks, at an error of ${format.share(alpha)} for all rules of a metric together.`,
              `"${PRICES.none}": a change of ${format.chance(lift)} is ruled out. "${PRICES.open}": too few shoppers so far; "needs" is about how many must have had such a search, both sides together, before a change of ${format.chance(lift)} can be told.`,
            ]),
        ...priced.flatMap((rule) => notesOn(rule)),
        ...(swapped.length === 0 ? [] : [sizeNote(swapped, lift)]),
        ...(impossible.length === 0
          ? []
          : [
              `explore swaps neighbours only, and no hit that a rule holds to a position, so the orders without these rules were never possible: ${impossible
                .map(
                  ({ rule, searches, possible }) =>
                    `${rule} (${format.chance(possible)} of the places that it changes, ${format.wholeNumber(searches)} searches)`,
                )
                .join(", ")}. These rules can be priced by a share of the traffic only.`,
            ]),
        ...(unpriced.length === 0
          ? []
          : [
              `These rules act for all shoppers and have no price, as nobody is without them: ${unpriced.map(({ rule, acted }) => `${rule} (${format.wholeNumber(acted)} searches changed)`).join(", ")}. ` +
                `Give a rule a share of the traffic ("share": { "to": 0.9 }) and the others tell.`,
            ]),
      ],
    },
  ];
}

function priceTable(priced: RulesReport, { currency }: Said) {
  const rows = priced.flatMap((row) => row.metrics.map((metric, i) => ({ row, metric, later: row.later[i] })));
  return {
    kind: "table" as const,
    caption: "What each rule costs or brings, against shoppers from whom it is held back",
    headings: [
      "Rule",
      "Acts for",
      "Shoppers",
      "Per 1,000 shoppers",
      "Without",
      "In its searches",
      "In all their later searches",
      "So far",
      "Needs",
      "We say",
    ],
    rows: rows.map(({ row, metric, later }) => {
      const unit = { kind: metric.kind, currency: metric.kind === "money" ? currency : null };
      const value = (of: number | null): string => format.metricValue(of === null ? null : of * 1000, unit);
      return [
        row.rule,
        row.share === null ? "" : `${format.plain(row.share.from)} to ${format.plain(row.share.to)}`,
        row.shoppers === null ? "" : `${format.wholeNumber(row.shoppers.acted)} and ${format.wholeNumber(row.shoppers.held)}`,
        metric.title,
        value(metric.held),
        difference(metric, unit),
        later === undefined ? format.NONE : difference(later, unit),
        metric.total === null ? format.NONE : signed(metric.total, unit),
        metric.needed === null ? format.NONE : format.wholeNumber(metric.needed),
        PRICES[metric.price],
      ];
    }),
    numeric: [2, 4, 5, 6, 7, 8],
    decided: rows.map(({ metric: { price } }) => price === "costs" || price === "brings"),
  };
}

/** Whether "we cannot tell" is a matter of size, and of which: a rule that moves hits by one place changes little, and few pairs are swapped. */
function sizeNote(swapped: readonly Swapped[], lift: number): string {
  const clicks = swapped.flatMap(({ rule, searches, metrics: [first] }) =>
    first?.price === "open" && first.needed !== null && first.needed > searches ? [{ rule, searches, needed: first.needed }] : [],
  );
  const sizes = clicks.map(
    ({ rule, searches, needed }) => `${rule} has ${format.wholeNumber(searches)} of about ${format.wholeNumber(needed)}`,
  );
  return (
    `By swaps, "${PRICES.open}" is a matter of size: "needs" is about how many explored searches the rule must have changed before a change of ${format.chance(lift)} can be told, ` +
    `at any number of looks${sizes.length === 0 ? "" : ` (by clicks: ${sizes.join(", ")})`}. Where that is out of reach, a share of the traffic tells sooner.`
  );
}

interface Swapped extends ExploredPrice {
  readonly rule: string;
}

function exploredTable(rules: readonly Swapped[], { alpha, currency }: Said) {
  const rows = rules.flatMap(({ rule, searches, metrics }) => metrics.map((metric) => ({ rule, searches, metric })));
  return {
    kind: "table" as const,
    caption: `By the pairs that explore swaps, per 1,000 searches that the rule changes, with ${format.level(alpha)} intervals for one look`,
    headings: ["Rule", "Explored searches", "Per 1,000 searches", "With it", "The rule brings", "Needs", "We say"],
    rows: rows.map(({ rule, searches, metric: { title, kind, perSearch, difference: found, needed, price } }) => {
      const unit = { kind, currency: kind === "money" ? currency : null };
      const [value, low, high] = found === null ? [] : [found.value, found.low, found.high].map((of) => signed(of * 1000, unit));
      return [
        rule,
        format.wholeNumber(searches),
        title,
        format.metricValue(perSearch * 1000, unit),
        value === undefined ? format.NONE : `${value} (${low} to ${high})`,
        needed === null ? format.NONE : format.wholeNumber(needed),
        PRICES[price],
      ];
    }),
    numeric: [1, 3, 4, 5],
    decided: rows.map(({ metric: { price } }) => price === "costs" || price === "brings"),
  };
}

type Unit = Parameters<typeof format.metricValue>[1];

function signed(value: number, unit: Unit): string {
  const text = format.metricValue(Math.abs(value), unit);
  return value > 0 ? `+${text}` : value < 0 ? `−${text}` : text;
}

function difference({ difference: found }: RulePrice, unit: Unit): string {
  if (found === null) return format.NONE;
  const [value, low, high] = [found.value, found.fixed.low, found.fixed.high].map((of) => signed(of * 1000, unit));
  return `${value} (${low} to ${high})`;
}

function notesOn({ rule, instead, crossed, sampleRatio, searchesWithoutShopper, metrics }: RulesReport[number]): string[] {
  const why = metrics.find(({ price }) => price === "open")?.why;
  return [
    ...(instead.length === 0
      ? []
      : [`${rule}: shoppers from whom it is held back have ${instead.join(", ")} in its place (one seed), so it is priced against that.`]),
    ...(sampleRatio?.isMismatch === true ? [`${rule}: ${MISMATCH} (p ${sampleRatio.p.toPrecision(2)}), so nothing is said of it.`] : []),
    ...(crossed === 0 ? [] : [`${rule}: ${format.wholeNumber(crossed)} shoppers were seen on both sides and are left out.`]),
    ...(searchesWithoutShopper === 0
      ? []
      : [`${rule}: ${format.wholeNumber(searchesWithoutShopper)} searches name no shopper and are left out.`]),
    ...(why === "too_few_events" || why === "no_events"
      ? [`${rule}: too few shoppers have done anything yet for an interval of each metric.`]
      : []),
  ];
}
