/** The report in words and tables, in the order in which an experiment should be read. For a terminal; `page.ts` prints the same sections. */
import * as format from "./format.ts";
import type { InterleavingReport, MetricComparison, MetricReport, ReportData } from "./analyse.ts";
import { describeOrders } from "./order-section.ts";
import { checksSections } from "./checks-sections.ts";
import { rulesBlocks } from "./rules-section.ts";
import { USUAL_CAUSES } from "./sample-ratio.ts";
import { ALARMS } from "./summary.ts";
import { summaryFacts } from "./summary-facts.ts";
import { summarise } from "./summary-steps.ts";

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

const paragraph = (text: string): Block => ({ kind: "paragraph", text });

/** Nothing for an empty list. */
const list = (items: readonly string[], intro = ""): Block[] => (items.length === 0 ? [] : [{ kind: "list", intro, items }]);

/** Sections without content are left out; exposures are always there. */
export function sectionsOf(report: ReportData): readonly Section[] {
  const sections = [
    ...(report.alarms.length > 0 ? [{ id: "alarm", heading: "Alarm", blocks: alarm(report) }] : []),
    { id: "exposures", heading: "Exposures and sample ratio", blocks: exposures(report) },
  ];
  if (report.period === null) return sections;
  return [
    ...sections,
    { id: "metrics", heading: `Metrics, against ${report.control}`, blocks: metrics(report) },
    { id: "orders", heading: "Orders and money", blocks: orders(report) },
    { id: "bypasses", heading: "Bypassed searches", blocks: bypasses(report) },
    { id: "segments", heading: "Segments", blocks: segments(report) },
    ...checksSections(report),
    { id: "interleaving", heading: "Interleaving", blocks: interleaving(report) },
    { id: "slots", heading: "Sponsored places", blocks: slots(report) },
    {
      id: "rules",
      heading: "What each rule costs or brings",
      blocks: rulesBlocks(report.rules, { alpha: report.alpha, lift: report.timeToAnswer.lift, currency: report.money.currency }),
    },
    { id: "time", heading: "Time to an answer", blocks: timeToAnswer(report) },
  ].filter(({ blocks }) => blocks.length > 0);
}

/** Below the sentence: which experiment, when, how much. */
export function headline({ experiment, period, simulated, exposures: { searches } }: ReportData): string {
  const when =
    period === null ? "no searches yet" : `${period.from} to ${period.to} (${period.days} ${period.days === 1 ? "day" : "days"}, UTC)`;
  return `${experiment}: ${when}, ${format.wholeNumber(searches)} searches${simulated ? ", SIMULATED" : ""}`;
}

/** With "per …" where the title alone does not tell; a share is not per anything. */
export function metricName({ title, per, kind }: MetricReport): string {
  return kind === "share" ? title : `${title} per ${per}`;
}

/** What most likely is broken, arm by arm: before everything else. */
function alarm({ alarms, control, metrics: all }: ReportData): Block[] {
  const lines = [...new Set(alarms.map(({ variant }) => variant))].flatMap((variant) => {
    const namesOf = (kind: ReportData["alarms"][number]["alarm"]): string =>
      alarms
        .filter((each) => each.variant === variant && each.alarm === kind)
        .map(({ metric: id }) => all.find(({ metric }) => metric === id))
        .flatMap((metric) => (metric === undefined ? [] : [metricName(metric)]))
        .join(", ");
    const sentences = [
      [namesOf("nothing_in_arm"), `${variant} has nothing at all, where ${control} has some: `],
      [namesOf("nothing_in_control"), `${control} has nothing at all, where ${variant} has some: `],
      [namesOf("halved"), `${variant} has lost more than half, against ${control}: `],
    ] as const;
    return sentences.flatMap(([names, start]) => (names === "" ? [] : [`${start}${names}.`]));
  });
  return [
    {
      kind: "verdict",
      isAlarm: true,
      blocks: [
        paragraph("Something is broken, most likely: this is not chance, at whatever look."),
        ...list(lines),
        paragraph(
          "Switch the arm off, then look at one of its searches, at its clicks and purchases on their way to the edge, and at its bypasses.",
        ),
      ],
    },
  ];
}

