/** How the report says things: numbers with as many digits as they deserve, and the sentences that terminal and page share. */
import type { Incomparable, Interval } from "./statistics/compare.ts";
import type { InterleavingReport, InterleavingVotes, MetricComparison, MetricReport, ReportData, SegmentRow } from "./report-data.ts";

const NBSP = "\u00a0";
const MINUS = "\u2212";
export const NONE = "–";

export function wholeNumber(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function signed(text: string): string {
  return text.replace(/^-/, MINUS);
}

/** A share, 0..1, with three digits that count: 30.1 %, 3.05 %, 0.412 %. */
export function share(value: number): string {
  if (value === 0) return `0${NBSP}%`;
  const percent = value * 100;
  const digits = Math.min(5, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(percent)))));
  return `${signed(percent.toFixed(digits))}${NBSP}%`;
}

/** A probability that one has in mind: 80 %. */
export function chance(value: number): string {
  return value > 0.99 && value < 1 ? `>99${NBSP}%` : `${(value * 100).toFixed(0)}${NBSP}%`;
}

/** Decimals of a percentage that give the half width of its interval two digits. */
export function decimalsFor({ low, high }: Interval): number {
  const half = ((high - low) / 2) * 100;
  return half > 0 && Number.isFinite(half) ? Math.min(4, Math.max(0, 1 - Math.floor(Math.log10(half)))) : 1;
}

/** A relative lift: +3.2 %. */
export function lift(value: number, decimals = 1): string {
  const text = (value * 100).toFixed(decimals);
  const isZero = Number(text) === 0;
  return `${isZero ? "" : value > 0 ? "+" : MINUS}${text.replace("-", "")}${NBSP}%`;
}

/** +1.2 % to +5.3 % */
export function range(interval: Interval, decimals = decimalsFor(interval)): string {
  return `${lift(interval.low, decimals)} to ${lift(interval.high, decimals)}`;
}

export function probability(p: number): string {
  if (p < 0.0001) return "<0.0001";
  return p.toFixed(p < 0.001 ? 4 : 3);
}

/** A value of a metric, in its unit. */
export function metricValue(value: number | null, { kind, currency }: Pick<MetricReport, "kind" | "currency">): string {
  if (value === null) return NONE;
  if (kind === "share") return share(value);
  const digits = value === 0 ? 0 : Math.min(6, Math.max(kind === "money" ? 2 : 0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  const text = value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return kind === "money" && currency !== null ? `${text}${NBSP}${currency}` : text;
}

/** 0.05 → 95 % */
export function level(alpha: number): string {
  return `${Number(((1 - alpha) * 100).toFixed(2))}${NBSP}%`;
}

export const WHY_NOT: Readonly<Record<Incomparable, string>> = {
  no_data: "fewer than two shoppers or searches in an arm",
  no_events: "nothing happened in at least one arm",
  too_few_events: "too few events to say anything (20 shoppers or searches with one in each arm)",
};

export function fixedMeaning(alpha: number): string {
  return `Fixed ${level(alpha)} interval: holds in ${level(alpha)} of experiments that are read once, at a length that was decided before the start.`;
}

export function alwaysMeaning(alpha: number): string {
  return `Always-valid ${level(alpha)} sequence: holds in ${level(alpha)} of experiments however often they are read and whenever they are stopped; it is wider in return, and it is what the verdicts go by.`;
}

export function verdict({ verdict: found, why }: MetricComparison): string {
  if (why !== null) return WHY_NOT[why];
  return found;
}

export function metricName({ title, per }: Pick<MetricReport, "title" | "per">): string {
  return `${title} per ${per}`;
}

/** Name for a table whose heading says per what. A share has no "per". */
export function fullMetricName(metric: Pick<MetricReport, "title" | "per" | "kind">): string {
  return metric.kind === "share" ? metric.title : metricName(metric);
}

export function preference({ teams, votes }: InterleavingReport, by: InterleavingVotes["by"]): string {
  const found = votes.find((one) => one.by === by);
  if (found === undefined || found.result === null) return `Nobody preferred either by ${by}.`;
  const { shareOfB, fixed, always, p } = found.result;
  const said = { a: `${teams.a} is preferred`, b: `${teams.b} is preferred`, open: "open" }[found.verdict];
  return (
    `By ${by}: ${wholeNumber(found.b)} for ${teams.b}, ${wholeNumber(found.a)} for ${teams.a}, ${wholeNumber(found.ties)} ties. ` +
    `${teams.b} has ${share(shareOfB)} of the votes, ${share(fixed.low)} to ${share(fixed.high)} (exact, one look), ` +
    `${share(always.low)} to ${share(always.high)} (always valid), sign test p ${probability(p)}: ${said}.`
  );
}

export const INTERLEAVING_MEANING =
  "Both orders in one list, drafted like two teams: which one do shoppers click on? Each shopper has one vote (each search where the shopper is not known).";

export function segmentMeaning(rows: number): string {
  return (
    `The p-values are corrected for the ${wholeNumber(rows)} rows by Holm's procedure, so that the table as a whole keeps its error. ` +
    "Who comes back may itself hang on the arm: read that segment with care."
  );
}

export function segmentName({ segment }: SegmentRow): string {
  return segment === "" ? "(none)" : segment;
}

export const TIME_UNKNOWN = "Too few events so far to tell how long it takes.";

export interface Awaited {
  readonly lift: number;
  readonly power: number;
  readonly searchesPerDay: number;
}

export function timeMeaning({ lift: wanted, power, searchesPerDay }: Awaited): string {
  return (
    `At ${wholeNumber(searchesPerDay)} searches a day, as long as shoppers keep coming as so far: the chance to see a lift of ${lift(wanted)} now, the smallest lift that can be seen now with a power of ${chance(power)}, ` +
    "and the days from the first one until the lift can be seen. The sequence often ends long before its figure."
  );
}

/** Days as a shop plans them. */
export function days(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (value > 3650) return "more than ten years";
  return `${wholeNumber(Math.ceil(value))} ${Math.ceil(value) === 1 ? "day" : "days"}`;
}

/** What the plot of one comparison shows, for those who do not see it. */
export function describeDaily(metric: MetricReport, { variant, daily }: MetricComparison): string {
  const known = daily.flatMap(({ day, always, lift: value }) => (always === null || value === null ? [] : [{ day, always, value }]));
  const [first, last] = [known[0], known.at(-1)];
  const name = fullMetricName(metric);
  if (first === undefined || last === undefined) return `${name}, ${variant}: too few events for a sequence on every day.`;
  const decided = known.find(({ always }) => always.low > 0 || always.high < 0);
  const start = known.length === 1 ? "" : `After ${first.day} it ran from ${range(first.always)}. `;
  return (
    `${name}, ${variant} against control. ${start}After ${last.day} the lift is ${lift(last.value, decimalsFor(last.always))}, the sequence runs from ${range(last.always)}. ` +
    (decided === undefined ? "It has held 0 on every day." : `It left 0 out for the first time after ${decided.day}.`)
  );
}

/** The first line of everything. */
export function headline({ experiment, period, simulated, exposures }: ReportData): string {
  const when =
    period === null ? "no searches yet" : `${period.from} to ${period.to} (${period.days} ${period.days === 1 ? "day" : "days"}, UTC)`;
  return `${experiment}: ${when}, ${wholeNumber(exposures.searches)} searches${simulated ? ", SIMULATED" : ""}`;
}
