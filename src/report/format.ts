/** Numbers as text, with as many digits as they deserve, and tables for terminals. */
import type { MetricReport } from "./analyse.ts";
import type { Interval } from "./statistics/compare.ts";

const NBSP = "\u00a0";
const MINUS = "\u2212";
export const NONE = "–";

export function wholeNumber(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** A share, 0..1, with three significant digits: 30.1 %, 3.05 %, 0.412 %. */
export function share(value: number): string {
  if (value === 0) return `0${NBSP}%`;
  const percent = value * 100;
  const digits = Math.min(5, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(percent)))));
  return `${percent.toFixed(digits).replace("-", MINUS)}${NBSP}%`;
}

/** A probability in whole per cent: 80 %. */
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

/** 0.015, for a command line. */
export function plain(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** +1.2 % to +5.3 % */
export function range(interval: Interval | null | undefined, decimals?: number): string {
  if (interval === null || interval === undefined) return NONE;
  decimals ??= decimalsFor(interval);
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

/** Whole days, rounded up. */
export function days(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (value > 3650) return "more than ten years";
  return `${wholeNumber(Math.ceil(value))} ${Math.ceil(value) === 1 ? "day" : "days"}`;
}

export type Cell = string | number | undefined;

/** Aligned text, numbers to the right, absent cells as `–`; the first row holds the headings. Ends with a line feed. */
export function formatTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = (cell: Cell): string => (cell === undefined ? NONE : String(cell));
  const widths = headings.map((heading, i) => rows.reduce((width, row) => Math.max(width, text(row[i]).length), heading.length));
  const isNumeric = headings.map((_, i) => rows.length > 0 && rows.every((row) => row[i] === undefined || typeof row[i] === "number"));
  const line = (cells: readonly Cell[]): string =>
    widths
      .map((width, i) => (isNumeric[i] === true ? text(cells[i]).padStart(width) : text(cells[i]).padEnd(width)))
      .join("  ")
      .trimEnd();
  return [line(headings), widths.map((width) => "─".repeat(width)).join("  "), ...rows.map(line)].join("\n") + "\n";
}