function exposures({ exposures: { arms, weightsFrom }, sampleRatio, notes, place }: ReportData): Block[] {
  const { isMismatch, verdict, threshold, tests } = sampleRatio;
  const items = tests.map(
    ({ of, chiSquare, degreesOfFreedom, p }) =>
      `${of[0]?.toUpperCase()}${of.slice(1)}: chi-square ${chiSquare.toFixed(2)} with ${degreesOfFreedom} df, p ${format.probability(p)}; it fires below ${threshold}.`,
  );
  return [
    {
      kind: "verdict",
      isAlarm: isMismatch,
      blocks: [
        paragraph(isMismatch ? verdict : `Sample ratio: ${verdict}`),
        ...list(items),
        ...list(isMismatch ? USUAL_CAUSES : [], "Usual causes:"),
      ],
    },
    {
      kind: "table",
      caption: `Exposures from ${place}; weights: ${weightsFrom}`,
      headings: ["Arm", "Weight", "Searches", "Shoppers", "Searches without a shopper"],
      rows: arms.map(({ variant, weight, searches, shoppers, searchesWithoutShopper }) => [
        variant,
        weight === null ? "not configured" : format.share(weight),
        ...[searches, shoppers, searchesWithoutShopper].map(format.wholeNumber),
      ]),
      numeric: [1, 2, 3, 4],
    },
    ...list(notes),
  ];
}

const WHY_NOT: Readonly<Record<Exclude<MetricComparison["why"], null>, string>> = {
  no_data: "fewer than two shoppers or searches in an arm",
  no_events: "nothing happened in at least one arm",
  below_zero: "the sum of an arm is below 0 (refunds?)",
  units_unknown: "no verdict: whose searches they are is not known",
  too_few_events: "too few events to compare (at least 20 shoppers or searches with one in each arm)",
};

const HELD: Readonly<Record<Exclude<MetricComparison["held"], null>, string>> = {
  difference: "open: the lift alone shows it, the difference does not",
  lift: "open: the difference alone shows it, the lift does not",
  one_shopper: "open: a single shopper decides it",
  few_events: "open: the counts show it, the difference does not",
};

function verdictWords(comparison: MetricComparison): string {
  const { planned, verdict } = comparison;
  const words = sequenceWords(comparison);
  return planned?.day != null && verdict !== "open" ? `${words}, decided on ${planned.day}` : words;
}

function sequenceWords({ verdict, why, held, exact, withheld }: MetricComparison): string {
  if (withheld !== null) return withheld;
  if (exact !== null && verdict !== "open") return `${verdict} (exact: ${counts(exact)})`;
  if (held !== null) return HELD[held];
  return why === null ? verdict : WHY_NOT[why];
}

function counts({ variant, control }: NonNullable<MetricComparison["exact"]>): string {
  const [mine, theirs] = [variant, control].map(({ units, of }) => `${format.wholeNumber(units)} of ${format.wholeNumber(of)}`);
  return `${mine} shoppers, control ${theirs}`;
}

type Shown = Pick<MetricComparison["raw"], "control" | "value" | "lift">;

/** Values of control and arm, lift, and both intervals. */
function figures(metric: MetricReport, { control, value, lift }: Shown): string[] {
  const decimals = lift === null ? 1 : format.decimalsFor(lift.fixed);
  return [
    format.metricValue(control, metric),
    format.metricValue(value, metric),
    lift === null ? format.NONE : format.lift(lift.value, decimals),
    format.range(lift?.fixed, decimals),
    format.range(lift?.always, decimals),
  ];
}

/** A second row shows what the caps change. */
function rowsOf(metric: MetricReport, comparison: MetricComparison): readonly (readonly string[])[] {
  const { variant, capped, raw, planned } = comparison;
  const isTouched = capped.touched.control + capped.touched.variant > 0;
  return [
    [
      metric.title,
      variant,
      ...figures(metric, capped),
      ...(planned === null ? [] : [format.range(planned.lift)]),
      verdictWords(comparison),
    ],
    ...(isTouched
      ? [[`${metric.title}, not capped`, variant, ...figures(metric, raw), ...(planned === null ? [] : [format.NONE]), "(capped: above)"]]
      : []),
  ];
}

