/**
 * How the sequence of one metric narrowed, day by day, as inline SVG: a band per arm around its lift, and the line of no difference. Small
 * coordinates, so that the text is legible on a phone. Colours and sizes come from the page's style.
 */
import { niceTicks } from "../lab/study/benchmark/ticks.ts";
import type { MetricReport } from "./report-data.ts";
import { escape } from "./html.ts";
import { describeDaily, fullMetricName, lift } from "./words.ts";

const WIDTH = 360;
const HEIGHT = 210;
const AREA = { left: 54, right: 350, top: 12, bottom: 178 } as const;

/** How many arms have a look of their own. */
export const LOOKS = 4;

interface Place {
  readonly day: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const at = (value: number): string => String(Math.round(value * 10) / 10);

/** Empty where no day has a sequence. */
export function drawDaily(metric: MetricReport): string {
  const arms = metric.comparisons.map((comparison, look) => ({ comparison, look, places: placesOf(comparison.daily) }));
  const all = arms.flatMap(({ places }) => places);
  const days = arms[0]?.comparison.daily.length ?? 0;
  if (all.length === 0) return "";
  const ticks = niceTicks(...boundsOf(all, days));
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const x = (day: number): number =>
    days < 2 ? (AREA.left + AREA.right) / 2 : AREA.left + 8 + (day / (days - 1)) * (AREA.right - AREA.left - 16);
  const y = (value: number): number =>
    AREA.bottom - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (AREA.bottom - AREA.top);
  const id = `daily-${metric.metric}`;
  const decimals = ticks.some((tick) => Math.abs(tick * 100 - Math.round(tick * 100)) > 1e-6) ? 1 : 0;
  const grid = ticks.map(
    (tick) =>
      `<path class="${Math.abs(tick) < 1e-9 ? "zero" : "grid"}" d="M${AREA.left} ${at(y(tick))}H${AREA.right}"/>` +
      `<text x="${AREA.left - 5}" y="${at(y(tick) + 4)}" text-anchor="end">${lift(tick, decimals)}</text>`,
  );
  return [
    `<svg class="daily" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-text">`,
    `<title id="${id}-title">${escape(`${fullMetricName(metric)}: relative lift over control, day by day`)}</title>`,
    `<desc id="${id}-text">${escape(metric.comparisons.map((comparison) => describeDaily(metric, comparison)).join(" "))}</desc>`,
    ...grid,
    ...dayTicks(days).map(
      (day) =>
        `<text x="${at(x(day))}" y="${AREA.bottom + 15}" text-anchor="middle">${escape(shortDay(arms[0]?.comparison.daily[day]?.day ?? ""))}</text>`,
    ),
    ...arms.flatMap(({ places, look }) => runsOf(places).map((run) => drawRun(run, look % LOOKS, { x, y }))),
    "</svg>",
  ].join("");
}

function placesOf(daily: MetricReport["comparisons"][number]["daily"]): readonly Place[] {
  return daily.flatMap(({ lift: value, always }, day) => (value === null || always === null ? [] : [{ day, value, ...always }]));
}

/** The first days reach far out; the axis shows what the second half of the days needs, and 0. */
function boundsOf(places: readonly Place[], days: number): readonly [low: number, high: number] {
  const late = places.filter(({ day }) => day >= (days - 1) / 2);
  const shown = late.length > 0 ? late : places;
  const [low, high] = [Math.min(0, ...shown.map((place) => place.low)), Math.max(0, ...shown.map((place) => place.high))];
  // Arms without any spread leave no room of their own.
  return high > low ? [low * 1.1, high * 1.1] : [-0.01, 0.01];
}

function runsOf(places: readonly Place[]): readonly (readonly Place[])[] {
  const runs: Place[][] = [];
  for (const place of places) {
    const run = runs.at(-1);
    if (run?.at(-1)?.day === place.day - 1) run.push(place);
    else runs.push([place]);
  }
  return runs;
}

interface Scales {
  readonly x: (day: number) => number;
  readonly y: (value: number) => number;
}

function drawRun(run: readonly Place[], look: number, { x, y }: Scales): string {
  const [first] = run;
  if (first === undefined) return "";
  if (run.length === 1) {
    const px = at(x(first.day));
    return `<path class="edge a${look}" d="M${px} ${at(y(first.low))}V${at(y(first.high))}"/><circle class="mark a${look}" cx="${px}" cy="${at(y(first.value))}" r="3"/>`;
  }
  const line = (of: (place: Place) => number, places: readonly Place[]): string =>
    places.map((place) => `${at(x(place.day))} ${at(y(of(place)))}`).join("L");
  const upper = line((place) => place.high, run);
  const lower = line((place) => place.low, run);
  return (
    `<path class="band a${look}" d="M${upper}L${line((place) => place.low, run.toReversed())}Z"/>` +
    `<path class="edge a${look}" d="M${upper}M${lower}"/><path class="line a${look}" d="M${line((place) => place.value, run)}"/>`
  );
}

/** About five, the last day among them. */
function dayTicks(days: number): readonly number[] {
  const step = Math.max(1, Math.ceil(days / 5));
  return Array.from({ length: Math.ceil(days / step) }, (_, i) => days - 1 - i * step).toReversed();
}

/** 2026-09-07 → 7 Sep */
function shortDay(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? day : date.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}
