/** The report in words and tables, in the order in which an experiment should be read. For a terminal; `page.ts` prints the same sections. */
import * as format from "./format.ts";
import type { InterleavingReport, MetricComparison, MetricReport, ReportData } from "./analyse.ts";
import { type Block, formatBlock, formatSections, list, paragraph, type Section } from "./blocks.ts";
import { describeOrders } from "./order-section.ts";
import { checksSections } from "./checks-sections.ts";
import { metricName, metricsBlocks } from "./metrics-section.ts";
import { rulesBlocks } from "./rules-section.ts";
import { USUAL_CAUSES } from "./sample-ratio.ts";
import { ALARMS } from "./summary.ts";
import { summaryFacts } from "./summary-facts.ts";
import { summarise } from "./summary-steps.ts";

/** Sections without content are left out; exposures are always there. */
export function sectionsOf(report: ReportData): readonly Section[] {
  const sections = [
    ...(report.alarms.length > 0 ? [{ id: "alarm", heading: "Alarm", blocks: alarm(report) }] : []),
    { id: "exposures", heading: "Exposures and sample ratio", blocks: exposures(report) },
  ];
  if (report.period === null) return sections;
  return [
    ...sections,
    { id: "metrics", heading: `Metrics, against ${report.control}`, blocks: metricsBlocks(report) },
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