function metrics({ metrics: all, alpha, cap, trusted, plan }: ReportData): Block[] {
  const level = format.level(alpha);
  const tables = (["search", "shopper", "order"] as const).map((per): Block => {
    const shown = all
      .filter((metric) => metric.per === per && metric.arms.some(({ clusters }) => clusters > 0))
      .flatMap((metric) => metric.comparisons.map((comparison) => ({ comparison, rows: rowsOf(metric, comparison) })));
    if (shown.length === 0) return paragraph(`Per ${per}: nothing to compare.`);
    return {
      kind: "table",
      caption: `Per ${per}`,
      headings: [
        "Metric",
        "Arm",
        "Control",
        "Arm's",
        "Lift",
        `Fixed ${level}`,
        `Confidence sequence ${level}`,
        ...(plan === null ? [] : [`Planned ${level}`]),
        "Verdict",
      ],
      rows: shown.flatMap(({ rows }) => rows),
      numeric: [2, 3, 4, 5, 6, ...(plan === null ? [] : [7])],
      decided: shown.flatMap(({ comparison, rows }) => rows.map((_, i) => i === 0 && comparison.verdict !== "open")),
    };
  });
  return [
    ...(trusted ? [] : [paragraph("Sample-ratio mismatch: do not act on these figures.")]),
    ...tables,
    paragraph(
      `Fixed ${level} interval: holds in ${level} of experiments that are read once, at a length that was decided before the start.`,
    ),
    paragraph(
      `Confidence sequence, ${level}: holds in ${level} of experiments however often they are read and whenever they are stopped. It is wider in return. ` +
        `${plan === null ? "The verdicts go by it" : "Without a planned end the verdicts go by it"}: an effect is called where the sequences of the lift and of the difference both leave 0 out, and still do without the heaviest shopper of either arm.`,
    ),
    ...describePlan(plan, level),
    ...shoppersWeigh(all, cap),
    { kind: "details", summary: "Definitions of the metrics", items: all.map((metric) => `${metricName(metric)}: ${metric.meaning}`) },
  ];
}

function describePlan(plan: ReportData["plan"], level: string): Block[] {
  if (plan === null) return [];
  const { unitsPerArm, lastDay, arms } = plan;
  const ends = [
    ...(unitsPerArm === null ? [] : [`${format.wholeNumber(unitsPerArm)} shoppers in each arm`]),
    ...(lastDay === null ? [] : [`the end of ${lastDay}`]),
  ];
  return [
    paragraph(
      `Planned, ${level}: the experiment ends with ${ends.join(" or ")}. The verdicts go by a look at the end of each day (UTC) until then, all of them together with that error: ` +
        "look as often as you like. Today decides nothing before it is over, and whatever comes after the planned end changes nothing.",
    ),
    ...list(
      arms.map(({ variant, fraction, isOver, daysLeft }) =>
        isOver
          ? `${variant}: the plan has ended.`
          : `${variant}: ${format.share(fraction)} of the plan${daysLeft === null ? "" : `, ${format.days(daysLeft)} to go at this traffic`}.`,
      ),
    ),
  ];
}

function orders(report: ReportData): Block[] {
  const { sentence, facts, table, mix } = describeOrders(report);
  return [
    paragraph(sentence),
    ...list(facts),
    ...(table.rows.length > 0 ? [{ kind: "table" as const, ...table }] : []),
    ...list(mix, "Do the arms sell in the same mix? Below p 0.01 there is no verdict on revenue:"),
  ];
}

/** The caps, whom they touch, and how much one shopper holds. */
function shoppersWeigh(all: readonly MetricReport[], cap: number): Block[] {
  const rows = all
    .filter(({ kind, arms }) => kind !== "share" && arms.some(({ sum }) => sum > 0))
    .flatMap((metric) => metric.comparisons.map((comparison) => ({ metric, ...comparison })));
  if (rows.length === 0) return [];
  const most = rows.find(({ capped }) => capped.mostSearches !== null)?.capped.mostSearches ?? null;
  return [
    {
      kind: "table",
      caption: "How much a single shopper weighs",
      headings: ["Metric", "Arm", "Cap", "Capped in control", "Capped in arm", "Largest in control", "Largest in arm"],
      rows: rows.map(({ metric, variant, capped, largestShare }) => [
        metricName(metric),
        variant,
        capped.cap === null ? format.NONE : format.metricValue(capped.cap, metric),
        ...[capped.touched.control, capped.touched.variant].map(format.wholeNumber),
        ...[largestShare.control, largestShare.variant].map((share) => (share === null ? format.NONE : format.share(share))),
      ]),
      numeric: [2, 3, 4, 5, 6],
    },
    paragraph(
      (cap < 1
        ? `The sum of a shopper is capped at the value that ${format.share(cap)} of the shoppers with something do not exceed, all arms together (--cap); at least the heaviest is. `
        : "Nothing is capped (--cap 1): one shopper can decide a metric. ") +
        (most === null ? "" : `In a metric per search a shopper weighs by at most ${format.wholeNumber(most)} searches. `) +
        "Largest: the share of one shopper in the sum of the arm, not capped.",
    ),
  ];
}

