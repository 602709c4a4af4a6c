/** Figures of the bench: a name with percentiles over all samples, never a best case or a mean. */

/** `ms CPU` is processor time of the server, `requests/CPU-s` the searches that it serves with a second of it. */
export type Unit = "ms" | "ms CPU" | "requests/s" | "requests/CPU-s" | "MB" | "bytes" | "%" | "count";

/** One line of the report. For a single figure (a size) p50 and p99 are that figure. */
export interface Measurement {
  readonly name: string;
  readonly unit: Unit;
  readonly p50: number;
  /** The bad end: of times the slow one, of rates the rate that 99 % of the sampled intervals reached. */
  readonly p99: number;
  /** Of loads: enough samples for one in a thousand to mean something. */
  readonly p999?: number;
  /** `ratio` compares with it. */
  readonly peer?: string;
  /** p50 divided by the peer's p50. */
  readonly ratio?: number;
  /** In the charts of plots.ts. */
  readonly place?: Readonly<Record<"chart" | "series" | "x", string>>;
}

/** `p50`: the peer's, in the same unit. */
type Peer = Readonly<{ peer: string; p50: number }>;

/** Higher is better: their bad end is the low one. */
const RATES: readonly Unit[] = ["requests/s", "requests/CPU-s"];

/** Percentiles of all samples; throws on none. */
export function measured(name: string, unit: Unit, samples: readonly number[], peer?: Peer): Measurement {
  const p50 = percentile(samples, 0.5);
  const p99 = percentile(samples, RATES.includes(unit) ? 0.01 : 0.99);
  // No ratio to 0.
  const ratio = peer !== undefined && peer.p50 !== 0 && { peer: peer.peer, ratio: round(p50 / peer.p50) };
  return { name, unit, p50: round(p50), p99: round(p99), ...ratio };
}

/** Empty without samples: processor time can be read on Linux only. */
export function measuredIfAny(...[name, unit, samples, peer]: Parameters<typeof measured>): Measurement[] {
  return samples.length === 0 ? [] : [measured(name, unit, samples, peer)];
}

/** With p99.9, for loads. */
export function measuredLoad(...[name, unit, samples, peer]: Parameters<typeof measured>): Measurement {
  return { ...measured(name, unit, samples, peer), p999: round(percentile(samples, 0.999)) };
}

/** A difference of two loads: percentiles are taken of each load, because their searches are not pairs. */
export function differenceOf(name: string, unit: Unit, samples: readonly number[], without: readonly number[]): Measurement {
  const at = (share: number) => round(percentile(samples, share) - percentile(without, share));
  return { name, unit, p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

export function inChart(measurement: Measurement, chart: string, series: string, x: string): Measurement {
  return { ...measurement, place: { chart, series, x } };
}

/** Undefined if the peer has no samples. */
export function against(peer: string, samples: readonly number[]): Peer | undefined {
  return samples.length === 0 ? undefined : { peer, p50: median(samples) };
}

/** Linear between the two nearest ranks; 0 <= share <= 1. Throws on no samples. */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new Error("A percentile of no samples");
  const sorted = Float64Array.from(samples).toSorted();
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** Sample by sample, for series taken in the same rounds. */
export function differences(minuends: readonly number[], subtrahends: readonly number[]): number[] {
  if (minuends.length !== subtrahends.length) throw new Error(`${minuends.length} samples against ${subtrahends.length}`);
  return minuends.map((value, i) => value - subtrahends[i]!);
}

/** Three decimals: microseconds, finer than the noise. */
const round = (value: number): number => Math.round(value * 1000) / 1000;