function bypasses({ exposures: { arms } }: ReportData): Block[] {
  return [
    paragraph(
      "A search that could not be re-ranked stays in its arm (intention to treat): left out, it would make the arms unlike each other.",
    ),
    {
      kind: "table",
      caption: "Searches in the engine's order",
      headings: ["Arm", "Bypassed", "Searches", "As the arm is meant to", "Reasons"],
      rows: arms.map(({ variant, bypasses: { meant, searches, rate, reasons } }) => [
        variant,
        rate === null ? format.NONE : format.share(rate),
        format.wholeNumber(searches),
        format.wholeNumber(meant),
        reasons.map((bypass) => `${bypass.reason} ${format.wholeNumber(bypass.searches)}`).join(", ") || format.NONE,
      ]),
      numeric: [1, 2, 3],
    },
  ];
}

function segments({ segments: { metric: id, rows }, metrics: all, alpha, control }: ReportData): Block[] {
  const metric = all.find((known) => known.metric === id);
  if (metric === undefined || rows.length === 0) return [];
  return [
    paragraph(
      `The p-values are corrected for the ${format.wholeNumber(rows.length)} rows by Holm's procedure, so that the table as a whole keeps its error. ` +
        "Whether a shopper comes back may itself depend on the arm: read that segment with care.",
    ),
    {
      kind: "table",
      caption: `${metricName(metric)} by segment, against ${control}`,
      headings: ["By", "Segment", "Arm", "Control", "Arm's", "Lift", `Confidence sequence ${format.level(alpha)}`, "p fixed", "p sequence"],
      rows: rows.map(({ dimension, segment, variant, control: base, value, lift, fixed, always, p }) => {
        const decimals = fixed === null ? 1 : format.decimalsFor(fixed);
        return [
          dimension,
          segment === "" ? "(none)" : segment,
          variant,
          format.metricValue(base, metric),
          format.metricValue(value, metric),
          lift === null ? format.NONE : format.lift(lift, decimals),
          format.range(always, decimals),
          p === null ? format.NONE : format.probability(p.fixed),
          p === null ? format.NONE : format.probability(p.always),
        ];
      }),
      numeric: [3, 4, 5, 6, 7, 8],
    },
  ];
}

function interleaving({ interleaving: all }: ReportData): Block[] {
  if (all.length === 0) return [];
  return [
    paragraph(
      "Both orders in one list, drafted like two teams: which one do shoppers click on? Each shopper has one vote (each search where the shopper is not known).",
    ),
    ...all.flatMap((arm) =>
      list(
        arm.votes.map((votes) => preference(arm, votes)),
        `${arm.variant}: ${format.wholeNumber(arm.searches)} interleaved searches`,
      ),
    ),
  ];
}

function slots({ slots: rows, money: { currency } }: ReportData): Block[] {
  if (rows.length === 0) return [];
  return [
    {
      kind: "table",
      caption: "Hits in slots of the shop's rules, counted apart; the metrics above hold them too",
      headings: [
        "Arm",
        "Searches with one",
        "Shown",
        "Clicks",
        "Carts",
        "Lines bought",
        `Revenue (${currency ?? "no named currency"})`,
        "Share of all clicks",
      ],
      rows: rows.map(({ variant, searches, shown, clicks, carts, purchases, revenue, allClicks }) => [
        variant,
        ...[searches, shown, clicks, carts, purchases].map(format.wholeNumber),
        format.metricValue(revenue, { kind: "money", currency: null }),
        allClicks === 0 ? "no clicks" : format.share(clicks / allClicks),
      ]),
      numeric: [1, 2, 3, 4, 5, 6, 7],
    },
  ];
}

function preference(
  { teams }: InterleavingReport,
  { by, a, b, ties, withoutShopper, result, verdict }: InterleavingReport["votes"][number],
): string {
  const left =
    withoutShopper === 0 ? "" : ` The verdict leaves out ${format.wholeNumber(withoutShopper)} votes of searches without a shopper.`;
  if (result === null) return `No preference by ${by}: no votes.`;
  const { shareOfB, fixed, always, p } = result;
  const { share, wholeNumber } = format;
  return (
    `By ${by}: ${wholeNumber(b)} for ${teams.b}, ${wholeNumber(a)} for ${teams.a}, ${wholeNumber(ties)} ties. ` +
    `${teams.b} has ${share(shareOfB)} of the votes, ${share(fixed.low)} to ${share(fixed.high)} (exact, one look), ` +
    `${share(always.low)} to ${share(always.high)} (confidence sequence), sign test p ${format.probability(p)}: ` +
    `${verdict === "open" ? "open" : `${teams[verdict]} is preferred`}.${left}`
  );
}

function timeToAnswer({ timeToAnswer: { lift, power, rows }, metrics: all, exposures: { searchesPerDay }, plan }: ReportData): Block[] {
  const known = rows.flatMap(({ days, ...row }) => (days === null ? [] : [{ ...row, days }]));
  if (known.length === 0) return [paragraph("Too few events so far to tell how long it takes.")];
  const [wanted, chance] = [format.lift(lift), format.chance(power)];
  return [
    paragraph(
      `At ${format.wholeNumber(searchesPerDay)} searches a day, as long as shoppers keep coming at this pace: the chance to see a lift of ${wanted} now, the smallest lift that can be seen now with a power of ${chance}, ` +
        "and the days from the first one until the lift can be seen (about so many where there are too few events yet). The confidence sequence often ends long before its figure.",
    ),
    {
      kind: "table",
      caption: `To see a lift of ${wanted} with a power of ${chance}`,
      headings: [
        "Metric",
        "Arm",
        "Power now",
        "Seen now",
        "Days in all, one look",
        "Days in all, planned end",
        "Days in all, confidence sequence, at most",
      ],
      rows: known.map(({ metric: id, variant, isRough, powerNow, seenNow, days }) => {
        const metric = all.find((each) => each.metric === id);
        return [
          metric === undefined ? id : metricName(metric),
          variant,
          powerNow === null ? format.NONE : format.chance(powerNow),
          seenNow === null ? format.NONE : format.lift(seenNow),
          ...[days.fixed, days.planned, days.always].map((inAll) => `${isRough ? "about " : ""}${format.days(inAll)}`),
        ];
      }),
      numeric: [2, 3, 4, 5, 6],
    },
    ...(plan === null
      ? [
          paragraph(
            "This experiment has no planned end. One that states its end before the start, in shoppers or as a day (plan in EXPERIMENTS; armmt plan says how long), may be looked at every day too, and takes the days of the column before the last.",
          ),
        ]
      : []),
  ];
}

/** The chart of one comparison in words, for readers who do not see it. */
export function describeDaily(metric: MetricReport, { variant, daily }: MetricComparison): string {
  const known = daily.flatMap(({ day, always, lift }) => (always === null || lift === null ? [] : [{ day, always, lift }]));
  const [first, last] = [known[0], known.at(-1)];
  const name = metricName(metric);
  if (first === undefined || last === undefined) return `${name}, ${variant}: too few events for a confidence sequence on every day.`;
  const decided = known.find(({ always }) => always.low > 0 || always.high < 0);
  const start = known.length === 1 ? "" : `After ${first.day} it ran from ${format.range(first.always)}. `;
  return (
    `${name}, ${variant} against control. ${start}After ${last.day} the lift is ${format.lift(last.lift, format.decimalsFor(last.always))}, the confidence sequence runs from ${format.range(last.always)}. ` +
    (decided === undefined ? "It has held 0 on every day." : `It left 0 out for the first time after ${decided.day}.`)
  );
}

/** The answer: one sentence, what it rests on, and what to do next. */
export function answerOf(report: ReportData): Extract<Block, { readonly kind: "verdict" }> {
  const { kind, sentence, evidence, next } = summarise(summaryFacts(report));
  return {
    kind: "verdict",
    isAlarm: ALARMS.has(kind),
    blocks: [paragraph(`${sentence}.`), ...list(evidence, "Evidence:"), ...list(next, "What to do next:")],
  };
}

/** For a terminal; ends with a line feed. */
export function formatReport(report: ReportData): string {
  const [answer, ...support] = answerOf(report).blocks.flatMap(formatBlock);
  return `${[answer, headline(report), ...support].join("\n\n")}\n\n${formatSections(sectionsOf(report))}`;
}

/** For a terminal; ends with a line feed. */
export function formatSections(sections: readonly Pick<Section, "heading" | "blocks">[]): string {
  return `${sections.map(({ heading, blocks }) => [heading, ...blocks.flatMap(formatBlock)].join("\n\n")).join("\n\n")}\n`;
}

/** Parts that blank lines set apart. */
function formatBlock(block: Block): string[] {
  if (block.kind === "paragraph") return [block.text];
  if (block.kind === "list") return [[block.intro, ...block.items.map((item) => `- ${item}`)].join("\n").trimStart()];
  if (block.kind === "details") return [];
  if (block.kind === "table") return [`${block.caption}\n\n${format.formatTable(block.headings, block.rows).trimEnd()}`];
  return [block.blocks.flatMap(formatBlock).join("\n")];
}
